# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The wireless networks of the configuration as NetworkManager's keyfiles (nm-settings-keyfile(5)).

Only files that are called `omafon-….nmconnection` are ours: whatever else is configured there stays as it is.
"""

import uuid
from pathlib import Path

from omafon.config import Config, WifiConfig

FOLDER = Path("etc/NetworkManager/system-connections")
PATTERN = "omafon-*.nmconnection"

_NAMESPACE = uuid.UUID("5b7e1c52-6f7e-5d0e-9a44-6f6d61666f6e")
# How GKeyFile spells what it would otherwise read as something else.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def identity(network: WifiConfig) -> uuid.UUID:
    """The connection's, the same for the same name: NetworkManager sees a changed password and not another network."""
    return uuid.uuid5(_NAMESPACE, network.ssid)


def file_name(network: WifiConfig) -> str:
    return f"omafon-{identity(network).hex[:12]}.nmconnection"


def keyfiles(config: Config) -> dict[str, str]:
    """The content of each keyfile that shall be there, by its name; the first network of the configuration first."""
    # NetworkManager takes the highest priority it can see.
    last = len(config.wifi) - 1
    return {file_name(network): keyfile(network, last - place) for place, network in enumerate(config.wifi)}


def keyfile(network: WifiConfig, priority: int = 0) -> str:
    """One network as NetworkManager wants to read it."""
    groups: dict[str, dict[str, str]] = {
        "connection": {
            "id": _text(f"omafon {network.ssid}"),
            "uuid": str(identity(network)),
            "type": "wifi",
            # As often as it takes: nobody is there to click.
            "autoconnect-retries": "0",
            "autoconnect-priority": str(priority),
        },
        "wifi": {
            "mode": "infrastructure",
            "ssid": _ssid(network.ssid),
            # A radio that sleeps between beacons hears calls late, and some never.
            "powersave": "2",
        },
    }
    if network.hidden:
        groups["wifi"]["hidden"] = "true"
    if network.password:
        # Of WPA-PSK; the access point and the phone agree on SAE where both can.
        groups["wifi-security"] = {"key-mgmt": "wpa-psk", "psk": _text(network.password)}
    groups["ipv4"] = {"method": "auto"}
    groups["ipv6"] = {"method": "auto"}
    return "\n".join(
        "\n".join([f"[{name}]", *(f"{key}={value}" for key, value in keys.items()), ""])
        for name, keys in groups.items()
    )


def country(config: Config) -> str:
    """Whose rules the radio keeps."""
    return next((network.country for network in config.wifi if network.country), config.phone.country)


def _ssid(name: str) -> str:
    """As bytes, which a name is: no sign in it can mean anything else to the reader."""
    return "".join(f"{byte};" for byte in name.encode())


def _text(value: str) -> str:
    escaped = value.translate(_ESCAPES)
    # Blanks at either end would be taken off.
    if escaped.startswith(" "):
        escaped = "\\s" + escaped[1:]
    return escaped[:-1] + "\\s" if escaped.endswith(" ") else escaped
