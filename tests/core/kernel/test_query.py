"""The filter language: every operator on every kind of field finds the same rows in either database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bo.core.kernel.errors import BadInput, BadValue, BoError, UsageError
from bo.core.kernel.query import FILTER_MOST, Condition, Filter, Reading, parse_filter
from bo.core.kernel.record import info_of
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import CONTEXT, NewOffice, everything_in
from tests.core.kernel.office.records import Slip, Ticket
from tests.core.kernel.stock import stock

ALL = "1 2 3 4 5 6"


def found_by(office: Workspace, text: str) -> str:
    """The places of the tickets that a filter finds; the one without a number is the sixth."""
    rows = office.reader().page("tickets", text, fields=("number",)).rows
    assert office.reader().count("tickets", text) == len(rows)
    return " ".join(sorted("6" if number is None else str(number)[2:] for (number,) in rows))


FILTERS = {
    # text
    "name:Ann": "1",
    "name=Ann": "1",
    "name:Ann,ann": "1 2",
    "name!=Ann": "2 3 4 5 6",
    "-name:Ann": "2 3 4 5 6",
    "-name:Ann,ann": "3 4 5 6",
    "name:an*": "1 2",
    "name:*n": "1 2",
    "name:*O*": "3 6",
    "name~N": "1 2",
    "name~_": "3",
    "name~%": "",
    "-name~n": "3 4 5 6",
    "name~小": "4",
    'name:"Bob_1"': "3",
    "name>a": "2 4",
    "name>=ann name<b": "2",
    "name:none": "5",
    "name:": "5",
    "-name:none": "1 2 3 4 6",
    "name:any": "1 2 3 4 6",
    "-name:any": "5",
    "name:*": "1 2 3 4 6",
    "number:none": "6",
    "number:T-1,T-4,T-9": "1 4",
    "-number:T-1": "2 3 4 5 6",
    "number>=T-4": "4 5",
    "note~100%": "2",
    "note~\\": "3",
    'note~"café"': "1",
    "note~cafe_": "4",
    "note~it's": "6",
    # choices
    "state:new": "1 4",
    "state:given,closed": "2 3 5 6",
    "-state:new": "2 3 5 6",
    "-state:new,given": "2 6",
    # phones
    "phone:13800138000": "1",
    "phone:+8613800138000": "1",
    "phone:8000": "1",
    "phone:*138*": "1 5",
    "phone~415555": "3",
    "phone:13800138000,13800138001": "1 5",
    "phone:none": "4 6",
    "-phone:8000": "2 3 4 5 6",
    # amounts and flags
    "amount:500": "1",
    "amount>500": "2 6",
    "amount>=500": "1 2 6",
    "amount<0": "4",
    "amount<=0": "4 5",
    "amount:500,0": "1 5",
    "-amount>500": "1 3 4 5",
    "amount:0..500": "1 5",
    "-amount:0..500": "2 3 4 6",
    "amount:none": "3",
    "amount:any": "1 2 4 5 6",
    "urgent:yes": "1 4",
    "urgent:no": "2 3 5 6",
    "-urgent:yes": "2 3 5 6",
    # days
    "due:2026-11-02": "2 6",
    "due>2026-11-02": "4 5",
    "due>=2026-11-02": "2 4 5 6",
    "due<2026-11-02": "1",
    "due<=2026-11-02": "1 2 6",
    "-due<=2026-11-02": "3 4 5",
    "due:2026-11-01..2026-11-02": "1 2 6",
    "-due:2026-11-01..2026-11-02": "3 4 5",
    "due:yesterday..+1d": "1 2 4 6",
    "due:none": "3",
    "due:today": "2 6",
    "due<today": "1",
    "due:tomorrow": "4",
    "due:yesterday": "1",
    "due:今天": "2 6",
    "due<=+1d": "1 2 4 6",
    "due>30d": "5",
    "due:now": "2 6",
    "due:24h": "4",
    # moments: opened at 20:00 in Shanghai from 30 October on; now is 2 November, a quarter past nine
    "created:2026-11-01": "3",
    "created>=2026-11-01": "3 4 5 6",
    "created>2026-11-01": "4 5 6",
    "created<2026-11-01": "1 2",
    "created<=2026-11-01": "1 2 3",
    "created<now": "1 2 3",
    "created>=-2d": "2 3 4 5 6",
    "created>-24h": "3 4 5 6",
    "created<-2000m": "1 2",
    "created:yesterday": "3",
    'created<"2026-11-01 20:00"': "1 2",
    'created<="2026-11-01 20:00"': "1 2 3",
    "created:2026-11-01T12:00:00Z": "3",
    "-created<2026-11-01": "3 4 5 6",
    "created:2026-10-31..2026-11-01": "2 3",
    "created:2026-10-31..2026-11-01T12:00:00Z": "2 3",
    "created:2026-11-02..2026-11-01": "",
    "created:none": "",
    # references, tags, facts
    "shop:west": "2 5",
    "-shop:west": "1 3 4 6",
    "shop:east,west": "2 3 5",
    "shop:nowhere": "",
    "shop:none": "1 4 6",
    "shop:any": "2 3 5",
    "tags:vip": "1 2",
    "tag:vip": "1 2",
    "-tag:vip": "3 4 5 6",
    "tag:vip tag:new": "1",
    "tag:50%": "4",
    "tag:none": "3",
    "tag:any": "1 2 4 5 6",
    "extra:none": ALL,
    "extra~x": "",
    # several at once, words, and what is written like words
    "state:new amount>0": "1",
    "  state:new   -name:Ann ": "4",
    "state：new，given": "1 3 4 5",
    "amount＞500": "2 6",
    "kitchen": "1",
    "Kitch": "1",
    "cafe": "1 4",
    "CAFÉ kitchen": "1",
    "申请": "2 4",
    "退款": "2",
    "款申": "2",
    "款退": "",
    "小": "4",
    "小明": "4",
    "王明": "",
    "8000": "1",
    "9000": "2",
    "ann": "1 2",
    '"ann" state:new': "1",
    "zoe": "6",
    "drop": "6",
    "ann 退款": "2",
    "": ALL,
    "   ": ALL,
    '""': ALL,
}


@pytest.fixture(scope="module")
def filters() -> list[str]:
    return list(FILTERS)


def test_every_filter_finds_its_rows(office: Workspace, filters: list[str]) -> None:
    stock(office)
    office.clock = lambda: datetime(2026, 11, 2, 1, 15, tzinfo=UTC)

    assert {text: found_by(office, text) for text in filters} == FILTERS


def test_a_day_is_that_of_the_workspace(new_office: NewOffice) -> None:
    office = new_office("sqlite")
    office.do("tickets.open", number="T-1")  # 2 November, 9:00 in Shanghai, 1 November, 17:00 in Los Angeles
    office.clock = lambda: datetime(2026, 11, 2, 1, 15, tzinfo=UTC)

    for zone, day in (("Asia/Shanghai", "2026-11-02"), ("America/Los_Angeles", "2026-11-01")):
        context = type(office.context)("CN", "CNY", zone)
        office.context = context
        assert found_by(office, f"created:{day}") == found_by(office, "created:today") == "1"
        assert found_by(office, "created:tomorrow") == ""


READING = Reading(CONTEXT, datetime(2026, 11, 2, 1, 15, tzinfo=UTC), lambda _noun, _text: None)


def parsed(text: str) -> Filter:
    return parse_filter(text, info_of(Ticket), READING)


def test_fields_are_called_by_name_label_or_short() -> None:
    for text in ("created_at>now", "created>now", "CREATED>now", "Created>now"):
        assert parsed(text).conditions[0].field == "created_at"
    assert parsed("same-phone:x").conditions[0].field == "same_phone"
    assert parsed('"x" tag:a').conditions[0].field == "tags"


def test_a_filter_is_read_into_conditions_words_and_an_order() -> None:
    assert parsed('name~"a b" -state:new kit "two words" sort:-created,name') == Filter(
        (Condition("name", "like", ("%a b%",)), Condition("state", "eq", ("new",), negated=True)),
        "kit two words",
        ("-created_at", "name"),
    )


def test_marks_inside_quotation_marks_stay_as_they_are() -> None:
    assert parsed('note~"你好，a：b"').conditions[0].values == ("%你好，a：b%",)
    assert parsed(r'note~"say \"hi\""').conditions[0].values == ('%say "hi"%',)
    assert parsed('note~"open end').conditions[0].values == ("%open end%",)


def test_filters_of_one_shape_share_a_statement_and_others_do_not() -> None:
    assert parsed("name:a amount>1").shape == parsed("name:b amount>2").shape
    shapes = [
        parsed(text).shape
        for text in ("name:a", "-name:a", "name:a,b", "name~a", "name:none", "name>a", "a", "name:a sort:name")
    ]
    assert len(set(shapes)) == len(shapes)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("colour:red", UsageError, "tickets have no field colour"),
        ("sort:colour", UsageError, "tickets have no field colour"),
        ("sort:name,state,number,phone", UsageError, "at most 3 fields"),
        ("-word", UsageError, "a word cannot be negated: word"),
        ("amount~5", UsageError, "amount cannot be compared with ~"),
        ("urgent~y", UsageError, "urgent cannot be compared with ~"),
        ("due~2026", UsageError, "due cannot be compared with ~"),
        ("extra:{}", UsageError, "extra cannot be compared with :"),
        ("state:gone", BadValue, "gone is not one of: new, given, closed"),
        ("amount>much", BadValue, "much"),
        ("due:2026-02-30", BadValue, "not on the calendar"),
        ("due:9999-12-31", BadValue, "outside the calendar"),
        ("created:0001-01-01", BadValue, "outside the calendar"),
        ("created>-999999999d", BadValue, "outside the calendar"),
        ("created>-9999999999d", BadValue, "is not a day"),
        ("x" * (FILTER_MOST + 1), UsageError, "at most 2000 characters"),
        ("!!! ...", UsageError, "nothing to search for"),
    ],
)
def test_what_cannot_be_understood_is_told(office: Workspace, text: str, kind: type[BoError], words: str) -> None:
    with pytest.raises(kind, match=words) as refusal:
        office.reader().count("tickets", text)

    assert type(refusal.value) is kind


def test_an_unknown_field_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError) as refusal:
        parsed("colour:red")

    assert refusal.value.facts["names"] == (
        "id, created_at, updated_at, number, state, name, phone, shop, amount, currency, due, urgent, tags, note, "
        "same_phone"
    )


def test_records_without_searched_fields_have_no_text_search() -> None:
    with pytest.raises(UsageError, match="slips have no text search"):
        parse_filter("word", info_of(Slip), READING)


HOSTILE = st.text(max_size=60) | st.lists(
    st.sampled_from(
        (*FILTERS, *"\"'\\%_*:<>=~-,;(){}", "name", "tag", "extra", "created", "due", "shop", "urgent", "\0", "\ud800")
    ),
    max_size=8,
).map("".join)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=HOSTILE)
@example(text="'; DROP TABLE ticket; --")
@example(text="a " * 900)
@example(text="一" * 2000)
@example(text="name:a " * 285)
@example(text="-name:a " * 250)
@example(text="name~" + "%" * 1900)
@example(text="sort:name,name,-name")
@example(text="x" * 1999)
@example(text="name:" + "a," * 900)
def test_no_text_breaks_a_statement(office_of_both: list[Workspace], text: str) -> None:
    answers = [_answer(office, text) for office in office_of_both]

    assert answers[0] == answers[1]


def _answer(office: Workspace, text: str) -> object:
    """The rows, or that the text was refused in our own words; anything else is a fault."""
    try:
        return office.reader().page("tickets", text, fields=("number", "name")).rows
    except (UsageError, BadInput) as error:
        return type(error)


@pytest.fixture
def office_of_both(new_office: NewOffice) -> list[Workspace]:
    offices = [stock(new_office(dialect)) for dialect in ("sqlite", "postgresql")]
    for office in offices:
        office.clock = lambda: datetime(2026, 11, 2, 1, 15, tzinfo=UTC)
    assert everything_in(offices[0]) == everything_in(offices[1])
    return offices
