# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon factory-reset --now`: the machine forgets its owner, and proves it.

What it must forget is read first, and looked for at the end in every place where it could be. A mark on the disk stays
until then: after a power cut the same is done again from the beginning.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from omafon import durable
from omafon.config import Config, ConfigError, PhoneConfig, load
from omafon.config.reading import LARGEST_FILE
from omafon.machine import card, host_name, wifi
from omafon.machine.erasing import empty, erase, erase_tree, files
from omafon.programs import run

MARK = Path("var/lib/omafon-reset")
"""Is there from the first step to the last."""

UNPUBLISH_WITHIN_S = 10.0
TRIM_WITHIN_S = 120.0
SHORTEST_CANARY = 5
"""A shorter word would be found anywhere, by chance."""

_CREDENTIALS = Path("etc/credstore.encrypted/omafon")
_UPDATE = Path("var/lib/omafon-update")
_ETC, _STATE, _REQUESTS = Path("etc/omafon"), Path("var/lib/omafon"), Path("run/omafon-requests")
_BOOT, _SSH, _LEASES = Path("boot/firmware"), Path("etc/ssh"), Path("var/lib/NetworkManager")
_JOURNALS = (Path("var/log/journal"), Path("run/log/journal"))
# Who was logged in, and from where.
_LOGINS = (Path("var/log/wtmp"), Path("var/log/btmp"), Path("var/log/lastlog"))


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many `canaries` (secrets, numbers, names) were looked for afterwards, and the files that still `hold` one."""

    canaries: int
    hold: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return not self.hold

    def as_json(self) -> dict[str, object]:
        return {"canaries": self.canaries, "hold": list(self.hold), "troubles": list(self.troubles)}

    def as_text(self) -> str:
        lines = [f"{self.canaries} secrets, numbers and names were to be forgotten, and were looked for afterwards"]
        lines += [f"  still there: {file}" for file in self.hold]
        return "\n".join([*lines, *(f"  trouble: {trouble}" for trouble in self.troubles)])


def reset(root: Path, say: Callable[[str], None]) -> Forgotten:
    """Forget everything below `root`; with another than "/" no program of this machine is asked to stop or start.

    Raises OSError, and can be called again until it succeeds.
    """
    here = root == Path("/")
    mark = root / MARK
    mark.parent.mkdir(parents=True, exist_ok=True)
    durable.write(mark, b"")
    durable.sync(mark.parent)
    canaries = frozenset(_canaries(root))
    troubles: list[str] = []
    if here:
        say("the telephone is stopped")
        run(["systemctl", "stop", "omafon.service", "omafon-network.path", "omafon-rollback.path"])
    troubles += _unpublished(root, say)
    board = _board(root)
    say("everything is erased")
    for folder in (_ETC, _CREDENTIALS, _STATE):
        erase_tree(root / folder)
    for file in (*_single_files(root), *files(root / _UPDATE)):
        erase(file)
    _forget_logins(root)
    _forget_journal(root, here=here)
    _new_host_keys(root)
    _as_from_the_box(root / _ETC, board)
    try:
        host_name.settle(root, anew=True)
    except OSError as error:
        troubles.append(f"the machine keeps its name: {error.strerror}")
    # What was replaced long ago lies in no file any more: the card is told which sectors nobody needs.
    for folder in (_ETC, _STATE, _BOOT):
        run(["sync", "--file-system", str(root / folder)])
    if here:
        # By systemd's unit: to trim takes rights that nothing else here needs.
        run(["systemctl", "start", "fstrim.service"], timeout_s=TRIM_WITHIN_S)
    hold = tuple(str(file) for file in _still_holding(root, canaries))
    if not hold:
        with suppress(FileNotFoundError):
            (root / _REQUESTS / "factory-reset").unlink()
        durable.remove(mark)
    return Forgotten(len(canaries), hold, tuple(troubles))


def restart() -> None:
    """Start the machine anew, as from the box."""
    run(["systemctl", "--no-block", "reboot"])


def _configs(root: Path) -> Iterator[Config]:
    etc, state = root / _ETC, root / _STATE
    for file in [*etc.glob("phone.toml"), *etc.glob("generations/*/phone.toml"), *state.glob("last-good/phone.toml")]:
        # One that cannot be read whole gives up what stands in its credentials, below.
        with suppress(ConfigError):
            yield load(file)


def _canaries(root: Path) -> Iterator[bytes]:
    """Everything that must be found nowhere afterwards, as bytes of a file."""
    words: set[str] = set()
    for config in _configs(root):
        words |= {line.password for line in config.line} | {line.auth_user for line in config.line}
        words |= {line.aor for line in config.line} | {config.phone.number, config.phone.name}
        words |= {person.number for person in config.contact} | {person.uri for person in config.contact}
        words |= {network.ssid for network in config.wifi} | {network.password for network in config.wifi}
        if config.enum.publish is not None:
            words.add(config.enum.publish.key_secret)
    etc, state = root / _ETC, root / _STATE
    for folder in (*etc.glob("generations/*/credentials"), *state.glob("last-good/credentials")):
        words |= {_text(file).strip() for file in files(folder)}
    words |= {word for line in _text(etc / card.KEYS).splitlines() for word in line.split()[1:2]}
    words |= _numbers(state)
    for key in (root / _SSH).glob("ssh_host_*_key"):
        # They all begin alike; in the middle each is itself.
        body = _text(key).split("\n")
        words.add(body[len(body) // 2])
    for word in words:
        if len(word) >= SHORTEST_CANARY:
            yield word.encode()


def _numbers(state: Path) -> set[str]:
    """The numbers and names of past calls."""
    try:
        memory = msgspec.json.decode((state / "memory.json").read_bytes())
        history = memory["history"]
        return {str(entry[key]) for entry in history for key in ("number", "uri", "name") if entry.get(key)}
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, AttributeError):
        return set()


def _unpublished(root: Path, say: Callable[[str], None]) -> list[str]:
    """Take the number out of the owner's zone while there still is a key to it; not for long if nobody answers."""
    file = root / _ETC / "phone.toml"
    try:
        if load(file).enum.publish is None:
            return []
    except ConfigError:
        return []
    say("the number is taken out of its zone")
    words = [sys.executable, "-m", "omafon.cli", "enum", "unpublish", "--config", str(file)]
    told = run(words, timeout_s=UNPUBLISH_WITHIN_S)
    if told is not None and told.good:
        return []
    return ["the number may still be published in its zone: take it out there"]


