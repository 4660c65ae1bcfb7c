# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The telephone without hardware: the same interfaces, another choice of drivers, shipped in the product."""
