# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""PJSIP's own C agent, built with the call engine: the same stack as the phone's, without the phone."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from omafon.sim.soundcard import SoundCard, write_asound_conf
from tests.lab.heard import LabError
from tests.lab.program import Program

BUILD = Path(__file__).parents[2] / "image-build" / "engine" / "build"
CODECS = {"opus": "opus", "g722": "G722", "pcma": "PCMA", "pcmu": "PCMU"}


def binary() -> Path:
    """Where the build of the call engine has left the agent. Raises LabError when it has not."""
    done = subprocess.run([BUILD, "--python", sys.executable, "--path"], capture_output=True, text=True)
    path = Path(done.stdout.strip()).parent / "pjsua"
    if done.returncode != 0 or not path.exists():
        raise LabError(f"PJSIP's agent is not built: run {BUILD}")
    return path


class Pjsua:
    """An agent at `address` that answers by itself, driven by its menu; sound through a card of its own, `card`."""

    def __init__(
        self,
        folder: Path,
        address: str,
        user: str,
        *,
        codec: str = "opus",
        registrar: str | None = None,
        password: str = "",
    ) -> None:
        self.address = address
        self.uri = f"sip:{user}@{address}"
        self.registered = registrar is not None
        home = folder / f"pjsua-{user}"
        home.mkdir(parents=True)
        self.card = SoundCard(user)
        account: list[str | Path] = ["--id", f"sip:{user}@{registrar or address}"]
        if registrar:
            account += ["--registrar", f"sip:{registrar}", "--realm", "*", "--username", user, "--password", password]
        self.program = Program(
            [
                # Without stdbuf it keeps what it prints to itself until it prints its menu again.
                *(
                    "stdbuf",
                    "-oL",
                    binary(),
                    "--no-tcp",
                    "--bound-addr",
                    address,
                    "--ip-addr",
                    address,
                    "--local-port",
                    "5060",
                    *account,
                ),
                *("--add-codec", CODECS[codec], "--no-vad", "--ec-tail", "0", "--auto-answer", "200"),
                *("--log-level", "3", "--app-log-level", "3", "--no-color", "--no-tones"),
            ],
            package="coreutils",
            folder=folder,
            name=f"pjsua-{user}",
            env=write_asound_conf(home / "asound.conf", [self.card], default=self.card),
            typed=True,
        )

    def __enter__(self) -> Self:
        try:
            self.program.until_says("registration success" if self.registered else "You have 0 active call")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.program.close()
        self.card.close()

    def opens_the_menu(self) -> None:
        """Choose a new call in the menu, so that `calls` is the one line that sends the INVITE."""
        self.program.types("m")

    def calls(self, uri: str) -> None:
        self.program.types(uri)

    def is_in_a_call(self, *, within_s: float = 5.0) -> None:
        self.program.until_says("state changed to CONFIRMED", within_s=within_s)

    def hangs_up(self) -> None:
        self.program.types("h")
        self.is_left()

    def is_left(self, *, within_s: float = 5.0) -> None:
        self.program.until_says("is DISCONNECTED", within_s=within_s)
