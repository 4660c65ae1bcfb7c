# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a phone is doing; see the documentation of the module of this name."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.omafon.phone.plugins.plugin_utils.account import Account


class ActionModule(ActionBase):
    """Runs on the controller; on the phone nothing runs but `omafon`."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        answer = Account(self._connection).asks("status")
        if answer.code:
            return {**result, "failed": True, "msg": answer.why, "rc": answer.code}
        return {**result, "changed": False, "phone": answer.told}
