# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: The Omafon authors
"""What a person means by the digits they dial, country by country."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omafon.core.causes import Cause
from omafon.core.dialplan import (
    E164,
    Destination,
    DialError,
    Emergency,
    Number,
    ShortCode,
    SipUri,
    SpeedDial,
    Uri,
    group,
    interpret,
    pretty,
    to_e164,
)

AREAS = {"DE": "30", "AT": "1", "CH": "44", "GB": "20", "US": "212", "IT": "06", "FR": ""}
COUNTRIES = sorted(AREAS)


def meant(digits: str, country: str) -> Destination:
    """What `digits` mean in the capital's area, or in Zurich's or Manhattan's."""
    return interpret(digits, country=country, area=AREAS[country])


@pytest.mark.parametrize(
    ("country", "digits"),
    [
        *(("DE", digits) for digits in ("110", "112")),
        *(("AT", digits) for digits in ("112", "122", "133", "144")),
        *(("CH", digits) for digits in ("112", "117", "118", "144")),
        *(("GB", digits) for digits in ("112", "999")),
        *(("US", digits) for digits in ("112", "911")),
        *(("IT", digits) for digits in ("112", "113", "115", "118")),
        *(("FR", digits) for digits in ("15", "17", "18", "112", "114", "115", "119", "191", "196")),
    ],
)
def test_emergency_numbers_of_the_country_come_before_all_else(country, digits):
    everything = frozenset(range(100))

    assert interpret(digits, country=country, area=AREAS[country], speed_dials=everything) == Emergency(digits)


@pytest.mark.parametrize(("digits", "country"), [("112#", "DE"), (" 112 ", "DE"), ("1-1-2", "DE"), ("911", "CA")])
def test_help_is_called_however_the_digits_were_ended_or_written(digits, country):
    assert isinstance(interpret(digits, country=country, area=""), Emergency)


def test_112_is_an_emergency_number_even_where_the_country_is_not_known():
    assert interpret("112", country="XX", area="") == Emergency("112")


