# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a bundle is, and whether it may be installed here: each refusal is a sentence, and one that says what to do."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from omafon.programs import Ran, run
from omafon.update import verity
from omafon.update.version import Version

COMPATIBLE = "omafon-raspberrypi-arm64"
EXAMINED_WITHIN_S = 120.0

_SALT = re.compile(r"Verity Salt:\S*\s*'([0-9a-f]{64})'")
_ROOT = re.compile(r"Verity Hash:\S*\s*'([0-9a-f]{64})'")
_TREE = re.compile(r"Verity Size:\S*\s*'?(\d+)")
_MINIMUM = re.compile(r"minimum (\S+)")


class BundleRefused(Exception):
    """It is not installed: `what` is wrong with it and the `cure`, each one sentence; `same`: it runs already."""

    def __init__(self, what: str, cure: str, *, same: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure
        self.same = same


@dataclass(frozen=True, slots=True)
class Rauc:
    """RAUC's command with `options` of its own; without any it knows the system's configuration."""

    options: tuple[str, ...] = ()

    def asked(self, *words: str) -> Ran:
        """Raises BundleRefused where there is no RAUC."""
        ran = run(["rauc", *self.options, *words], timeout_s=EXAMINED_WITHIN_S)
        if ran is None:
            raise BundleRefused("this system cannot be updated", "It needs RAUC, and a memory card with two slots.")
        return ran


def examine(bundle: Path, runs: Version, rauc: Rauc) -> Version:
    """The version that `bundle` installs. Raises BundleRefused, and OSError."""
    told = rauc.asked("info", "--output-format=json", str(bundle))
    if not told.good:
        raise _unsigned(told.err)
    try:
        facts = json.loads(told.out)
        compatible, version, build = facts["compatible"], Version.read(facts["version"] or ""), facts["build"] or ""
    except (ValueError, KeyError, TypeError):
        raise BundleRefused("the bundle does not say what it is", "Make it with image-build/bundle.") from None
    if compatible != COMPATIBLE:
        raise BundleRefused(
            f'the bundle is for "{str(compatible)[:60]}", and this is "{COMPATIBLE}"', "Get the one for this computer."
        )
    _may_follow(version, runs, build)
    _is_whole(bundle, rauc)
    return version


def _may_follow(version: Version, runs: Version, build: str) -> None:
    if version.text == runs.text:
        raise BundleRefused(f"{version} runs already", "There is nothing to do.", same=True)
    if version < runs:
        raise BundleRefused(
            f"the bundle is older than what runs: {version}, and here is {runs}",
            "To go back further than the other slot, write the card anew.",
        )
    if found := _MINIMUM.search(build):
        least = Version.read(found[1])
        if runs < least:
            raise BundleRefused(f"{version} can only follow {least}, and here is {runs}", f"Update to {least} first.")


def _is_whole(bundle: Path, rauc: Rauc) -> None:
    told = rauc.asked("info", str(bundle))
    found = [pattern.search(told.out) for pattern in (_SALT, _ROOT, _TREE)]
    if not told.good or not all(found):
        raise BundleRefused("the bundle cannot be checked block by block", "It must have the format verity.")
    salt, root, tree = (match[1] for match in found if match)
    with bundle.open("rb") as opened:
        opened.seek(-8, 2)
        signature = int.from_bytes(opened.read(8), "big")
    if not verity.intact(bundle, bytes.fromhex(salt), bytes.fromhex(root), int(tree), signature):
        raise BundleRefused("the bundle was altered after it was signed", "Fetch it anew.")


def _unsigned(complaint: str) -> BundleRefused:
    """What RAUC's complaint means to a person."""
    said = complaint.lower()
    if "no valid cms" in said or "digest failure" in said or "signature failure" in said or "asn1" in said:
        return BundleRefused("the bundle's signature is broken", "Fetch it anew.")
    if "verify error" in said or "verification failed" in said:
        return BundleRefused(
            "the bundle is signed by somebody this telephone does not know",
            "It takes only those of who made its memory card.",
        )
    if "bundle format" in said or "bundle size" in said or "too small" in said:
        return BundleRefused("this is no bundle, or only a part of one", "Fetch it anew; its name ends with .raucb.")
    return BundleRefused(f"the bundle cannot be read: {complaint[:120]}", "Fetch it anew.")
