# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How a Screen is drawn. What the phone shows in each of its states is in test_screens.py."""

import time
from pathlib import Path

import pytest
from PIL import Image

from omafon.core.screen import COLUMNS, Icon, Screen
from omafon.fonts import face
from omafon.icons import icon
from omafon.render import HEIGHT, MAIN_FACES, WIDTH, half_blocks, picture, quadrants, render
from tests.lab.golden import GOLDEN, looks_as_approved

SCREENS = {
    "every_latin_letter": Screen("ÄÖÜäöüßéèç€·…", main="ÄÖÜäöüßéèç€·…", note="àâêîôûëïüœæñ", hint="ŁłŠšŽžČčĐđĘę"),
    "greek_and_cyrillic": Screen("Κλήση", main="Олена Шевченко", note="Γιώργος Παππάς", hint="Щорса 5, Київ"),
    "all_icons": Screen(icons=tuple(Icon)[:9], main="0123456789", note="0123456789", hint="0123456789"),
    "widest_lines": Screen("W" * 21, main="W" * 21, note="W" * 21, hint="W" * 21),
    "narrowest_lines": Screen("i" * 21, main="i" * 21, note="i" * 21, hint="i" * 21),
    "crowded_top_line": Screen("Großmutter Elisabeth", "1:02:12", "Oma", icons=(Icon.LOCK, Icon.MUTED, Icon.HELD)),
    "alert": Screen("Anruf", "2/3", "Jürgen", "+49 30 1234567", "Hörer abheben", (Icon.LOCK, Icon.MISSED), alert=True),
    "clock": Screen("Oma", main="20:48", note="Freitag, 22. November", icons=(Icon.LINE,), centred=True),
    "clock_not_set": Screen("Oma", main="--:--", note="Uhr nicht gestellt", centred=True),
    "one_digit": Screen("Bitte wählen", main="7", hint="# oder Taste Anruf"),
    "sip_address": Screen("Ruft an …", main="sip:anna@192.0.2.7", note="direkt / kostenlos"),
    "bar_empty": Screen("Lautstärke Klingel", main="0 %", bar=0, icons=(Icon.RINGER_OFF,)),
    "bar_half": Screen("Lautstärke Hörer", main="50 %", bar=50),
    "bar_full_over_a_line": Screen("Handset volume", main="100 %", note="Oma  00:12", bar=100),
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_looks_as_it_was_approved(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    looks_as_approved(render(SCREENS[name]), f"render/{name}", tmp_path, pytestconfig)


def test_every_approved_picture_has_a_screen() -> None:
    assert {file.stem for file in (GOLDEN / "render").glob("*.png")} == set(SCREENS)


@pytest.mark.parametrize("char", "WMmiÄÖÜäöüßéèç€·…0@")
def test_no_line_of_21_characters_is_cut(char: str) -> None:
    line = char * COLUMNS
    for part in ("title", "main", "note", "hint"):
        whole = render(Screen(**{part: line}))
        shorter = render(Screen(**{part: line[:-1]}))

        assert whole.tobytes() != shorter.tobytes()
        assert face("mono-12").width(line) <= WIDTH


def test_a_title_that_meets_icons_and_corner_is_shortened_with_an_ellipsis() -> None:
    crowded = Screen("Großmutter Elisabeth", "1:02:12", icons=(Icon.LOCK, Icon.MUTED))

    image = render(crowded)

    assert image.tobytes() != render(Screen("Großmutter", "1:02:12", icons=crowded.icons)).tobytes()
    left_of_icons = image.crop((0, 0, WIDTH, 12)).tobytes()
    assert left_of_icons != render(Screen("", "1:02:12", icons=crowded.icons)).crop((0, 0, WIDTH, 12)).tobytes()


def test_letters_that_no_face_has_lose_their_accent_or_become_a_question_mark() -> None:
    plain = render(Screen(main="Nguyen ?"))

    assert render(Screen(main="Nguyễn ☎")).tobytes() == plain.tobytes()


def test_shorter_text_is_never_set_smaller() -> None:
    number = "030 1234 5678 9012 34"
    heights = []

    for length in range(1, len(number) + 1):
        _, top, _, bottom = render(Screen(main=number[:length].strip(), hint="#")).crop((0, 13, WIDTH, 52)).getbbox()
        heights.append(bottom - top)

    assert heights == sorted(heights, reverse=True)
    assert heights[0] > 30


@pytest.mark.parametrize("name", MAIN_FACES)
def test_every_large_face_has_the_digits(name: str) -> None:
    assert face(name).covers("0123456789:")


@pytest.mark.parametrize("which", Icon)
def test_every_icon_is_ten_rows_high_and_not_empty(which: Icon) -> None:
    drawn = icon(which)

    assert drawn.height == 10
    assert drawn.getbbox() is not None


def test_an_alert_turns_the_top_line_black_on_white() -> None:
    calm, alert = (render(Screen("Anruf", main="Oma", alert=a)) for a in (False, True))

    assert not calm.getpixel((127, 0))
    assert alert.getpixel((127, 0))
    assert calm.crop((0, 13, WIDTH, HEIGHT)).tobytes() == alert.crop((0, 13, WIDTH, HEIGHT)).tobytes()


def test_a_picture_takes_less_than_five_milliseconds() -> None:
    for screen in SCREENS.values():
        render(screen)

    began = time.process_time()
    for screen in SCREENS.values():
        render(screen)

    assert (time.process_time() - began) / len(SCREENS) < 0.005


def test_half_blocks_show_two_rows_in_a_line_and_quadrants_two_columns_too() -> None:
    dots = Image.new("1", (4, 4))
    dots.putpixel((0, 0), 1)
    dots.putpixel((1, 1), 1)
    dots.putpixel((3, 2), 1)
    dots.putpixel((3, 3), 1)

    assert half_blocks(dots) == "▀▄  \n   █"
    assert quadrants(dots) == "▚ \n ▐"


def test_the_photograph_is_as_large_as_its_scale_says() -> None:
    photo = picture(render(SCREENS["clock"]), scale=6)

    assert photo.mode == "RGB"
    assert photo.size == (WIDTH * 6 + 24, HEIGHT * 6 + 24)
