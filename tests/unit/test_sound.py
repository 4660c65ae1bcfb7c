# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The bell and the mixers on real ALSA: what sounds, how soon, and what happens to cards that fail."""

import threading
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import alsaaudio
import numpy as np
import numpy.typing as npt
import pytest

from omafon.board import SoundProfile
from omafon.config import AudioConfig
from omafon.core.events import Driver, DriverFailed, DriverRecovered, Event
from omafon.core.screen import SoundLevels
from omafon.drivers.sound import AlsaSound
from omafon.sim.soundcard import RATE_HZ, Mixer, SoundCard, level_db, tone, write_asound_conf
from tests.lab.heard import Heard, LabError

LOUD = 100
RINGING, SILENT = SoundLevels(ringing=True), SoundLevels()
AT_ONCE_MS = 100
PAUSE = threading.Event()


@dataclass(slots=True)
class Room:
    """A handset, a loudspeaker, and the driver of both."""

    handset: SoundCard
    speaker: SoundCard
    heard: Heard[Event]
    made: list[AlsaSound]

    def driver(self, audio: AudioConfig | None = None, **more: str) -> AlsaSound:
        """A driver at work. Its bell is on the loudspeaker."""
        profile = {"voice": self.handset.pcm_name, "ringer": self.speaker.pcm_name} | more
        driver = AlsaSound(self.heard.add, SoundProfile(**profile), audio or AudioConfig())  # type: ignore[arg-type]
        self.made.append(driver)
        driver.open()
        return driver

    def hears(self, wanted: Event, *, within_s: float = 3.0) -> None:
        self.heard.until(lambda event: event == wanted, str(wanted), within_s=within_s)

    def hears_failure(self, driver: Driver = Driver.RINGER, *, within_s: float = 3.0) -> str:
        def fits(event: Event) -> bool:
            return isinstance(event, DriverFailed) and event.driver is driver

        event = self.heard.until(fits, f"{driver} failed", within_s=within_s)
        assert isinstance(event, DriverFailed)
        return event.reason


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    with SoundCard("handset") as handset, SoundCard("speaker") as speaker:
        for name, value in write_asound_conf(tmp_path / "asound.conf", [handset, speaker]).items():
            monkeypatch.setenv(name, value)
        room = Room(handset, speaker, Heard(), [])
        yield room
        for driver in room.made:
            driver.close()


def until(happens: Callable[[], bool], what: str, *, within_s: float = 2.0) -> None:
    deadline = time.monotonic() + within_s
    while not happens():
        if time.monotonic() > deadline:
            raise LabError(f"not within {within_s:g} s: {what}")
        PAUSE.wait(0.005)


def loud(card: SoundCard, start: int) -> npt.NDArray[np.bool_]:
    """Frame by frame since `start`, whether something sounds."""
    return np.abs(np.array(card.ear(start, card.now() - start), dtype=int)) > LOUD


def sounds(card: SoundCard, *, since: int) -> bool:
    return bool(loud(card, since).any())


def is_silent(card: SoundCard, for_s: float = 0.1) -> bool:
    return not sounds(card, since=card.now() - round(for_s * RATE_HZ))


def ready(driver: AlsaSound, card: SoundCard) -> AlsaSound:
    """The driver once it has made the bell, which it does at the first levels: no telephone rings as it starts."""
    start = card.now()
    driver.sound(RINGING)
    until(lambda: sounds(card, since=start), "it rings")
    stops_ringing(driver, card)
    return driver


def starts_ringing(room: Room, driver: AlsaSound, card: SoundCard, levels: SoundLevels = RINGING) -> float:
    """Milliseconds from the level to the sound."""
    start = card.now()
    driver.sound(levels)
    until(lambda: sounds(card, since=start), "it rings")
    return float(np.argmax(loud(card, start))) * 1000 / RATE_HZ


