# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""`python -m omafon.cli` is the `omafon` command."""

import sys

from omafon.cli import main

sys.exit(main())
