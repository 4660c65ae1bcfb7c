# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Another version of the whole system: examined, written beside the running one, tried, and kept or left again.

The engine is RAUC; `boot.scr` counts the attempts. What is decided here is when, and what counts as good.
"""