@pytest.mark.parametrize(
    ("country", "digits", "e164"),
    [
        ("DE", "03012345678", "+493012345678"),
        ("DE", "030 123456", "+4930123456"),
        ("DE", "030/123456", "+4930123456"),
        ("DE", "01512 3456789", "+4915123456789"),
        ("DE", "0800 1234567", "+498001234567"),
        ("DE", "0900 1 123456", "+499001123456"),
        ("DE", "123456", "+4930123456"),
        ("DE", "22222", "+493022222"),
        ("DE", "+49 30 123456", "+4930123456"),
        ("DE", "+49 (0)30 123456", "+4930123456"),
        ("DE", "0049 30 123456", "+4930123456"),
        ("DE", "0044 20 7946 0123", "+442079460123"),
        ("DE", "00 1 212 555 0123", "+12125550123"),
        ("DE", "030123456#", "+4930123456"),
        ("DE", "tel:+49-30-123456", "+4930123456"),
        ("DE", "tel:030-123456;x=1", "+4930123456"),
        ("DE", "0180 5 123456", "+491805123456"),
        ("DE", "0137 8 123456", "+491378123456"),
        ("DE", "0700 12345678", "+4970012345678"),
        ("DE", "032 12345678", "+493212345678"),
        ("DE", "19222", "+493019222"),
        ("DE", "030 115", "+4930115"),
        ("DE", "00 800 12345678", "+80012345678"),
        ("AT", "01 12345", "+43112345"),
        ("AT", "0720 123456", "+43720123456"),
        ("AT", "0900 123456", "+43900123456"),
        ("AT", "050 1234", "+43501234"),
        ("AT", "0316 1234", "+433161234"),
        ("AT", "0043 (0)1 12345", "+43112345"),
        ("AT", "00 41 44 668 18 00", "+41446681800"),
        ("AT", "12345", "+43112345"),
        ("AT", "0512 1234", "+435121234"),
        ("AT", "0664 1234567", "+436641234567"),
        ("AT", "1234567", "+4311234567"),
        ("AT", "0043 1 12345", "+43112345"),
        ("AT", "0049 30 123456", "+4930123456"),
        ("CH", "044 668 18 00", "+41446681800"),
        ("CH", "079 123 45 67", "+41791234567"),
        ("CH", "6681800", "+41446681800"),
        ("CH", "0041 44 668 18 00", "+41446681800"),
        ("CH", "0800 123 456", "+41800123456"),
        ("CH", "0900 123 456", "+41900123456"),
        ("CH", "022 123 45 67", "+41221234567"),
        ("CH", "0848 123 456", "+41848123456"),
        ("CH", "00 49 30 123456", "+4930123456"),
        ("CH", "+41 (0)44 668 18 00", "+41446681800"),
        ("GB", "020 7946 0123", "+442079460123"),
        ("GB", "7946 0123", "+442079460123"),
        ("GB", "01632 960083", "+441632960083"),
        ("GB", "07700 900123", "+447700900123"),
        ("GB", "0800 1111", "+448001111"),
        ("GB", "0044 20 7946 0123", "+442079460123"),
        ("GB", "00 49 30 123456", "+4930123456"),
        ("GB", "0300 123 4567", "+443001234567"),
        ("GB", "0909 879 0123", "+449098790123"),
        ("GB", "016977 1234", "+44169771234"),
        ("GB", "0115 496 0123", "+441154960123"),
        ("GB", "00353 1 234 5678", "+35312345678"),
        ("US", "(212) 555-0123", "+12125550123"),
        ("US", "2125550123", "+12125550123"),
        ("US", "1-212-555-0123", "+12125550123"),
        ("US", "555-0123", "+12125550123"),
        ("US", "1 800 555 1234", "+18005551234"),
        ("US", "011 44 20 7946 0123", "+442079460123"),
        ("US", "+44 20 7946 0123", "+442079460123"),
        ("US", "900 555 0123", "+19005550123"),
        ("US", "+1 (212) 555-0123", "+12125550123"),
        ("US", "011 49 30 123456", "+4930123456"),
        ("US", "1 242 322 1234", "+12423221234"),
        ("US", "+52 55 1234 5678", "+525512345678"),
        ("IT", "06 1234 5678", "+390612345678"),
        ("IT", "02 1234567", "+39021234567"),
        ("IT", "333 123 4567", "+393331234567"),
        ("IT", "800 123456", "+39800123456"),
        ("IT", "0044 1632 960083", "+441632960083"),
        ("IT", "011 1234567", "+390111234567"),
        ("IT", "199 123456", "+39199123456"),
        ("IT", "892123", "+39892123"),
        ("IT", "0039 06 1234 5678", "+390612345678"),
        ("IT", "+39 333 1234567", "+393331234567"),
        ("IT", "00 49 30 123456", "+4930123456"),
        ("FR", "01 23 45 67 89", "+33123456789"),
        ("FR", "06 12 34 56 78", "+33612345678"),
        ("FR", "0 800 123 456", "+33800123456"),
        ("FR", "0033 1 23 45 67 89", "+33123456789"),
        ("FR", "+33 1 23 45 67 89", "+33123456789"),
        ("FR", "+33 (0)1 23 45 67 89", "+33123456789"),
        ("FR", "08 92 12 34 56", "+33892123456"),
        ("FR", "09 12 34 56 78", "+33912345678"),
        ("FR", "05 90 12 34 56", "+33590123456"),
        ("FR", "00 44 20 7946 0123", "+442079460123"),
    ],
)
def test_numbers_become_what_the_world_calls_them(country, digits, e164):
    assert meant(digits, country) == Number(E164(e164))


