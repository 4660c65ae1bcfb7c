# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The display, picture by picture: every Screen here has its image in tests/golden, compared bit for bit."""

import time
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from omafon.core.screen import COLUMNS, Icon, Screen
from omafon.fonts import face
from omafon.icons import icon
from omafon.render import HEIGHT, MAIN_FACES, WIDTH, half_blocks, picture, quadrants, render

GOLDEN = Path(__file__).parents[1] / "golden"

SCREENS = {
    "idle_de": Screen("Oma", main="14:43", note="Sonntag, 22. November", icons=(Icon.LINE,), centred=True),
    "idle_en": Screen("Grandma", main="9:58", note="Sunday 22 November", icons=(Icon.LINE,), centred=True),
    "idle_missed": Screen(
        "Oma", "2", "07:26", "2 Anrufe verpasst", icons=(Icon.MISSED, Icon.MESSAGE, Icon.LINE), centred=True
    ),
    "idle_missed_with_date": Screen(
        "Oma", "2", "07:26", "Montag, 23. November", "2 Anrufe verpasst", (Icon.MISSED, Icon.LINE), centred=True
    ),
    "idle_line_trouble": Screen(
        "Oma", main="23:05", note="Nicht angemeldet", icons=(Icon.NO_LINE, Icon.TROUBLE), centred=True
    ),
    "idle_ringer_off": Screen("Oma", main="20:18", note="Freitag", icons=(Icon.LINE, Icon.RINGER_OFF), centred=True),
    "dialling_first_digit": Screen("Bitte wählen", main="0", hint="# oder Taste Anruf", icons=(Icon.LINE,)),
    "dialling_grouped": Screen("Bitte wählen", main="030 123 456", hint="# oder Taste Anruf", icons=(Icon.LINE,)),
    "dialling_long": Screen("Please dial", main="00 44 20 7946 0123 45", hint="# or the call key"),
    "looking_up": Screen("Suche die Nummer …", main="Oma", note="+49 30 123456", icons=(Icon.LINE,)),
    "calling_family": Screen("Ruft an …", main="Oma", note="+49 30 123456", hint="Familie / kostenlos"),
    "calling_enum": Screen("Calling …", main="+44 20 7946 0123", note="free / ENUM", icons=(Icon.LOCK,)),
    "calling_provider": Screen("Ruft an …", main="Zahnarzt", note="+49 89 998877", hint="über den Anbieter"),
    "calling_direct": Screen("Ruft an …", main="sip:anna@192.0.2.7", note="direkt / kostenlos"),
    "ringing_here": Screen("Anruf", main="Jürgen", note="+49 30 1234567", hint="Hörer abheben", alert=True),
    "ringing_here_long_name": Screen(
        "Call from", main="Grandma Elisabeth W.", note="+44 20 7946 0123", hint="Lift the handset", alert=True
    ),
    "in_call": Screen("Im Gespräch", "00:12", "Oma", "+49 30 123456", "kostenlos / ENUM"),
    "in_call_secure": Screen("Im Gespräch", "1:02:07", "Oma", "+49 30 123456", "opus/48000", (Icon.LOCK,)),
    "in_call_muted": Screen("Stumm", "03:40", "Oma", "+49 30 123456", "kostenlos", (Icon.MUTED, Icon.LOCK)),
    "held": Screen("Gehalten", "03:41", "Tante Käthe", "+49 89 998877", "R: zurückholen", (Icon.HELD, Icon.LOCK)),
    "two_calls": Screen("Im Gespräch", "00:48", "Opa Fritz", "Gehalten: Oma", "R: wechseln", (Icon.HELD,)),
    "call_waiting": Screen("Klopft an", "00:48", "Jürgen", "Gespräch: Oma", "R: annehmen", (Icon.LOCK,), alert=True),
    "failed_busy": Screen("Oma", main="Besetzt", note="Später noch einmal"),
    "failed_password": Screen("home", main="Passwort falsch", note="Leitung prüfen", icons=(Icon.NO_LINE,)),
    "failed_no_emergency": Screen("112", main="KEIN NOTRUF MÖGLICH", note="Anderes Telefon!", alert=True),
    "history_missed": Screen("Verpasst", "1/7", "Tante Käthe", "gestern 18:04", "Abheben: anrufen", (Icon.MISSED,)),
    "history_answered": Screen("Answered", "2/7", "Peggy", "today 9:12", "Lift to call", (Icon.INCOMING,)),
    "history_dialled": Screen("Gewählt", "3/7", "+49 30 123456", "heute 11:30", "Abheben", (Icon.OUTGOING,)),
    "volume": Screen("Lautstärke Hörer", "70 %", bar=70),
    "volume_lowest": Screen("Lautstärke Klingel", "0 %", bar=0, icons=(Icon.RINGER_OFF,)),
    "volume_in_call": Screen("Handset volume", "100 %", note="Oma  00:12", bar=100),
    "emergency": Screen("Notruf", main="112", note="Bitte nicht auflegen", alert=True),
    "name_in_cyrillic": Screen("Anruf", main="Олена Шевченко", note="+380 44 123 4567", hint="Hörer abheben"),
    "every_latin_letter": Screen("ÄÖÜäöüßéèç€·…", main="ÄÖÜäöüßéèç€·…", note="àâêîôûëïüœæñ", hint="ŁłŠšŽžČčĐđĘę"),
}


