# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""A primary server that answers as no good one does: each time a sentence, and nothing is believed."""

import socket
import threading
from collections.abc import Callable, Iterator

import dns.message
import dns.rcode
import dns.tsig
import pytest

from omafon.core.naptr import NaptrRecord
from omafon.drivers.zone import Key, Records, Zone
from omafon.interfaces import DriverError

NAME = "1.2.family.test."
KEY = Key("oma-phone", "hmac-sha256", "c2VjcmV0IG9mIG9tYQ==")
OMA = Records(frozenset({NaptrRecord(100, 10, "u", "E2U+sip", "!^.*$!sip:oma@example.net!", ".")}), 300)
Answering = Callable[[dns.message.Message], bytes]


class Primary:
    """Takes one connection after the other, and answers each question as `answering` says; b"" closes."""

    def __init__(self) -> None:
        self.answering: Answering = refusing(dns.rcode.REFUSED)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.server: tuple[str, int] = self._listening.getsockname()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        # A connection that asks nothing is the sign to end.
        socket.create_connection(self.server).close()
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection, connection.makefile("rb") as asked:
                question = asked.read(int.from_bytes(asked.read(2)))
                if not question:
                    return
                answer = self.answering(dns.message.from_wire(question, keyring=False))
                if answer:
                    connection.sendall(len(answer).to_bytes(2) + answer)


def refusing(code: dns.rcode.Rcode) -> Answering:
    """An answer without a signature."""

    def answer(question: dns.message.Message) -> bytes:
        response = dns.message.make_response(question)
        response.tsig = None
        response.set_rcode(code)
        return response.to_wire()

    return answer


@pytest.fixture
def primary() -> Iterator[Primary]:
    primary = Primary()
    yield primary
    primary.close()


@pytest.mark.parametrize(
    ("answering", "sentence"),
    [
        (refusing(dns.rcode.NOTIMP), "takes no dynamic updates"),
        (refusing(dns.rcode.FORMERR), "takes no dynamic updates"),
        (refusing(dns.rcode.REFUSED), "does not let the key oma-phone change 1.2.family.test."),
        (refusing(dns.rcode.NOTAUTH), "does not keep the zone family.test"),
        (refusing(dns.rcode.NOTZONE), "1.2.family.test. is not in the zone family.test"),
        (refusing(dns.rcode.SERVFAIL), "could not do it"),
        (refusing(dns.rcode.YXDOMAIN), "somebody changed the name"),
        (refusing(dns.rcode.DSOTYPENI), "the server refuses: DSOTYPENI"),
        (refusing(dns.rcode.NOERROR), "the server's answer is not signed"),
        (lambda question: refusing(dns.rcode.NOERROR)(dns.message.make_query("x.", "A")), "answers something else"),
        (lambda question: b"SIP/2.0 200 OK\r\n\r\n", "not with DNS"),
        (lambda question: b"", "not with DNS"),
    ],
)
def test_an_update_that_was_not_made_is_told_in_a_sentence(primary: Primary, answering: Answering, sentence: str):
    primary.answering = answering

    with pytest.raises(DriverError) as refused:
        Zone("family.test", primary.server, KEY).replace(NAME, OMA, old=Records())

    assert sentence in refused.value.what
    assert refused.value.cure.endswith((".", "?"))
    assert KEY.secret not in f"{refused.value.what}{refused.value.cure}"


def forged(question: dns.message.Message) -> bytes:
    """As if the update was made, signed with a key of somebody's own."""
    response = dns.message.make_response(question)
    response.use_tsig(dns.tsig.Key(KEY.name, "YW5vdGhlciBzZWNyZXQ=", KEY.algorithm))
    response.request_mac = question.mac
    return response.to_wire()


def test_an_answer_with_a_forged_signature_is_not_believed(primary: Primary):
    primary.answering = forged

    with pytest.raises(DriverError, match="not signed with the key"):
        Zone("family.test", primary.server, KEY).replace(NAME, OMA, old=Records())


@pytest.mark.parametrize("code", [dns.rcode.NOERROR, dns.rcode.REFUSED, dns.rcode.SERVFAIL])
def test_a_server_that_is_no_authority_is_not_read_from(primary: Primary, code: dns.rcode.Rcode):
    primary.answering = refusing(code)

    with pytest.raises(DriverError, match="does not keep the zone family"):
        Zone("family.test", primary.server, KEY).read(NAME)


def test_a_server_that_is_not_there_is_told_with_its_address():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()

    with pytest.raises(DriverError, match=f"127.0.0.1 port {address[1]} cannot be reached: Connection refused"):
        Zone("family.test", address, KEY).read(NAME)


def test_no_repr_shows_the_secret():
    assert KEY.secret not in repr(KEY)


def test_a_dry_run_tells_what_nsupdate_would_be_told():
    zone = Zone("family.test", ("192.0.2.1", 53), KEY)

    assert zone.in_words(NAME, Records(), old=OMA) == [
        "server 192.0.2.1 53",
        "zone family.test.",
        'prereq yxrrset 1.2.family.test. NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:oma@example.net!" .',
        "update delete 1.2.family.test. NAPTR",
        "send",
    ]