def stops_ringing(driver: AlsaSound, card: SoundCard) -> float:
    """Milliseconds from the level to the last that sounds."""
    start = card.now()
    driver.sound(SILENT)
    until(lambda: card.now() - start > RATE_HZ // 5 and is_silent(card), "it is silent")
    sounding = np.flatnonzero(loud(card, start))
    return float(sounding[-1]) * 1000 / RATE_HZ if len(sounding) else 0.0


def wav(path: Path, frequency_hz: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(tone(frequency_hz).tobytes())
    return path


# Ringing.


def test_it_rings_and_is_silent_within_a_tenth_of_a_second(room: Room) -> None:
    driver = ready(room.driver(), room.speaker)

    starts, stops = [], []
    for _ in range(5):
        starts.append(starts_ringing(room, driver, room.speaker))
        stops.append(stops_ringing(driver, room.speaker))

    # The middle one: any single one may meet a moment in which the machine has other work.
    assert median(starts) <= AT_ONCE_MS
    assert median(stops) <= AT_ONCE_MS


def test_the_bell_ends_without_a_click(room: Room) -> None:
    driver = room.driver()
    starts_ringing(room, driver, room.speaker)
    start = room.speaker.now()

    stops_ringing(driver, room.speaker)

    frames = np.array(room.speaker.ear(start, RATE_HZ // 5), dtype=int)
    last = np.flatnonzero(np.abs(frames) > 3)[-1]
    assert np.abs(frames[last - RATE_HZ // 2000 : last]).max() < 3000, "it is cut off"


def test_it_rings_on_its_own_card_and_nowhere_else(room: Room) -> None:
    driver = room.driver()
    start = room.handset.now()

    starts_ringing(room, driver, room.speaker)
    stops_ringing(driver, room.speaker)

    assert not room.handset.played(start, room.handset.now() - start)


def test_the_card_is_left_when_it_is_silent(room: Room) -> None:
    driver = room.driver()
    starts_ringing(room, driver, room.speaker)

    stops_ringing(driver, room.speaker)

    until(lambda: not room.speaker.played(room.speaker.now() - 960, 960), "the card is left")


def test_in_the_pause_of_a_cadence_it_can_be_taken_away_at_once(room: Room, tmp_path: Path) -> None:
    driver = room.driver()
    starts_ringing(room, driver, room.speaker, replace(RINGING, country="GB"))
    until(lambda: is_silent(room.speaker, 0.3), "the pause", within_s=4)

    hung_up = time.monotonic()
    driver.sound(SILENT)

    until(lambda: not is_busy(room.speaker), "the card is free")
    assert (time.monotonic() - hung_up) * 1000 <= AT_ONCE_MS / 4


def test_an_amplifier_is_given_silence_to_wake_and_to_fall_asleep_in(room: Room) -> None:
    driver = room.driver(amplifier="gpio24")
    starts_ringing(room, driver, room.speaker)
    stops_ringing(driver, room.speaker)

    assert 55 <= starts_ringing(room, driver, room.speaker) <= AT_ONCE_MS

    start = room.speaker.now()
    driver.sound(SILENT)
    until(lambda: not is_busy(room.speaker), "the card is left")
    left_ms = (room.speaker.now() - start) * 1000 / RATE_HZ
    last_ms = float(np.flatnonzero(loud(room.speaker, start))[-1]) * 1000 / RATE_HZ
    assert last_ms <= 90
    assert left_ms - last_ms >= 100


def test_the_bells_volume_is_heard_while_it_rings(room: Room, tmp_path: Path) -> None:
    driver = room.driver()
    levels = replace(RINGING, tune=str(wav(tmp_path / "own.wav", 1000)), ringer_volume=100)
    starts_ringing(room, driver, room.speaker, levels)

    def level() -> float:
        PAUSE.wait(0.3)
        return room.speaker.ear_level_db(0.1)

    loudest = level()
    driver.sound(replace(levels, ringer_volume=50))

    assert loudest - level() == pytest.approx(20.0, abs=0.5)


def test_a_volume_of_0_is_silence(room: Room) -> None:
    driver = room.driver()
    start = room.speaker.now()

    driver.sound(replace(RINGING, ringer_volume=0))

    until(lambda: room.speaker.played(start, room.speaker.now() - start), "the card is opened")
    until(lambda: room.speaker.now() - start > RATE_HZ // 4, "a moment")
    assert not sounds(room.speaker, since=start)


def test_a_caller_may_have_a_tune_of_their_own(room: Room, tmp_path: Path) -> None:
    driver = room.driver()
    starts_ringing(room, driver, room.speaker, replace(RINGING, tune=str(wav(tmp_path / "own.wav", 1000))))
    start = room.speaker.now()
    until(lambda: room.speaker.now() - start > RATE_HZ // 2, "half a second")

    spectrum = np.abs(np.fft.rfft(np.array(room.speaker.ear(start, RATE_HZ // 2), dtype=float)))

    assert int(spectrum.argmax()) * 2 == 1000


def test_a_tune_that_cannot_be_played_is_told_and_the_bell_rings(room: Room, tmp_path: Path) -> None:
    driver = room.driver()

    starts_ringing(room, driver, room.speaker, replace(RINGING, tune=str(tmp_path / "none.wav")))

    assert "none.wav cannot be read" in room.hears_failure()
    stops_ringing(driver, room.speaker)
    driver.sound(RINGING)
    room.hears(DriverRecovered(Driver.RINGER))


def test_a_tune_that_was_mended_rings_at_the_next_call(room: Room, tmp_path: Path) -> None:
    driver = room.driver()
    tune = str(tmp_path / "own.wav")
    starts_ringing(room, driver, room.speaker, replace(RINGING, tune=tune))
    assert "own.wav cannot be read" in room.hears_failure()

    stops_ringing(driver, room.speaker)
    wav(tmp_path / "own.wav", 1000)
    starts_ringing(room, driver, room.speaker, replace(RINGING, tune=tune))

    room.hears(DriverRecovered(Driver.RINGER))


def test_a_phone_without_a_bell_on_purpose_says_nothing(room: Room) -> None:
    driver = room.driver(AudioConfig(ringer="null"))

    driver.sound(RINGING)
    driver.close()

    assert room.heard.all() == []


def test_the_owners_card_comes_before_the_boards(room: Room) -> None:
    driver = room.driver(AudioConfig(ringer=room.handset.pcm_name))

    starts_ringing(room, driver, room.handset)

    assert is_silent(room.speaker)


# One card for bell and voice.


def voice(card: SoundCard) -> alsaaudio.PCM:
    return alsaaudio.PCM(alsaaudio.PCM_PLAYBACK, device=card.pcm_name, rate=RATE_HZ, channels=1, periodsize=480)


def is_busy(card: SoundCard) -> bool:
    try:
        voice(card).close()
    except alsaaudio.ALSAAudioError:
        return True
    return False


def test_a_bell_waits_for_a_card_that_the_voice_still_has_and_complains_of_nothing(room: Room) -> None:
    speaking = voice(room.handset)
    driver = room.driver(ringer="")
    start = room.handset.now()
    driver.sound(RINGING)
    until(lambda: room.handset.now() - start > RATE_HZ // 2, "the call engine lingers")
    assert not sounds(room.handset, since=start)

    speaking.close()
    left = room.handset.now()
    until(lambda: sounds(room.handset, since=left), "it rings")

    assert float(np.argmax(loud(room.handset, left))) * 1000 / RATE_HZ <= AT_ONCE_MS
    assert room.heard.all() == []


def test_the_voice_gets_the_card_within_a_tenth_of_a_second_after_the_bell(room: Room) -> None:
    driver = room.driver(ringer="")
    starts_ringing(room, driver, room.handset)

    answered = time.monotonic()
    driver.sound(SILENT)

    until(lambda: not is_busy(room.handset), "the card is free")
    assert (time.monotonic() - answered) * 1000 <= AT_ONCE_MS


def test_a_card_that_another_program_keeps_is_told_and_the_other_card_rings(room: Room) -> None:
    keeping = voice(room.speaker)
    driver = room.driver()
    start = room.handset.now()

    driver.sound(RINGING)

    assert "busy" in room.hears_failure(within_s=5)
    until(lambda: sounds(room.handset, since=start), "the handset rings")
    keeping.close()


# Cards that fail.


def test_a_missing_card_is_told_before_anybody_calls_and_the_other_rings(room: Room) -> None:
    room.speaker.unplug()
    driver = room.driver()
    assert "No such device" in room.hears_failure()

    starts_ringing(room, driver, room.handset)

    stops_ringing(driver, room.handset)
    room.speaker.plug()
    room.hears(DriverRecovered(Driver.RINGER), within_s=5)
    starts_ringing(room, driver, room.speaker)


def test_a_card_that_is_pulled_out_while_it_rings_is_told_and_the_other_goes_on(room: Room) -> None:
    driver = room.driver()
    starts_ringing(room, driver, room.speaker)
    start = room.handset.now()

    room.speaker.unplug()

    assert "stopped working: No such device" in room.hears_failure()
    until(lambda: sounds(room.handset, since=start), "the handset rings")


def test_the_only_card_rings_again_when_it_is_back(room: Room) -> None:
    driver = room.driver(voice="", ringer=room.speaker.pcm_name)
    starts_ringing(room, driver, room.speaker)
    room.speaker.unplug()
    room.hears_failure()

    room.speaker.plug()
    start = room.speaker.now()

    until(lambda: sounds(room.speaker, since=start), "it rings again", within_s=3)
    room.hears(DriverRecovered(Driver.RINGER))


def test_a_card_that_never_keeps_pace_is_told_and_costs_next_to_nothing(room: Room) -> None:
    driver = room.driver(voice="", ringer=room.speaker.pcm_name)
    room.speaker.lose_pace()
    driver.sound(RINGING)
    assert "does not keep pace" in room.hears_failure()

    began, used = time.monotonic(), time.process_time()
    PAUSE.wait(2)
    load = (time.process_time() - used) / (time.monotonic() - began)

    assert load < 0.05
    room.speaker.find_pace()
    room.hears(DriverRecovered(Driver.RINGER), within_s=5)


def test_a_card_that_is_gone_is_tried_again_at_leisure(room: Room) -> None:
    room.speaker.unplug()
    driver = room.driver(voice="", ringer=room.speaker.pcm_name)
    driver.sound(RINGING)
    room.hears_failure()

    used = time.process_time()
    PAUSE.wait(2)

    assert time.process_time() - used < 0.1


def test_a_driver_that_rings_can_be_closed(room: Room) -> None:
    driver = room.driver()
    starts_ringing(room, driver, room.speaker)

    driver.close()

    assert not [thread for thread in threading.enumerate() if thread.name == "sound"]
    until(lambda: is_silent(room.speaker), "it is silent")


# Mixers.

HANDSET = {"playback": "Master", "capture": "Capture", "sidetone": "Mic"}


def test_the_handsets_mixer_is_set_at_the_start(room: Room) -> None:
    room.handset.mixer = Mixer(playback_on=False, capture_volume=30, capture_on=False, sidetone_volume=100)

    room.driver(**HANDSET)

    # 70 % is 12 dB below the loudest, the side tone 18 dB below the voice.
    until(lambda: room.handset.mixer == Mixer(26, True, 100, True, 13, True), "the mixer is set")


@pytest.mark.parametrize(("volume", "db"), [(100, 0.0), (70, -12.0), (40, -24.0), (10, -36.0)])
def test_the_handsets_volume_is_decibels_of_the_card(room: Room, volume: int, db: float) -> None:
    driver = room.driver(**HANDSET)
    driver.sound(SoundLevels(handset_volume=volume))
    exact = 100 * 10 ** (db / 20)

    until(lambda: 0 <= room.handset.mixer.playback_volume - exact < 1, "the volume is set")


def test_a_muted_microphone_is_off_in_the_card_too(room: Room) -> None:
    driver = room.driver(**HANDSET)
    driver.sound(SoundLevels(muted=True))
    until(lambda: not room.handset.mixer.capture_on, "the microphone is off")

    driver.sound(SILENT)

    until(lambda: room.handset.mixer.capture_on, "it is on again")


def test_the_own_voice_is_heard_18_db_softer(room: Room) -> None:
    room.driver(**HANDSET)
    until(lambda: room.handset.mixer.sidetone_on, "the side tone is on")
    room.handset.play_mouth(tone(1000, -10.0))
    PAUSE.wait(0.3)

    heard_db = level_db(room.handset.ear(room.handset.now() - RATE_HZ // 10, RATE_HZ // 10))

    assert heard_db == pytest.approx(-28.0, abs=0.5)


def test_the_side_tone_can_be_turned_off(room: Room) -> None:
    room.handset.mixer = Mixer(sidetone_on=True)

    room.driver(AudioConfig(sidetone_db=-60), **HANDSET)

    until(lambda: (room.handset.mixer.sidetone_on, room.handset.mixer.sidetone_volume) == (False, 0), "it is off")


def test_a_microphone_without_decibels_is_turned_by_its_amplitude(room: Room) -> None:
    room.driver(AudioConfig(microphone_db=-6), **HANDSET)

    until(lambda: room.handset.mixer.capture_volume == 50, "half the amplitude")


def test_what_the_board_says_of_other_elements_is_set(room: Room) -> None:
    profile = SoundProfile(voice=room.handset.pcm_name, mixer={"Master": "30%", "Mic": "off"})
    room.handset.mixer = Mixer(sidetone_on=True)
    driver = AlsaSound(room.heard.add, profile, AudioConfig())
    room.made.append(driver)

    driver.open()

    until(lambda: room.handset.mixer.playback_volume == 30 and not room.handset.mixer.sidetone_on, "they are set")


def test_a_mixer_that_somebody_else_turned_is_set_again(room: Room) -> None:
    room.driver(**HANDSET)
    until(lambda: room.handset.mixer.sidetone_on, "the mixer is set")

    # As a card does that is pulled out and plugged in.
    room.handset.mixer = Mixer()

    until(lambda: room.handset.mixer == Mixer(26, True, 100, True, 13, True), "it is set again", within_s=4)


def test_the_bells_card_takes_nothing_from_its_volume(room: Room) -> None:
    room.speaker.mixer = Mixer(playback_volume=20, playback_on=False)

    room.driver(bell="Master")

    until(lambda: room.speaker.mixer.playback_volume == 100 and room.speaker.mixer.playback_on, "it is set")


def test_an_element_that_the_card_has_not_is_told_by_its_name(room: Room) -> None:
    room.driver(playback="Headphone", sidetone="Mic")

    assert "has no element 'Headphone'" in room.hears_failure(Driver.MIXER)
    until(lambda: room.handset.mixer.sidetone_on, "the others are set")


def test_a_handset_that_is_not_there_is_not_the_mixers_trouble(room: Room) -> None:
    room.handset.unplug()
    driver = room.driver(**HANDSET)

    stops_ringing(driver, room.speaker)

    assert room.heard.all() == []
    room.handset.plug()
    until(lambda: room.handset.mixer.sidetone_on, "it is set when it is back", within_s=4)
