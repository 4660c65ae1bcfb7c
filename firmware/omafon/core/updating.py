# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the display says of another version of the system, which root writes and judges."""

from dataclasses import replace

from omafon.core.events import UpdateStage, UpdateTold
from omafon.core.screen import COLUMNS
from omafon.core.state import Notice, Phone
from omafon.core.words import word

_SAYS = {
    UpdateStage.INSTALLING: ("update_writing", "update_power"),
    UpdateStage.RESTARTING: ("update_restarting", "update_power"),
    UpdateStage.JUDGING: ("update_judging", "update_power"),
    UpdateStage.GOOD: ("update_good", ""),
    UpdateStage.BACK: ("update_back", "update_as_before"),
    UpdateStage.FAILED: ("update_failed", "update_as_before"),
}
_ENDS = (UpdateStage.GOOD, UpdateStage.BACK, UpdateStage.FAILED)


def told(phone: Phone, event: UpdateTold, now: float) -> Phone:
    """The phone that knows how far it is; who waits for it to be unused is not told on the display."""
    phone = replace(phone, update=event)
    if event.stage not in _SAYS:
        return phone
    language = phone.settings.language
    what, hint = _SAYS[event.stage]
    release = event.version.partition("+")[0][:COLUMNS]
    rows = (word("update", language), release, word(what, language, n=event.percent), hint and word(hint, language))
    # Only how it ended is worth waking the display for.
    return replace(phone, notice=Notice(rows, now), touched=now if event.stage in _ENDS else phone.touched)