def enlarged(image: Image.Image, beside: Image.Image) -> Image.Image:
    """What came, what was expected, and where they differ, one above the other."""
    shown = [picture(i, 6) for i in (image, beside, ImageChops.logical_xor(image, beside))]
    sheet = Image.new("RGB", (shown[0].width, sum(i.height for i in shown)))
    for place, each in enumerate(shown):
        sheet.paste(each, (0, place * each.height))
    return sheet


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_looks_as_it_was_approved(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    golden = GOLDEN / f"{name}.png"
    image = render(SCREENS[name])
    if pytestconfig.getoption("--update-golden"):
        image.save(golden, optimize=True)

    with Image.open(golden) as approved:
        same = approved.mode == "1" and approved.tobytes() == image.tobytes()
        if not same:
            enlarged(image, approved.convert("1")).save(tmp_path / f"{name}.png")

    assert same, f"{name} looks different: see {tmp_path / name}.png (came, approved, difference)"


def test_every_golden_picture_has_a_screen() -> None:
    assert {p.stem for p in GOLDEN.glob("*.png")} == set(SCREENS)


@pytest.mark.parametrize("char", "WMmiÄÖÜäöüßéèç€·…0@")
def test_no_line_of_21_characters_is_cut(char: str) -> None:
    line = char * COLUMNS
    for part in ("title", "main", "note", "hint"):
        whole = render(Screen(**{part: line}))
        shorter = render(Screen(**{part: line[:-1]}))

        assert whole.tobytes() != shorter.tobytes()
        assert face("mono-12").width(line) <= WIDTH


def test_a_title_that_meets_icons_and_corner_is_shortened_with_an_ellipsis() -> None:
    crowded = Screen("Großmutter Elisabeth", "1:02:12", icons=(Icon.LOCK, Icon.MUTED))

    image = render(crowded)

    assert image.tobytes() != render(Screen("Großmutter", "1:02:12", icons=crowded.icons)).tobytes()
    left_of_icons = image.crop((0, 0, WIDTH, 12)).tobytes()
    assert left_of_icons != render(Screen("", "1:02:12", icons=crowded.icons)).crop((0, 0, WIDTH, 12)).tobytes()


def test_letters_that_no_face_has_lose_their_accent_or_become_a_question_mark() -> None:
    plain = render(Screen(main="Nguyen ?"))

    assert render(Screen(main="Nguyễn ☎")).tobytes() == plain.tobytes()


def test_shorter_text_is_never_set_smaller() -> None:
    number = "030 1234 5678 9012 34"
    heights = []

    for length in range(1, len(number) + 1):
        _, top, _, bottom = render(Screen(main=number[:length].strip(), hint="#")).crop((0, 13, WIDTH, 52)).getbbox()
        heights.append(bottom - top)

    assert heights == sorted(heights, reverse=True)
    assert heights[0] > 30


@pytest.mark.parametrize("name", MAIN_FACES)
def test_every_large_face_has_the_digits(name: str) -> None:
    assert face(name).covers("0123456789:")


@pytest.mark.parametrize("which", Icon)
def test_every_icon_is_ten_rows_high_and_not_empty(which: Icon) -> None:
    drawn = icon(which)

    assert drawn.height == 10
    assert drawn.getbbox() is not None


def test_an_alert_turns_the_top_line_black_on_white() -> None:
    calm, alert = (render(Screen("Anruf", main="Oma", alert=a)) for a in (False, True))

    assert not calm.getpixel((127, 0))
    assert alert.getpixel((127, 0))
    assert calm.crop((0, 13, WIDTH, HEIGHT)).tobytes() == alert.crop((0, 13, WIDTH, HEIGHT)).tobytes()


def test_a_picture_takes_less_than_five_milliseconds() -> None:
    for screen in SCREENS.values():
        render(screen)

    began = time.process_time()
    for screen in SCREENS.values():
        render(screen)

    assert (time.process_time() - began) / len(SCREENS) < 0.005


def test_half_blocks_show_two_rows_in_a_line_and_quadrants_two_columns_too() -> None:
    dots = Image.new("1", (4, 4))
    dots.putpixel((0, 0), 1)
    dots.putpixel((1, 1), 1)
    dots.putpixel((3, 2), 1)
    dots.putpixel((3, 3), 1)

    assert half_blocks(dots) == "▀▄  \n   █"
    assert quadrants(dots) == "▚ \n ▐"


def test_the_photograph_is_as_large_as_its_scale_says() -> None:
    photo = picture(render(SCREENS["idle_de"]), scale=6)

    assert photo.mode == "RGB"
    assert photo.size == (WIDTH * 6 + 24, HEIGHT * 6 + 24)
