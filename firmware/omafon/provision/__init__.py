# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Changes the configuration of a phone that stands far away: wholly or not at all, and back by itself if it does harm.

`secrets` takes the passwords out of the owner's text, `generations` keeps texts and passwords on the disk, `difference`
compares two; `waiting` knows what is not kept yet, and `session` who may keep it; `health` says what must be as good
as before, `settling` looks until it is; `transaction` puts these in order, and `report` tells what became of it.
`world` is what they meet outside.
"""
