# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon update` as a shell sees it, on a system whose RAUC believes every bundle."""

import fcntl
import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from omafon.cli import main
from omafon.update.bundle import COMPATIBLE
from omafon.update.record import Pending, Record, Told
from tests.lab.one_block import BUNDLE, ROOT, SALT
from tests.lab.renewed import NEW, OLD

RAUC = f"""#!/bin/sh
case "$*" in
    *json*) echo '{{"compatible":"{COMPATIBLE}","version":"{NEW}","build":null}}' ;;
    *) printf "Verity Salt: '{SALT}'\\nVerity Hash: '{ROOT}'\\nVerity Size: 4096\\n" ;;
esac
"""


class Shell:
    """The command line of an owner whose telephone runs OLD, below `root`."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.record = Record(root)
        self.requests = root / "run/omafon-requests"
        self.file = root / "new.raucb"
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        for folder in (self.requests, self.record.incoming.parent, root / "usr/lib", root / "bin"):
            folder.mkdir(parents=True)
        (root / "usr/lib/os-release").write_text(f"IMAGE_VERSION={OLD}\n")
        (root / "bin/rauc").write_text(RAUC)
        (root / "bin/rauc").chmod(0o755)
        monkeypatch.setenv("PATH", f"{root / 'bin'}:/usr/bin:/bin")
        self.file.write_bytes(BUNDLE)

    def does(self, *words: str, sends: bytes | None = None) -> tuple[int, str, str]:
        """The exit code, and what was said on standard output and error."""
        if sends is not None:
            self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sends)))
        code = main(["update", *words, "--root", str(self.root), "--requests", str(self.requests)])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    @contextmanager
    def root_does(self, *stages: Told) -> Iterator[list[bytes]]:
        """Somebody who takes the request, and tells these; yields what was left there."""
        found: list[bytes] = []
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.01):
                for request in list(self.requests.iterdir()):
                    found.extend((request.name.encode(), self.record.incoming.read_bytes()))
                    request.unlink()
                    for told in stages:
                        self.record.tell(told)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield found
        finally:
            over.set()
            watcher.join()


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(tmp_path, capsys, monkeypatch)


RESTARTS = Told("restarting", str(NEW), str(OLD), 100)


def test_a_file_is_received_looked_at_and_handed_over(shell: Shell):
    with shell.root_does(RESTARTS) as found:
        code, _, err = shell.does(str(shell.file))

    assert code == 0
    assert err.splitlines() == [
        "receiving 100 %",
        "looking whether it may be installed",
        f"{NEW} follows {OLD}",
        "the phone starts anew with it, and goes back by itself if it is not as well as before",
    ]
    assert found == [b"update", BUNDLE]
    assert not shell.record.incoming.exists()


def test_standard_input_does_as_well_and_now_is_handed_on(shell: Shell):
    with shell.root_does(RESTARTS) as found:
        code, out, _ = shell.does("-", "--now", "--json", sends=BUNDLE)

    assert code == 0
    assert json.loads(out) == {"outcome": "restarting", "version": str(NEW), "runs": str(OLD)}
    assert found == [b"update-now", BUNDLE]


def test_an_address_is_fetched(shell: Shell):
    with shell.root_does(RESTARTS) as found, offering(BUNDLE) as address:
        code, _, _ = shell.does(address)

    assert code == 0
    assert found[1] == BUNDLE


def test_an_address_where_nothing_is_says_so(shell: Shell):
    with offering(None) as address:
        code, _, err = shell.does(address)

    assert code == 1
    assert err.startswith(f"omafon: {address} cannot be fetched: Not Found\n")


def test_what_root_could_not_do_is_the_end_of_it(shell: Shell):
    failed = Told("failed", str(NEW), str(OLD), why="it could not be written: Input/output error", cure="Look.")
    with shell.root_does(failed):
        code, _, err = shell.does(str(shell.file))

    assert code == 1
    assert err.endswith("omafon: it could not be written: Input/output error\n  Look.\n")


def test_what_is_refused_is_not_handed_over(shell: Shell):
    with shell.root_does() as found:
        code, _, err = shell.does("-", sends=BUNDLE[:4000] + b"!" + BUNDLE[4001:])

    assert code == 1
    assert "omafon: the bundle was altered after it was signed\n" in err
    assert found == []


def test_the_version_that_runs_needs_no_update(shell: Shell):
    (shell.root / "usr/lib/os-release").write_text(f"IMAGE_VERSION={NEW}\n")

    assert shell.does(str(shell.file))[:2] == (0, f"{NEW} runs already\n")


def test_two_at_once_are_one_too_many(shell: Shell):
    with (shell.record.incoming.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        assert shell.does(str(shell.file))[0] == 75


def test_a_system_that_is_no_image_says_so(shell: Shell):
    (shell.root / "usr/lib/os-release").write_text("ID=debian\n")

    code, _, err = shell.does(str(shell.file))

    assert code == 1
    assert err.startswith("omafon: this system cannot be updated so\n")


def test_a_file_that_is_not_there_is_named(shell: Shell):
    assert shell.does("/nowhere.raucb")[2] == "omafon: /nowhere.raucb: No such file or directory\n"


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (Told("good", str(NEW)), f"  {NEW} is good and stays\n"),
        (Told("back", str(NEW), why="line home: gone"), f"  {NEW} is left again\n    line home: gone\n"),
    ],
)
def test_without_a_word_it_tells_how_the_last_one_went(shell: Shell, last: Told, says: str):
    shell.record.begin(Pending(str(NEW), str(OLD), "A", "B"))
    shell.record.end(last)

    assert shell.does() == (0, f"omafon {OLD}\n{says}", "")


@contextmanager
def offering(content: bytes | None) -> Iterator[str]:
    """The address of a server that has this, or nothing."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        log_message: Callable[..., None] = lambda *_: None

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/new.raucb"
        server.shutdown()
        serving.join()
