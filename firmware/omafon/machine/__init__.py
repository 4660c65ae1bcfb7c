# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The computer around the telephone, as root sees it: how it is set up at first, joins its network, and forgets.

`first_boot` takes what lies on the boot partition (`card` finds and removes it, `keys` looks at the SSH keys in it),
`network_settle` keeps `wifi` and `host_name` as they shall be, `factory_reset` undoes all of that with `erasing`.
"""
