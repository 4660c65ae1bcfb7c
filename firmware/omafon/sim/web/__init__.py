# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A web page with a handset for every phone of this machine: `serve` starts it; the page lies beside."""

from omafon.sim.web.server import Levels, WebPanel, serve

__all__ = ["Levels", "WebPanel", "serve"]
