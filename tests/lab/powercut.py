# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A disk whose power goes: an ext4 on a loop device on a file that is served here, so that every write is seen.

The kernel believes in the file: it is served over /dev/fuse by this module, run as a program. Each write and each flush
of the file system is written down in its order. Afterwards any instant can be looked at as a disk would have it whose
power went just then: all that was flushed, and of what was written since any sectors or none.

Mounting wants root.
"""

import ctypes
import os
import random
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Self

SECTOR = 512
SIZE = 4 * 1024 * 1024
_SUPERBLOCK = range(1024, 2048)
_RECORD = struct.Struct("=BQI")


class Kind(IntEnum):
    """What the disk was told."""

    MARK = 0
    WRITE = 1
    FLUSH = 2


@dataclass(frozen=True, slots=True)
class Cut:
    """A disk after its power went, and what had been marked before that."""

    image: bytes
    marks: tuple[str, ...]

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        """The file system as the next boot finds it."""
        with tempfile.TemporaryDirectory() as folder:
            image, place = Path(folder, "image"), Path(folder, "disk")
            image.write_bytes(self.image)
            place.mkdir()
            _run("mount", "-o", "loop", image, place)
            try:
                yield place
            finally:
                _run("umount", place)


class PowerCutDisk:
    """An ext4 of `SIZE` bytes, mounted at `place` inside its `with`; `cuts` are looked at after that."""

    def __init__(self, folder: Path) -> None:
        if os.geteuid() != 0:
            raise PermissionError("a disk is mounted here: run the tests as root")
        self._blank = folder / "blank"
        self._log = folder / "log"
        self._served = folder / "served"
        self.place = folder / "disk"
        self._loop = ""
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._blank.write_bytes(bytes(SIZE))
        lazy = "lazy_itable_init=0,lazy_journal_init=0,nodiscard"
        _run("mkfs.ext4", "-q", "-F", "-b", "1024", "-E", lazy, self._blank)
        for place in (self._served, self.place):
            place.mkdir()
        words = [sys.executable, __file__, self._served, self._blank, self._log]
        self._server = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert self._server.stdout is not None
        if not self._server.stdout.readline():
            raise OSError("the file of the disk is not served: is there /dev/fuse?")
        self._loop = _run("losetup", "--find", "--show", self._served / "disk")
        _run("mount", "-t", "ext4", self._loop, self.place)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        assert self._server.stdout is not None
        if self._loop:
            _run("umount", self.place)
            _run("losetup", "--detach", self._loop)
        _run("umount", self._served)
        self._server.wait(10)
        self._server.stdout.close()

    def mark(self, what: str) -> None:
        """Write down `what` between the writes: all that were made before are before it."""
        (self._served / "mark").write_text(what)

    def cuts(self, count: int, seed: int) -> Iterator[Cut]:
        """`count` disks whose power went between the first mark and the last; the same for the same `seed`."""
        chance = random.Random(seed)
        records = list(_records(self._log.read_bytes()))
        marked = [i for i, (kind, _, _) in enumerate(records) if kind == Kind.MARK]
        instants = sorted(chance.randint(marked[0], marked[-1]) + 1 for _ in range(count))
        flushed, pending, marks, at = bytearray(self._blank.read_bytes()), [], [], 0
        for instant in instants:
            for kind, offset, data in records[at:instant]:
                match kind:
                    case Kind.MARK:
                        marks.append(data.decode())
                    case Kind.WRITE:
                        pending.append((offset, data))
                    case _:
                        for begin, content in pending:
                            flushed[begin : begin + len(content)] = content
                        pending = []
            at = instant
            yield Cut(_with_some(flushed, pending, chance), tuple(marks))

    @property
    def written(self) -> int:
        """Bytes that were written in all."""
        return sum(len(data) for kind, _, data in _records(self._log.read_bytes()) if kind == Kind.WRITE)


def _with_some(flushed: bytearray, pending: list[tuple[int, bytes]], chance: random.Random) -> bytes:
    """`flushed`, and any sectors of the `pending` writes: between flushes a disk keeps no order, but whole sectors."""
    image = bytearray(flushed)
    survives = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
    torn = chance.random() < 0.5
    for offset, data in pending:
        whole = chance.random() < survives
        for begin in range(0, len(data), SECTOR):
            # Written in place and with a checksum, a torn superblock is the end of any ext4. A card writes it at once.
            if (chance.random() < survives) if torn and offset + begin not in _SUPERBLOCK else whole:
                image[offset + begin : offset + begin + SECTOR] = data[begin : begin + SECTOR]
    return bytes(image)


def _records(log: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at < len(log):
        kind, offset, length = _RECORD.unpack_from(log, at)
        at += _RECORD.size
        yield kind, offset, log[at : at + length]
        at += length


def _run(*words: str | Path) -> str:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{words[0]} {words[-1]}: {done.stderr.strip()}")
    return done.stdout.strip()


# The program: a file system of two files, `disk` and `mark`, as include/uapi/linux/fuse.h has it.


class Op(IntEnum):
    """What the kernel asks for."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    FLUSH = 25
    INIT = 26
    DESTROY = 38
    BATCH_FORGET = 42


