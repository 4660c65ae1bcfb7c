# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The telephone as a pure function: an event and the time go in, the next phone and a few actions come out.

Nothing here knows of threads, files, sockets or clocks. `phone.step` is the heart, `present.present` derives what
is seen and heard, `phone.deadline` what is waited for.
"""
