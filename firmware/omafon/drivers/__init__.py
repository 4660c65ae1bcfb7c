# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Everything that can break: pins, buses, sockets, C libraries. A driver knows one library and `interfaces`."""
