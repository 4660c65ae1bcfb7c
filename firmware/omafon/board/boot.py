# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What the Raspberry Pi has to be told before Linux runs: a device-tree overlay, and the lines of config.txt.

The overlay turns on the buses that a board uses and makes a sound card of its codec, whose ALSA id is
always the same. It claims no pin that the telephone drives itself: those are gpiozero's.
"""

from omafon.board.claims import CARDS, I2C_ADDRESSES, needs_i2c, needs_spi
from omafon.board.profile import BoardProfile, SoundProfile

# The fastest that the controllers of small displays are specified for; the bus comes up at 100 kHz otherwise.
I2C_HZ = 400_000
# The crystal on the modules with this codec; its PLL makes the rates of sound from it, so the codec gives the clock.
WM8960_CRYSTAL_HZ = 24_000_000

_GENERATED = "Written by `omafon board {name}` from the profile of the board. Change that, not this."


def overlay(board: BoardProfile) -> str:
    """The device-tree source of the overlay omafon-NAME, for `dtc -@`."""
    i2c = []
    if board.sound and board.sound.codec == "wm8960":
        i2c = [
            f"omafon_codec: codec@{I2C_ADDRESSES['wm8960']:x} {{",
            '\tcompatible = "wlf,wm8960";',
            f"\treg = <{I2C_ADDRESSES['wm8960']:#x}>;",
            "\t#sound-dai-cells = <0>;",
            "\tclocks = <&omafon_crystal>;",
            '\tclock-names = "mclk";',
            "};",
        ]
    parts = []
    if needs_i2c(board):
        bus = ["#address-cells = <1>;", "#size-cells = <0>;", f"clock-frequency = <{I2C_HZ}>;", 'status = "okay";']
        parts.append(_node("&i2c1", [*bus, *i2c]))
    if needs_spi(board):
        parts.append(_node("&spi0", ['status = "okay";']))
    if board.sound and board.sound.codec == "wm8960":
        parts += [_node("&i2s_clk_consumer", ['status = "okay";']), _node("&{/}", _wm8960(board.sound))]
    if board.sound and board.sound.codec == "max98357a":
        parts += [_node("&i2s_clk_producer", ['status = "okay";']), _node("&{/}", _max98357a(board.sound))]
    head = [
        "// SPDX-License-Identifier: GPL-2.0-or-later",
        f"// {_GENERATED.format(name=f'{board.name} --overlay')}",
        "/dts-v1/;",
        "/plugin/;",
        "",
        _node("/", ['compatible = "brcm,bcm2835";']),
    ]
    return "\n".join([*head, *parts])


def config_txt(board: BoardProfile) -> str:
    """The lines of config.txt that the board needs, to be put at the end of that file."""
    lines = [
        f"# {_GENERATED.format(name=f'{board.name} --boot')}",
        "[all]",
        f"dtoverlay=omafon-{board.name}",
        "# The sockets of the Pi itself make no sound: one card less to mistake for the handset.",
        "dtparam=audio=off",
    ]
    if board.watchdog:
        lines += ["# Starts the Pi again when the kernel hangs.", "dtparam=watchdog=on"]
    if board.serial:
        lines += ["# A console on pins 8 and 10, 115200 baud.", "enable_uart=1"]
    if outputs := _outputs(board):
        lines += ["# Lamps and amplifier stay off until the telephone runs.", f"gpio={outputs}=op,dl"]
    if inputs := _inputs(board):
        lines += ["# Contacts to ground are not left floating.", f"gpio={inputs}=ip,pu"]
    return "\n".join(lines) + "\n"


def _node(name: str, lines: list[str]) -> str:
    return "\n".join([f"{name} {{", *(f"\t{line}".rstrip() for line in lines), "};", ""])


def _wm8960(sound: SoundProfile) -> list[str]:
    return [
        "omafon_crystal: omafon-crystal {",
        '\tcompatible = "fixed-clock";',
        "\t#clock-cells = <0>;",
        f"\tclock-frequency = <{WM8960_CRYSTAL_HZ}>;",
        "};",
        "",
        "omafon-sound {",
        *_card(sound),
        "\tsimple-audio-card,bitclock-master = <&omafon_clock_giver>;",
        "\tsimple-audio-card,frame-master = <&omafon_clock_giver>;",
        '\tsimple-audio-card,widgets = "Headphone", "Ear", "Microphone", "Mouth", "Speaker", "Bell";',
        "\tsimple-audio-card,routing =",
        '\t\t"Ear", "HP_L",',
        '\t\t"Bell", "SPK_RP",',
        '\t\t"Bell", "SPK_RN",',
        '\t\t"Mouth", "MICB",',
        '\t\t"LINPUT1", "Mouth";',
        "\tsimple-audio-card,cpu {",
        "\t\tsound-dai = <&i2s_clk_consumer>;",
        "\t};",
        "\tomafon_clock_giver: simple-audio-card,codec {",
        "\t\tsound-dai = <&omafon_codec>;",
        "\t};",
        "};",
    ]


def _max98357a(sound: SoundProfile) -> list[str]:
    """Its pin SD is left to the telephone, which wakes the amplifier without a click."""
    return [
        "omafon_amplifier: omafon-amplifier {",
        '\tcompatible = "maxim,max98357a";',
        "\t#sound-dai-cells = <0>;",
        "};",
        "",
        "omafon-sound {",
        *_card(sound),
        "\tsimple-audio-card,cpu {",
        "\t\tsound-dai = <&i2s_clk_producer>;",
        "\t};",
        "\tsimple-audio-card,codec {",
        "\t\tsound-dai = <&omafon_amplifier>;",
        "\t};",
        "};",
    ]


def _card(sound: SoundProfile) -> list[str]:
    return [
        '\tcompatible = "simple-audio-card";',
        f'\tsimple-audio-card,name = "{CARDS[sound.codec]}";',
        '\tsimple-audio-card,format = "i2s";',
    ]


def _outputs(board: BoardProfile) -> str:
    lamps = (board.lamps.message, board.lamps.ringer, board.lamps.line) if board.lamps else ()
    return _numbers(*lamps, board.sound.amplifier if board.sound else "")


def _inputs(board: BoardProfile) -> str:
    dial = (board.rotary.pulse, board.rotary.off_normal) if board.rotary else ()
    return _numbers(*board.keys.values(), *dial, board.hook.pin if board.hook else "")


def _numbers(*pins: str) -> str:
    """
    >>> _numbers("gpio17", "", "gpio4")
    '4,17'
    """
    return ",".join(map(str, sorted(int(pin.removeprefix("gpio")) for pin in pins if pin)))
