# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""The directory's door: asks name servers for NAPTR records and proves what they say; the core says what it means.

`resolver` keeps the budgets and the cache, `prepared` reads what it works with, `asking` puts one question to the
`servers` (by `tls` where the owner wants it), `reading` reads the answer. `chain`, `signature` and `denial` prove it by
DNSSEC, from the `anchors` down and at the time that the clock tells. `health` knows the dead trees, `prefetch` the
phone book.
"""

from omafon.clock import Clock
from omafon.drivers.dns.prepared import check_enum
from omafon.drivers.dns.resolver import DnsResolver, Lookup
from omafon.drivers.dns.servers import Server, parse_server

__all__ = ["Clock", "DnsResolver", "Lookup", "Server", "check_enum", "parse_server"]
