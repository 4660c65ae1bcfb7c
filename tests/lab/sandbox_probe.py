# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A program that tries what a telephone must not do, and what it must; it prints one JSON object of what came of each.

Runs inside the service's sandbox, with the standard library alone.
"""

import ctypes
import json
import mmap
import os
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
OF_INIT = Path("/proc/1/status")


def call(name: str, *arguments: object) -> None:
    """A function of the C library that tells failure by -1."""
    function = getattr(LIBC, name)
    function.restype = ctypes.c_long
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def write(path: str) -> None:
    file = Path(path)
    file.write_text("x")
    file.unlink()


def sockets(family: int, kind: int, protocol: int = 0) -> None:
    socket.socket(family, kind, protocol).close()


def writable_and_executable() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def set_user_id() -> None:
    file = Path("/run/probe/program")
    file.touch()
    file.chmod(0o4755)
    if not file.stat().st_mode & stat.S_ISUID:
        raise PermissionError


def block_device() -> None:
    node = "/run/probe/disk"
    os.mknod(node, 0o600 | stat.S_IFBLK, os.makedev(7, 0))
    os.close(os.open(node, os.O_RDONLY))


def port_80() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind(("127.0.0.1", 80))


def udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.sendto(b"x", one.getsockname())


def tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def thread() -> None:
    one = threading.Thread(target=lambda: None)
    one.start()
    one.join()


def ctypes_callback() -> None:
    kind = ctypes.CFUNCTYPE(ctypes.c_int)
    if kind(lambda: 5)() != 5:
        raise ValueError


TRIES: dict[str, Callable[[], object]] = {
    "write /etc": lambda: write("/etc/probe"),
    "write /usr": lambda: write("/usr/probe"),
    "write /etc/omafon": lambda: write("/etc/omafon/probe"),
    "write /var/log": lambda: write("/var/log/probe"),
    "read /home": lambda: list(Path("/home").iterdir()),
    "read /root": lambda: list(Path("/root").iterdir()),
    "read /etc/shadow": lambda: Path("/etc/shadow").read_text(),
    "raw socket": lambda: sockets(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "packet socket": lambda: sockets(socket.AF_PACKET, socket.SOCK_RAW),
    "writable and executable memory": writable_and_executable,
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "set-user-id bit": set_user_id,
    "trace another process": lambda: call("ptrace", 16, 1, None, None),
    "user namespace": lambda: call("unshare", 0x10000000),
    "mount": lambda: call("mount", b"none", b"/run/probe", b"tmpfs", 0, None),
    "open a block device": block_device,
    "become root": lambda: os.setuid(0),
    "see another process": lambda: OF_INIT.read_text(),
    "kernel log": lambda: call("klogctl", 3, ctypes.create_string_buffer(64), 64),
    "load a module": lambda: call("syscall", 175, None, 0, b""),
    "open /dev/mem": lambda: os.close(os.open("/dev/mem", os.O_RDONLY)),
    "bind port 80": port_80,
    "set the host name": lambda: socket.sethostname("probe"),
    "write state": lambda: write(os.environ["STATE_DIRECTORY"] + "/probe"),
    "write the runtime directory": lambda: write("probe"),
    "ask for a reset": lambda: write("/run/omafon-requests/probe"),
    "netlink": lambda: sockets(socket.AF_NETLINK, socket.SOCK_RAW),
    "udp": udp,
    "tcp": tcp,
    "thread": thread,
    "sound cards in /proc": lambda: Path("/proc/cpuinfo").read_text(),
    "ctypes": ctypes_callback,
    "read the configuration": lambda: Path("/etc/omafon/phone.toml").read_text(),
}


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "done"


if __name__ == "__main__":
    print(json.dumps({what: outcome(attempt) for what, attempt in TRIES.items()}))
