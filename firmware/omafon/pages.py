# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which page of the journal's catalog explains what is logged: `journalctl -x` shows it below the line."""

from enum import StrEnum

from omafon.core.causes import Cause
from omafon.core.events import (
    ConfigRefused,
    Driver,
    DriverFailed,
    Event,
    RegistrationChanged,
    ResetFailed,
    RunsWith,
    UpdateStage,
    UpdateTold,
)


class Page(StrEnum):
    """A page of `systemd/catalog/omafon.catalog`, by its MESSAGE_ID (sd_journal_print(3)).

    An id is a page's name for ever; a page that says something else is another page.
    """

    ENGINE = "699cc15e8cba4ed19c4fdddb4facc706"
    DISPLAY = "c3661a53cfa14d0ea533d6d2210ee251"
    KEYPAD = "41728503f6c549b892306e4db0300aaa"
    VOICE = "d2a16904f1f24aabad0e862e17db01e3"
    RINGER = "3dece5f535f04a6aaf9644a4bbe409b3"
    MIXER = "cc1672acf09a4ee386ce20ea74984d77"
    DNS = "03ef3b519cbe4c8093e705dd3f30a834"
    STORE = "72c185554566451e90840dab96704466"
    FAMILY = "e7e3890a3ce60e749b9cc970effdfb16"
    LINE_REFUSED = "00e3b2c9d8f94d1ba38dcc43f6e100b4"
    LINE_UNTRUSTED = "dbde831b1cc5429e8d1fcb620bf2c293"
    LINE_UNREACHED = "71fb2d7ed62d45ab8e61a0aeb30a2957"
    CLOCK = "c62d22310fbe43f88153c72eb05d90c3"
    STRANGER = "3337061ef47c4e979f37a3433244be7a"
    FORGED = "bbec2f171aa749ca8c2a9b851a7c1ebe"
    CONFIGURATION = "196a8afe7ce14fceb6981180a151e663"
    SAFE_MODE = "5ab8f262a29c45908b7cbc2da4b81153"
    RESET = "feeb072aa82945f2aca5f596f328e56b"
    UPDATE = "f7173faec4144097adc08379216b3ff6"
    CONTROL = "4c7ad0da29344c0fa703330d5c43766a"
    DEFECT = "64942cb781704e8ca8256c848dd35138"

    @property
    def mark(self) -> dict[str, str]:
        """What gives a record this page: `log.warning("…", extra=Page.STRANGER.mark)`."""
        return {"page": self.value}


_DRIVERS = {
    Driver.SIP: Page.ENGINE,
    Driver.DISPLAY: Page.DISPLAY,
    Driver.KEYPAD: Page.KEYPAD,
    Driver.VOICE: Page.VOICE,
    Driver.RINGER: Page.RINGER,
    Driver.MIXER: Page.MIXER,
    Driver.DNS: Page.DNS,
    Driver.STORE: Page.STORE,
    Driver.FAMILY: Page.FAMILY,
}

_LINES = {
    Cause.WRONG_PASSWORD: Page.LINE_REFUSED,
    Cause.FORBIDDEN: Page.LINE_REFUSED,
    Cause.NOT_FOUND: Page.LINE_REFUSED,
    Cause.TLS_UNTRUSTED: Page.LINE_UNTRUSTED,
    Cause.CLOCK_NOT_SET: Page.CLOCK,
}

# Warnings and errors of a room, where a record names no page itself.
_ROOMS = {
    "omafon.oled": Page.DISPLAY,
    "omafon.keypad": Page.KEYPAD,
    "omafon.sound": Page.RINGER,
    "omafon.upkeep": Page.CONFIGURATION,
    "omafon.drivers.control": Page.CONTROL,
}


def of_event(event: Event) -> Page | None:
    """The page for an event that asks the owner to act; None for all others."""
    match event:
        case DriverFailed(driver):
            return _DRIVERS[driver]
        case RegistrationChanged(registered=False, cause=Cause() as cause) if cause is not Cause.NORMAL:
            return _LINES.get(cause, Page.LINE_UNREACHED)
        case ConfigRefused(RunsWith.NOTHING):
            return Page.SAFE_MODE
        case ConfigRefused():
            return Page.CONFIGURATION
        case ResetFailed():
            return Page.RESET
        case UpdateTold(UpdateStage.BACK | UpdateStage.FAILED):
            return Page.UPDATE
        case _:
            return None


def of_room(logger: str) -> Page:
    """The page for a warning or an error of `logger` that names none."""
    while logger:
        if logger in _ROOMS:
            return _ROOMS[logger]
        logger = logger.rpartition(".")[0]
    return Page.DEFECT
