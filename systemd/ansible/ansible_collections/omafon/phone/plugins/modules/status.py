# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The documentation of the action of this name; there is nothing to run on a phone."""

DOCUMENTATION = r"""
module: status
short_description: What an Omafon telephone is doing
version_added: 0.1.0
author: The Omafon authors (@omafon)
description:
  - Asks the phone for C(omafon status --json), through the account of its owner.
options: {}
"""

EXAMPLES = r"""
- name: Look at the phone
  omafon.phone.status:
  register: looked
"""

RETURN = r"""
phone:
  description: The status, with the keys of C(docs/for-programs.md).
  returned: success
  type: dict
"""
