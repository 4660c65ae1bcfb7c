# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What keeps a telephone running, whatever its owner writes: live changes, the last good configuration, safe mode.

`configuration` reads what the owner wrote, `changes` compares it with what runs, `reloading` takes it; `starts` counts
how often the phone did not come up, `last_good` keeps what it came up with, and `choosing` decides what it starts with.
"""