@pytest.mark.parametrize(
    ("country", "digits"),
    [
        ("DE", "115"),
        ("DE", "116117"),
        ("DE", "11833"),
        ("DE", "12"),
        ("DE", "1001"),
        ("DE", "*21*0301234567#"),
        ("DE", "#21#"),
        ("DE", "**1"),
        ("DE", "116116"),
        ("DE", "11880"),
        ("DE", "*31#030123456"),
        ("DE", "*#21#"),
        ("AT", "141"),
        ("AT", "1484"),
        ("AT", "999"),
        ("AT", "*21*0664123456#"),
        ("AT", "1450"),
        ("AT", "118877"),
        ("CH", "143"),
        ("CH", "1414"),
        ("CH", "145"),
        ("CH", "1811"),
        ("CH", "*21*0791234567#"),
        ("GB", "101"),
        ("GB", "111"),
        ("GB", "118118"),
        ("GB", "1471"),
        ("GB", "105"),
        ("GB", "123"),
        ("GB", "116123"),
        ("GB", "*#06#"),
        ("US", "411"),
        ("US", "988"),
        ("US", "*67"),
        ("US", "211"),
        ("US", "811"),
        ("US", "*69"),
        ("US", "*672125550123"),
        ("IT", "187"),
        ("IT", "1500"),
        ("IT", "114"),
        ("IT", "117"),
        ("IT", "1522"),
        ("IT", "116000"),
        ("FR", "3949"),
        ("FR", "118218"),
        ("FR", "3131"),
        ("FR", "116006"),
        ("FR", "1014"),
        ("FR", "123456789"),
    ],
)
def test_services_extensions_and_codes_are_left_to_whoever_carries_the_call(country, digits):
    assert meant(digits, country) == ShortCode(digits)


def test_a_local_number_without_an_own_area_code_is_left_to_the_provider():
    assert interpret("123456", country="DE", area="") == ShortCode("123456")


@pytest.mark.parametrize(
    ("country", "digits"),
    [
        ("DE", ""),
        ("DE", "7"),
        ("DE", "0"),
        ("DE", "00"),
        ("DE", "+"),
        ("DE", "*"),
        ("DE", "##"),
        ("DE", "03"),
        ("DE", "0302"),
        ("DE", "0112"),
        ("DE", "+49112"),
        ("DE", "0049"),
        ("DE", "004930"),
        ("DE", "+1"),
        ("CH", "044 66"),
        ("AT", "01 1"),
        ("CH", "044 668 18 0"),
        ("GB", "0207"),
        ("US", "1"),
        ("US", "1212555"),
        ("US", "01144"),
        ("IT", "12345"),
        ("IT", "06123"),
        ("FR", "0123"),
        ("FR", "01 23 45 67 8"),
    ],
)
def test_too_few_digits_are_incomplete(country, digits):
    with pytest.raises(DialError) as refusal:
        meant(digits, country)

    assert refusal.value.cause is Cause.NUMBER_INCOMPLETE


@pytest.mark.parametrize(
    ("country", "digits"),
    [
        ("DE", "abc"),
        ("DE", "030abc"),
        ("DE", "030#12"),
        ("DE", "0+49"),
        ("DE", "+999123456"),
        ("DE", "+123456789012345678"),
        ("DE", "0" * 30),
        ("DE", "9" * 40),
        ("DE", "٣٤٥٦٧٨"),
        ("DE", "oma@"),
        ("DE", "@"),
        ("DE", "sip:"),
        ("DE", "sip:oma@exa mple.org"),
        ("DE", "sip:oma@example.org\r\nX-Evil: 1"),
        ("US", "21255501234"),
        ("CH", "044 668 18 001"),
        ("FR", "01 23 45 67 89 0"),
        ("GB", "020 7946 01234"),
    ],
)
def test_what_is_no_number_is_invalid(country, digits):
    with pytest.raises(DialError) as refusal:
        meant(digits, country)

    assert refusal.value.cause is Cause.NUMBER_INVALID


