# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The documentation of the action of this name; there is nothing to run on a phone."""

DOCUMENTATION = r"""
module: apply
short_description: Make a text the configuration of an Omafon telephone
version_added: 0.1.0
author: The Omafon authors (@omafon)
description:
  - Sends a C(phone.toml) to the account of the phone's owner, whose forced command checks it and takes it. It goes back
    by itself when a line that was registered is not registered any more, when sound or SSH fail.
  - Confirms it by a new login. If that does not succeed, the phone goes back when the time is over.
  - In check mode the text is checked and compared on the phone, and nothing is changed.
  - Runs on the controller. The phone needs no Python of Ansible's, no shell and no temporary directory.
options:
  template:
    description: A Jinja2 template of the C(phone.toml), found as those of M(ansible.builtin.template) are.
    type: str
  content:
    description: The text itself. Prefer O(template), whose result no log of Ansible's ever shows.
    type: str
  confirm_within:
    description: After so many seconds without a confirmation the phone goes back; 15 to 3600, or 0 to ask for none.
    type: int
    default: 120
  now:
    description: Do not wait for the end of a call that the change cuts off.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Configure the phone
  omafon.phone.apply:
    template: phone.toml.j2
"""

RETURN = r"""
generation:
  description: The number of the configuration in force.
  returned: success
  type: int
previous:
  description: The number of the one before.
  returned: success
  type: int
checks:
  description: What was looked at after the change, and what was found.
  returned: success
  type: list
  elements: dict
"""
