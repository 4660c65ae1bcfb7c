# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The boards that Omafon knows, and a builder's own: what a file of a board may say, and what is wrong with it."""

import pytest

from omafon.board import BoardProfile, DisplayProfile, HookProfile, board_names, load_board, parse_board
from omafon.cli import main
from omafon.config import ConfigError

KEYS = '[["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"], ["call", "0", "end"]]'
KEYPAD = f"""\
name = "mine"
[keypad]
rows = ["gpio17", "gpio27", "gpio22", "gpio10"]
columns = ["gpio9", "gpio11", "gpio5"]
keys = {KEYS}
"""
OLED = '[display]\nwidth = 128\nheight = 64\ndriver = "ssd1306"\n'


def refused(text: str) -> list[tuple[int | None, str, str]]:
    """The line, what is wrong and the cure of each problem of the board that `text` describes."""
    with pytest.raises(ConfigError) as error:
        parse_board(text)
    return [(problem.line, problem.what, problem.cure) for problem in error.value.problems]


def the_problem(text: str) -> tuple[int | None, str, str]:
    (problem,) = refused(text)
    return problem


def test_the_virtual_board_has_a_display_and_no_pins():
    assert load_board("virtual") == BoardProfile("virtual", DisplayProfile(128, 64))


@pytest.mark.parametrize("name", board_names())
def test_every_board_can_be_loaded_by_its_own_name(name):
    assert load_board(name).name == name


def test_the_boards_of_the_house_are_a_desk_telephone_a_plugged_one_an_old_one_and_none():
    assert board_names() == ["mk1", "rotary", "usb", "virtual"]


def test_a_builders_own_board_is_a_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n')

    assert load_board(str(file)) == BoardProfile("mine")


def test_a_board_nobody_knows_is_an_error_with_a_suggestion():
    with pytest.raises(ConfigError, match='there is no board "virtaul"\n  Did you mean "virtual"\\?'):
        load_board("virtaul")


def test_a_boards_file_that_is_not_there_is_an_error_with_a_place_to_begin():
    with pytest.raises(ConfigError, match=r"mine.toml: there is no such file\n  Copy .* hw/boards/mk1.toml"):
        load_board("./mine.toml")


