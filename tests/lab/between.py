# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""Those who want into a family without being asked, as programs of their own: `python -m tests.lab.between ACT …`.

relay HERE THERE    stands between two networks and speaks with a phone in each, live, with keys of its own; says yes to
                    both at once and hands over a card of its own. Tells the digits that each phone must be showing.
pairing HERE FILE   says to a phone that wants to be paired what FILE holds: the words of a caller of another time.
call HOST FILE      says to the port of the family at HOST what FILE holds; tells how much came back.
"""

import asyncio
import sys
import tempfile
from collections import deque
from contextlib import suppress
from pathlib import Path

from omafon.core.memory import Address, Reach
from omafon.drivers.lan.discovery import Discovery, listening
from omafon.drivers.lan.meeting import SERVICE
from omafon.identity import Identity, identity
from omafon.pairing.card import Card
from omafon.pairing.protocol import Agreed, Agreement, Digits, Introduced, ProtocolError, Refused, Role

PORT = 5061

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]

# A name less than any other calls, one that is greater is called.
FIRST, LAST = "omafon-!", "omafon-zz"


async def relay(here: str, there: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        own = identity(Path(folder))
        # The caller commits first: what the listener shares can still be chosen by then.
        await asyncio.gather(_deceive(here, Role.LISTENER, own), _deceive(there, Role.CALLER, own))


async def _deceive(address: str, role: Role, own: Identity) -> None:
    """Be the other phone for the one that is found at this side."""
    reader, writer = await _meet(address, role)
    agreement = Agreement(role)
    card = Card("Oma", "+493012345699", (Address(address, PORT, Reach.LAN),), own.certificate)
    while True:
        writer.write(agreement.to_send())
        try:
            outcomes = agreement.receive(await reader.read(4096))
        except ProtocolError:
            say(f"{address} parted")
            return
        left = deque(outcomes)
        while left:
            match left.popleft():
                case Digits(digits):
                    say(f"{address} shows {digits}")
                    left.extend(agreement.agree())
                case Agreed(transcript):
                    agreement.introduce(card.signed(own.file, transcript))
                case Introduced():
                    say(f"{address} gave its card away")
                case Refused():
                    say(f"{address} said no")
                    return


async def _meet(address: str, role: Role) -> Ends:
    met: asyncio.Queue[Ends] = asyncio.Queue()
    listener = listening(address)
    server = await asyncio.start_server(lambda *ends: met.put_nowait(ends), sock=listener)
    name = (LAST if role is Role.LISTENER else FIRST) + address.replace(".", "-")
    try:
        async with Discovery(SERVICE, name, listener.getsockname()[1], address) as discovery:
            if role is Role.LISTENER:
                return await met.get()
            while (found := await discovery.found.get()).name.startswith((FIRST, LAST)):
                continue
            return await asyncio.open_connection(found.hosts[0], found.port, local_addr=(address, 0))
    finally:
        server.close()


async def pairing(here: str, file: str) -> None:
    reader, writer = await _meet(here, Role.CALLER)
    said = Path(file).read_bytes()
    # The first message is answered with the share; then comes all the rest.
    length = 2 + int.from_bytes(said[:2])
    writer.write(said[:length])
    heard = await reader.read(4096)
    writer.write(said[length:])
    heard += await reader.read()
    say(f"heard {len(heard)} octets")
    writer.close()


async def call(host: str, file: str) -> None:
    reader, writer = await asyncio.open_connection(host, PORT)
    writer.write(Path(file).read_bytes())
    heard = b""
    with suppress(ConnectionResetError):
        heard = await reader.read()
    say(f"heard {len(heard)} octets")
    writer.close()


def say(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    act = {"relay": relay, "pairing": pairing, "call": call}[sys.argv[1]]
    asyncio.run(act(*sys.argv[2:]))
