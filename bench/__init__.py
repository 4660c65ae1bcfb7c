# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The benchmarks: the telephone beside other agents, each measured in the same run, by the same means.

`python -m bench` prints the table and writes it as JSON to bench/results.
"""