def _board(root: Path) -> str:
    """The hardware, which is no secret and does not change; empty where there is none, or a file of the owner's."""
    try:
        board = load(root / _ETC / "phone.toml").phone.board
    except ConfigError:
        return ""
    return board if "/" not in board and board != PhoneConfig().board else ""


def _as_from_the_box(folder: Path, board: str) -> None:
    """A configuration that says nothing but which hardware this is, so that the display works for the next owner."""
    if folder.is_dir():
        file = folder / "phone.toml"
        file.write_text(f'[phone]\nboard = "{board}"\n' if board else "", encoding="utf-8")
        file.chmod(0o640)
        durable.sync(folder)


def _single_files(root: Path) -> Iterator[Path]:
    yield from (root / wifi.FOLDER).glob(wifi.PATTERN)
    yield from (root / _SSH).glob("ssh_host_*")
    # Where the phone has been: leases, and the access points it saw.
    for pattern in ("*.lease", "internal-*", "seen-bssids", "timestamps"):
        yield from (root / _LEASES).glob(pattern)
    boot = root / _BOOT
    for file in sorted(boot.iterdir()) if boot.is_dir() else ():
        if file.is_file() and file.name.lower().startswith((card.CONFIG, card.KEYS, card.RESULT)):
            yield file


def _forget_logins(root: Path) -> None:
    for name in _LOGINS:
        file = root / name
        if file.is_file():
            empty(file)


def _forget_journal(root: Path, *, here: bool) -> None:
    """Erase the log; of a running journald only what it has finished, after it was told to begin anew."""
    if here:
        run(["journalctl", "--rotate"])
    for folder in _JOURNALS:
        for file in list(files(root / folder)):
            if not here or "@" in file.name:
                erase(file)


def _new_host_keys(root: Path) -> None:
    """Keys of the machine that nobody knows from before, so that its next owner is not mistaken for the last."""
    if (root / _SSH).is_dir():
        run(["ssh-keygen", "-A", *(["-f", str(root)] if root != Path("/") else [])])


def _still_holding(root: Path, canaries: frozenset[bytes]) -> Iterator[Path]:
    places = (_ETC, _STATE, wifi.FOLDER, _LEASES, *_JOURNALS)
    # Not in the kernel, where any word may stand: a copy of the owner's is smaller.
    small = (file for file in files(root / _BOOT) if file.stat().st_size <= LARGEST_FILE)
    hosts = (root / _SSH).glob("ssh_host_*")
    for file in (*(file for place in places for file in files(root / place)), *small, *hosts):
        if _holds(file, canaries):
            yield file


def _holds(file: Path, canaries: frozenset[bytes]) -> bool:
    """Whether one of them stands in `file`, of whatever size."""
    longest = max(map(len, canaries), default=0)
    tail = b""
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            window = tail + block
            if any(canary in window for canary in canaries):
                return True
            tail = window[-longest:]
    return False


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