@pytest.mark.parametrize(
    ("dialled", "uri"),
    [
        ("sip:oma@example.org", "sip:oma@example.org"),
        ("oma@example.org", "sip:oma@example.org"),
        ("SIPS:oma@example.org", "sips:oma@example.org"),
        ("oma@127.0.0.7:5070", "sip:oma@127.0.0.7:5070"),
        ("sip:oma@[::1]", "sip:oma@[::1]"),
        ("sip:oma@example.org;method=REFER?Subject=x", "sip:oma@example.org"),
    ],
)
def test_a_sip_uri_is_dialled_without_what_would_write_our_request(dialled, uri):
    assert meant(dialled, "DE") == Uri(SipUri(uri))


@pytest.mark.parametrize(("digits", "place"), [("1", 1), ("9", 9), ("15", 15)])
def test_one_or_two_digits_that_name_a_speed_dial_are_one(digits, place):
    assert interpret(digits, country="DE", area="", speed_dials=frozenset({1, 9, 15})) == SpeedDial(place)


def test_a_place_nobody_has_is_no_speed_dial():
    with pytest.raises(DialError):
        interpret("2", country="DE", area="", speed_dials=frozenset({1}))


@pytest.mark.parametrize("text", ["+12", "+441632960083", "+493012345678901"])
def test_a_number_of_e164_is_taken_as_it_stands(text):
    assert to_e164(text) == text


@pytest.mark.parametrize(
    "text", ["", "+", "+1", "112", "+0301234567", "+4930123456789012", "+44-116", "+49800FLOWERS", "+٤٤١٦٣٢", "+44\n"]
)
def test_anything_else_is_no_number_of_e164(text):
    with pytest.raises(DialError):
        to_e164(text)


@pytest.mark.parametrize(
    ("country", "digits", "grouped"),
    [
        ("DE", "", ""),
        ("DE", "030", "030"),
        ("DE", "03012345", "030 12345"),
        ("DE", "004930123456", "00 49 30 123456"),
        ("DE", "+4930123456", "+49 30 123456"),
        ("DE", "*21*030", "*21*030"),
        ("DE", "oma@example.org", "oma@example.org"),
        ("CH", "0446681800", "044 668 18 00"),
        ("FR", "0123456789", "01 23 45 67 89"),
        ("GB", "02079460123", "020 7946 0123"),
        ("US", "2125550123", "(212) 555-0123"),
    ],
)
def test_digits_are_grouped_as_they_are_typed(country, digits, grouped):
    assert group(digits, country) == grouped


@pytest.mark.parametrize(
    ("country", "e164", "shown"),
    [
        ("DE", "+493012345678", "030 12345678"),
        ("US", "+493012345678", "+49 30 12345678"),
        ("US", "+12125550123", "(212) 555-0123"),
        ("FR", "+33123456789", "01 23 45 67 89"),
        ("DE", "+999123", "+999123"),
        ("DE", "", ""),
        ("DE", "anonymous of nowhere at all", "anonymous of nowhere "),
    ],
)
def test_a_number_is_shown_as_people_of_the_country_write_it(country, e164, shown):
    assert pretty(e164, country) == shown


DIALLED = st.one_of(st.text(max_size=24), st.text(alphabet="0123456789*#+", max_size=24))


@given(digits=DIALLED, country=st.sampled_from([*COUNTRIES, "XX", ""]), area=st.sampled_from(["", "30", "1", "06"]))
def test_whatever_is_dialled_is_understood_or_refused(digits, country, area):
    try:
        destination = interpret(digits, country=country, area=area)
    except DialError:
        return

    if isinstance(destination, Number):
        assert to_e164(destination.e164) == destination.e164


@given(digits=DIALLED, country=st.sampled_from([*COUNTRIES, "XX"]))
def test_whatever_is_dialled_can_be_shown(digits, country):
    assert len(pretty(digits, country)) <= 21
    assert "".join(c for c in group(digits, country) if c.isdigit()) == "".join(c for c in digits if c.isdigit())
