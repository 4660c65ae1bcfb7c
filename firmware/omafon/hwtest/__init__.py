# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`omafon hwtest`: a person and a terminal find out which parts of a telephone work, before any network or account.

What is asked, said and concluded is a sequence that touches nothing: `sequence` leads from part to part, `touch` and
`senses` are the scripts of the parts, `copper` knows what closed contacts mean. The
apparatus at its edge: `pins`, `cards` and `apparatus`, which joins them; `terminal` is the person, `report` the file.
"""
