# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the actions of this collection ask a phone, through Ansible's own SSH connection and the account's commands."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

REFUSED_LOGIN = 255
PAUSE_S = 2.0
# So much before its deadline a confirmation is given up: the phone is about to go back.
MARGIN_S = 5.0


@dataclass(frozen=True)
class Answer:
    """An exit code of `omafon`, what it printed as JSON, and what it said beside that."""

    code: int
    told: dict[str, Any] = field(default_factory=dict)
    said: str = ""

    @property
    def why(self) -> str:
        """What was wrong and what helps, in one line for each."""
        lines = [self.told.get("what", ""), self.told.get("cure", "")]
        for problem in self.told.get("problems", ()):
            place = f"line {problem['line']}: " if problem.get("line") else ""
            lines.append(
                f"{place}{problem['what']} ({problem['cure']})" if problem.get("cure") else place + problem["what"]
            )
        lines += [f"{check['what']}: {check['why']}" for check in self.told.get("checks", ()) if not check["good"]]
        return "\n".join(filter(None, lines)) or self.said or f"it ended with {self.code}"


class Account:
    """The owner's account on the phone at the other end of `connection`, which must be one of SSH."""

    def __init__(self, connection: Any) -> None:
        # Any other would run our requests in a shell, perhaps that of the controller.
        if connection.transport != "ssh":
            raise AnsibleActionFail(f"phones are reached by ssh, not by {connection.transport}: set ansible_connection")
        self._connection = connection

    def asks(self, request: str, text: str = "") -> Answer:
        """What the phone answers to `request` and `text` on its standard input; REFUSED_LOGIN when it cannot be asked.

        No exception: Ansible calls such a host unreachable and goes on with the next, which a roll-out must not.
        """
        try:
            code, out, err = self._connection.exec_command(f"{request} --json", in_data=text.encode(), sudoable=False)
        except AnsibleConnectionFailure as error:
            return Answer(REFUSED_LOGIN, said=str(error).strip())
        said = err.decode(errors="replace").strip()
        try:
            told = json.loads(out)
        except ValueError:
            told = {}
        return Answer(code, told if isinstance(told, dict) else {}, said)

    def confirms(self, within_s: float) -> Answer:
        """The answer to `confirm`, by a login of its own: that a new one succeeds is what it proves."""
        deadline = time.monotonic() + within_s - MARGIN_S
        while True:
            # A connection that is kept for the next task would be the old login.
            self._connection.reset()
            answer = self.asks("confirm")
            if answer.code != REFUSED_LOGIN or time.monotonic() + PAUSE_S > deadline:
                return answer
            time.sleep(PAUSE_S)
