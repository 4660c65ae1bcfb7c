# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""How two telephones become a family: octets in, octets and events out, without a socket and without a clock.

`protocol` agrees on a secret and on six digits that people compare; `card` is what the phones then tell each other.
"""
