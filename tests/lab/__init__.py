# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The laboratory: real SIP peers as plain processes, on loopback addresses of their own.

Each peer is a small class with verbs (`far_end.answers()`); each verb waits for what it says with a deadline.
"""