def test_an_error_in_a_board_has_its_line(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n[display]\nwidth = 128\nhieght = 64\n')

    with pytest.raises(ConfigError) as error:
        load_board(str(file))

    assert [(problem.line, problem.key) for problem in error.value.problems] == [
        (2, "display.height"),
        (4, "display.hieght"),
    ]
    assert error.value.problems[0].cure == "Add it: height = …"


# Pins.


def test_a_pin_that_is_used_twice_names_both_uses_and_the_free_pins():
    line, what, cure = the_problem(KEYPAD + '[hook]\npin = "gpio27"\n')

    assert (line, what) == (7, "hook.pin is gpio27, which is row 2 of the keypad (line 3)")
    assert cure == (
        "Free are gpio2, gpio3, gpio4, gpio6, gpio7, gpio8, gpio12, gpio13, gpio14, gpio15, gpio16, gpio18, gpio19, "
        "gpio20, gpio21, gpio23, gpio24, gpio25, gpio26."
    )


@pytest.mark.parametrize(
    ("table", "pin", "use"),
    [
        (OLED, "gpio2", "SDA of I²C (line 9)"),
        (
            OLED.replace("height", 'bus = "spi"\ndata_command = "gpio4"\nheight'),
            "gpio8",
            "CE0 of SPI (line 8)",
        ),
        ('[sound]\nringer = "CARD=Bell"\ncodec = "max98357a"\n', "gpio19", "LRCLK of I²S (line 8)"),
        ('[sound]\nvoice = "CARD=A"\ncodec = "wm8960"\n', "gpio3", "SCL of I²C (line 8)"),
        ("", "gpio15", "RXD of the serial console (line 2)"),
        ("", "gpio1", "the clock of the HAT's EEPROM"),
    ],
)
def test_a_pin_of_a_bus_in_use_is_not_free(table, pin, use):
    serial = "serial = true\n" if "console" in use else ""
    first = 'name = "mine"\n' + (serial or "pi = []\n")

    _, what, _ = the_problem(first + f'[hook]\npin = "{pin}"\n[lamps]\n' + table)

    assert what == f"hook.pin is {pin}, which is {use}"


def test_a_pin_of_a_bus_that_is_not_in_use_is_free():
    assert parse_board('name = "mine"\n[hook]\npin = "gpio2"\n').hook == HookProfile("gpio2")


@pytest.mark.parametrize(
    ("written", "cure"),
    [
        ("GPIO17", 'Did you mean "gpio17"?'),
        ("17", 'Did you mean "gpio17"?'),
        ("BCM 17", 'Did you mean "gpio17"?'),
        ("gpio04", 'Did you mean "gpio4"?'),
        ("pin 11", 'Did you mean "gpio17"? It is on pin 11 of the header.'),
        ("pin 6", 'Write the Broadcom number, as in "gpio17": gpio2 to gpio27 are on the header.'),
        ("gpio40", 'Write the Broadcom number, as in "gpio17": gpio2 to gpio27 are on the header.'),
        ("", 'Write the Broadcom number, as in "gpio17": gpio2 to gpio27 are on the header.'),
    ],
)
def test_what_is_no_pin_is_told_with_the_pin_that_was_meant(written, cure):
    problem = the_problem(f'name = "mine"\n[hook]\npin = "{written}"\n')

    assert problem == (3, f'hook.pin "{written}" is not a pin', cure)


# Keys.


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        (KEYS.replace(', ["call", "0", "end"]', ""), "keypad.keys has 3 lists of legends for 4 rows"),
        (KEYS.replace('"3"', '"3", "*"'), "keypad.keys has 4 legends in row 1, for 3 columns"),
        (KEYS.replace('"call"', '"cal"'), 'keypad.keys "cal" is no key of a telephone'),
        (KEYS.replace('"call"', '"end"'), 'keypad.keys "end" is on another key in line 5 too'),
        (KEYS.replace('"9"', '""'), "keypad.keys has no key 9"),
        (KEYS.replace('"call"', '""'), "keypad.keys has no key to take a call with, and there is no hook switch"),
        (KEYS.replace('"end"', '"up"'), "keypad.keys has no key to end a call with, and there is no hook switch"),
    ],
)
def test_a_matrix_that_cannot_work_is_refused(keys, what):
    assert what in [told for _, told, _ in refused(KEYPAD.replace(KEYS, keys))]


@pytest.mark.parametrize(
    ("rows", "columns", "what"),
    [(6, 1, "keypad.rows holds 6 pins"), (1, 6, "keypad.columns holds 6 pins"), (1, 0, "keypad.columns holds 0 pins")],
)
def test_a_keypad_has_one_to_five_rows_and_columns(rows, columns, what):
    pins = [f"gpio{number}" for number in range(2, 27)]
    keys = [[""] * columns] * rows
    text = f'name = "mine"\n[keypad]\nrows = {pins[:rows]}\ncolumns = {pins[-columns:][:columns]}\nkeys = {keys}\n'

    assert the_problem(text)[1:] == (what, "A keypad has 1 to 5 of them, one pin each.")


def test_a_place_in_the_matrix_may_have_no_key():
    board = parse_board(
        KEYPAD.replace('"1"', '"", "1"')
        .replace('"gpio5"]', '"gpio5", "gpio6"]')
        .replace('"4"', '"*", "4"')
        .replace('"7"', '"", "7"')
        .replace('"call"', '"#", "call"')
    )

    assert board.keypad is not None
    assert board.keypad.keys[0] == ("", "1", "2", "3")


def test_a_legend_is_on_one_key_whether_in_the_matrix_or_beside_it():
    _, what, _ = the_problem(KEYPAD + '[keys]\n"9" = "gpio20"\n')

    assert what == 'keys.9 "9" is on another key in line 5 too'


def test_a_dial_needs_a_hook_switch_or_keys_that_stand_for_it():
    dial = 'name = "mine"\n[rotary]\npulse = "gpio17"\n'

    assert [what for _, what, _ in refused(dial)] == [
        "rotary has no key to end a call with, and there is no hook switch",
        "rotary has no key to take a call with, and there is no hook switch",
    ]
    assert parse_board(dial + '[keys]\ncall = "gpio20"\nend = "gpio21"\n').rotary is not None
    assert parse_board(dial + '[hook]\npin = "gpio20"\n').rotary is not None


# The display and the sound.