_ROOT, _DISK_NODE, _MARK_NODE = 1, 2, 3
_NODES = {b"disk": _DISK_NODE, b"mark": _MARK_NODE}
_DIRECT_IO = 1  # past the page cache: a write of the file system's comes here when it is made
_MOST_WRITTEN = 131_072
_HEADER = struct.Struct("=IIQQIIIHH")
_ENOENT, _ENOSYS = 2, 38


class _Server:
    def __init__(self, device: int, disk: bytearray, log: int) -> None:
        self._device = device
        self._disk = disk
        self._log = log

    def serve(self) -> None:
        """Until it is unmounted."""
        while True:
            try:
                request = os.read(self._device, _MOST_WRITTEN + 4096)
            except OSError:
                return  # ENODEV
            _, opcode, unique, node, *_ = _HEADER.unpack_from(request)
            body = memoryview(request)[_HEADER.size :]
            if opcode in (Op.FORGET, Op.BATCH_FORGET):
                continue
            answer = self._answered(opcode, node, body)
            error, content = (-answer, b"") if isinstance(answer, int) else (0, answer)
            os.write(self._device, struct.pack("=IiQ", 16 + len(content), error, unique) + content)
            if opcode == Op.DESTROY:
                return

    def _answered(self, opcode: int, node: int, body: memoryview) -> bytes | int:
        match opcode:
            case Op.INIT:
                return struct.pack("=IIIIHHIIHHI28x", 7, 31, 131_072, 0, 16, 12, _MOST_WRITTEN, 1, 0, 0, 0)
            case Op.LOOKUP:
                found = _NODES.get(bytes(body).rstrip(b"\0"))
                if found is None:
                    return _ENOENT
                return struct.pack("=QQQQII", found, 0, 3600, 3600, 0, 0) + self._attributes(found)
            case Op.GETATTR | Op.SETATTR:
                return struct.pack("=QII", 3600, 0, 0) + self._attributes(node)
            case Op.OPEN:
                return struct.pack("=QII", 0, _DIRECT_IO, 0)
            case Op.READ:
                _, offset, size = struct.unpack_from("=QQI", body)
                return bytes(self._disk[offset : offset + size])
            case Op.WRITE:
                _, offset, size = struct.unpack_from("=QQI", body)
                self._write(node, offset, bytes(body[40 : 40 + size]))
                return struct.pack("=II", size, 0)
            case Op.STATFS:
                return bytes(80)
            case Op.FSYNC:
                os.write(self._log, _RECORD.pack(Kind.FLUSH, 0, 0))
                return b""
            case Op.RELEASE | Op.FLUSH | Op.DESTROY:
                return b""
            case _:
                return _ENOSYS

    def _write(self, node: int, offset: int, data: bytes) -> None:
        if node == _DISK_NODE:
            self._disk[offset : offset + len(data)] = data
        kind = Kind.WRITE if node == _DISK_NODE else Kind.MARK
        os.write(self._log, _RECORD.pack(kind, offset, len(data)) + data)

    def _attributes(self, node: int) -> bytes:
        mode = 0o040755 if node == _ROOT else 0o100600
        size = len(self._disk) if node == _DISK_NODE else 0
        return struct.pack("=6Q10I", node, size, size // SECTOR, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def _serve(place: Path, blank: Path, log: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    if libc.mount(b"powercut", os.fsencode(place), b"fuse", 6, options.encode()) != 0:  # MS_NOSUID | MS_NODEV
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(place))
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    print("served", flush=True)
    _Server(device, bytearray(blank.read_bytes()), written).serve()


if __name__ == "__main__":
    _serve(*map(Path, sys.argv[1:4]))
