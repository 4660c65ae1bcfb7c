# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Which bundles a telephone takes, asked of the real RAUC: only whole, newer ones of who made its card."""

import shutil
from pathlib import Path

import pytest

from omafon.update.bundle import BundleRefused, Rauc, examine
from omafon.update.version import Version
from tests.lab.slots import Maker

RUNS = Version.read("0.2.0+20261101.0900.aaaaaaa")
NEW = "0.2.0+20261122.1845.bbbbbbb"


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("maker"))


@pytest.fixture(scope="module")
def bundle(maker: Maker) -> Path:
    return maker.makes(NEW)


def refusal(bundle: Path, maker: Maker) -> str:
    with pytest.raises(BundleRefused) as refused:
        examine(bundle, RUNS, Rauc((f"--keyring={maker.certificate}",)))
    assert refused.value.cure
    return refused.value.what


def altered(bundle: Path, folder: Path, at: int) -> Path:
    """A copy in which one byte is another; `at` counts from the end when negative."""
    copy = folder / "altered.raucb"
    shutil.copy(bundle, copy)
    with copy.open("r+b") as opened:
        opened.seek(at, 2 if at < 0 else 0)
        byte = opened.read(1)[0]
        opened.seek(-1, 1)
        opened.write(bytes([byte ^ 1]))
    return copy


def test_a_newer_bundle_of_the_maker_is_taken(maker: Maker, bundle: Path):
    assert str(examine(bundle, RUNS, Rauc((f"--keyring={maker.certificate}",)))) == NEW


def test_one_of_somebody_else_is_refused(bundle: Path, tmp_path: Path):
    stranger = Maker(tmp_path)

    assert refusal(bundle, stranger) == "the bundle is signed by somebody this telephone does not know"


@pytest.mark.parametrize("at", [100, 5_000_000, 20_000_000])
def test_one_that_was_altered_after_it_was_signed_is_refused(maker: Maker, bundle: Path, tmp_path: Path, at: int):
    assert refusal(altered(bundle, tmp_path, at), maker) in (
        "the bundle was altered after it was signed",
        "this is no bundle, or only a part of one",
    )


def test_one_whose_signature_was_altered_is_refused(maker: Maker, bundle: Path, tmp_path: Path):
    signature = int.from_bytes(bundle.read_bytes()[-8:], "big")

    for at in (-9, -100, -(signature // 2), -signature):
        assert refusal(altered(bundle, tmp_path, at), maker) in (
            "the bundle's signature is broken",
            "the bundle is signed by somebody this telephone does not know",
        ), at


def test_one_whose_blocks_checksums_were_altered_is_refused(maker: Maker, bundle: Path, tmp_path: Path):
    signature = int.from_bytes(bundle.read_bytes()[-8:], "big")

    what = refusal(altered(bundle, tmp_path, -(8 + signature + 100)), maker)

    assert what == "the bundle was altered after it was signed"


def test_an_older_one_is_refused(maker: Maker):
    older = maker.makes("0.1.9+20261123.1200.ccccccc")

    assert (
        refusal(older, maker) == f"the bundle is older than what runs: 0.1.9+20261123.1200.ccccccc, and here is {RUNS}"
    )


def test_the_one_that_runs_needs_no_update(maker: Maker):
    with pytest.raises(BundleRefused) as refused:
        examine(maker.makes(str(RUNS)), RUNS, Rauc((f"--keyring={maker.certificate}",)))

    assert refused.value.same


def test_one_that_needs_another_in_between_is_refused(maker: Maker):
    far = maker.makes("0.4.0", "--minimum", "0.3.0")

    assert refusal(far, maker) == f"0.4.0 can only follow 0.3.0, and here is {RUNS}"


def test_one_for_another_computer_is_refused(maker: Maker):
    other = maker.makes("0.5.0", "--compatible", "omafon-toaster")

    assert refusal(other, maker).startswith('the bundle is for "omafon-toaster"')


@pytest.mark.parametrize("size", [0, 5, 100_000])
def test_a_part_of_one_is_refused(maker: Maker, bundle: Path, tmp_path: Path, size: int):
    part = tmp_path / "part.raucb"
    part.write_bytes(bundle.read_bytes()[:size])

    assert refusal(part, maker) == "this is no bundle, or only a part of one"


def test_one_that_cannot_be_checked_block_by_block_is_refused(maker: Maker):
    assert refusal(maker.makes_plain("0.6.0"), maker) == "the bundle cannot be checked block by block"
