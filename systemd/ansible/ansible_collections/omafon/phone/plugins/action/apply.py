# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Makes a text the configuration of a phone; see the documentation of the module of this name."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible_collections.omafon.phone.plugins.plugin_utils.account import Account, Answer

ARGUMENTS = {
    "template": {"type": "str"},
    "content": {"type": "str", "no_log": True},
    "confirm_within": {"type": "int", "default": 120},
    "now": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Runs on the controller; on the phone nothing runs but `omafon`."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(
            argument_spec=ARGUMENTS,
            mutually_exclusive=[("template", "content")],
            required_one_of=[("template", "content")],
        )
        within_s = arguments["confirm_within"]
        if within_s and not 15 <= within_s <= 3600:
            raise AnsibleActionFail("confirm_within is 15 to 3600 seconds, or 0: do not ask for a confirmation")
        text = self._text(arguments, task_vars or {})
        account = Account(self._connection)
        if self._task.check_mode or self._task.diff:
            result.update(self._previewed(account, text))
        if self._task.check_mode or result.get("failed"):
            return result
        result.update(self._applied(account, text, within_s, now=arguments["now"]))
        return result

    def _text(self, arguments: dict[str, Any], variables: dict[str, Any]) -> str:
        if arguments["content"] is not None:
            return str(arguments["content"])
        # The lookup, not an argument that holds its result: arguments are what Ansible shows and logs.
        lookup = lookup_loader.get("ansible.builtin.template", loader=self._loader, templar=self._templar)
        return str(lookup.run([arguments["template"]], variables)[0])

    def _previewed(self, account: Account, text: str) -> dict[str, Any]:
        checked = account.asks("check -", text)
        if checked.code:
            return _failure(checked)
        difference = account.asks("diff -", text)
        if difference.code:
            return _failure(difference)
        told = difference.told
        previewed: dict[str, Any] = {"changed": bool(told.get("changed"))}
        if self._task.diff:
            secrets = "".join(f"secret: {secret}\n" for secret in told.get("credentials", ()))
            previewed["diff"] = [{"prepared": str(told.get("diff", "")) + secrets}]
        return previewed

    def _applied(self, account: Account, text: str, within_s: int, *, now: bool) -> dict[str, Any]:
        request = "apply -" + (f" --confirm-within {within_s}" if within_s else "") + (" --now" if now else "")
        applied = account.asks(request, text)
        if applied.code:
            return _failure(applied)
        if applied.told.get("outcome") == "unconfirmed":
            confirmed = account.confirms(within_s)
            if confirmed.code:
                failure = _failure(confirmed)
                failure["msg"] += f"\nThe phone goes back to generation {applied.told.get('previous')} by itself."
                return failure
        return {
            "changed": applied.told.get("outcome") != "unchanged",
            "generation": applied.told.get("generation"),
            "previous": applied.told.get("previous"),
            "checks": applied.told.get("checks", []),
            "msg": applied.told.get("what", ""),
        }


def _failure(answer: Answer) -> dict[str, Any]:
    return {"failed": True, "changed": False, "msg": answer.why, "rc": answer.code}