@pytest.mark.parametrize(
    ("change", "what", "cure"),
    [
        (("height = 64", "height = 32"), "display is 128 × 32 pixels, and no ssd1306 that is large enough is",
         "Choose from: 128 × 64."),
        (("height", "rotate = 90\nheight"), "display.rotate is only 64 pixels wide when it is turned by 90",
         "Write rotate = 0, or 180 to turn it upside down."),
        (("ssd1306", "sd1306"), 'display.driver "sd1306" is not known', 'Did you mean "ssd1306"?'),
        (("height", "rotate = 45\nheight"), "display.rotate 45 is not known", "Choose from: 0, 90, 180, 270."),
        (("height", 'rotate = "90"\nheight'), "display.rotate must be a whole number, not a text",
         "Choose from: 0, 90, 180, 270."),
        (("height", "contrast = 256\nheight"), "display.contrast is out of range", "Choose from 0 to 255."),
        (("height", "address = 0x78\nheight"), "display.address 0x78 is no address on I²C",
         "It is printed on the module: 0x3c or 0x3d; 0x78 and 0x7a there mean the same, counted twice."),
        (("height", "port = 0\nheight"), "display.port 0 is not on the header",
         "Write port = 1 for I²C, or nothing."),
        (("height", 'bus = "spi"\nport = 1\ndata_command = "gpio4"\nheight'), "display.port 1 is not on the header",
         "Write port = 0 for SPI, or nothing."),
        (("height", 'data_command = "gpio4"\nheight'), "display.data_command is of SPI",
         'Leave it out, or write bus = "spi".'),
        (("height", 'bus = "spi"\nheight'), "display.data_command is missing",
         'Name the pin of D/C: data_command = "gpio24".'),
    ],
)  # fmt: skip
def test_a_display_that_cannot_work_is_refused(change, what, cure):
    assert the_problem('name = "mine"\n' + OLED.replace(*change))[1:] == (what, cure)


def test_the_display_and_the_codec_have_addresses_of_their_own():
    sound = '[sound]\ncodec = "wm8960"\nvoice = "CARD=Handset"\n'

    _, what, _ = the_problem('name = "mine"\n' + OLED + "address = 0x1a\n" + sound)

    assert what == "display.address 0x1a is that of the wm8960"


def test_a_sound_card_is_never_an_index():
    _, what, _ = the_problem('name = "mine"\n[sound]\nvoice = "hw:1"\n')

    assert what == 'sound.voice "hw:1" counts sound cards, and their order changes'


@pytest.mark.parametrize("value", ["2", "110%", "On", "-6dB"])
def test_a_mixer_is_set_to_on_off_or_a_percent(value):
    line, what, _ = the_problem(f'name = "mine"\n[sound.mixer]\nMic = "67%"\nPCM = "{value}"\n')

    assert (line, what) == (4, f'sound.mixer.PCM "{value}" is nothing a mixer can be set to')


def test_everything_that_is_wrong_is_told_at_once():
    text = KEYPAD + OLED.replace("64", "63") + 'port = "1"\n[hook]\npin = "gpio17"\nclosd = "on-hook"\n'

    assert [(line, what) for line, what, _ in refused(text)] == [
        (6, "display is 128 × 63 pixels, and no ssd1306 that is large enough is"),
        (10, "display.port must be a whole number, not a text"),
        (12, "hook.pin is gpio17, which is row 1 of the keypad (line 3)"),
        (13, 'unknown key "closd"'),
    ]


# The command.


def test_the_command_lists_the_boards_and_tells_the_wires_of_one(capsys):
    assert main(["board"]) == 0
    assert capsys.readouterr().out.split() == board_names()

    assert main(["board", "mk1"]) == 0
    assert " 16  gpio23         turquoise  Hook switch   contact" in capsys.readouterr().out


def test_the_command_refuses_a_board_that_cannot_work(tmp_path, capsys):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n[hook]\npin = "gpio99"\n')

    assert main(["board", str(file)]) == 78
    assert f'{file}, line 3: hook.pin "gpio99" is not a pin' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("form", "beginning"),
    [
        ("--json", '{"name": "usb"'),
        ("--schema", "{\n"),
        ("--wiring", "<svg "),
        ("--overlay", "// SPDX"),
        ("--boot", "#"),
    ],
)
def test_the_command_writes_every_form_of_a_board(form, beginning, capsys):
    assert main(["board", "usb", form]) == 0
    assert capsys.readouterr().out.startswith(beginning)
