"""Kinds: what each one reads from text and JSON, writes back, shows, and refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.kernel.errors import BadValue
from bo.core.kernel.kinds import (
    AmountKind,
    ChoiceKind,
    Context,
    CurrencyKind,
    DayKind,
    EmailKind,
    FactsKind,
    FlagKind,
    IdKind,
    Kind,
    MomentKind,
    PhoneKind,
    RateKind,
    RefKind,
    TagsKind,
    TextKind,
    WholeKind,
    moment_text,
)
from bo.core.kernel.record import encode_json
from tests.core.kernel.making import CONTEXT

COLOUR = ChoiceKind("red", "dark_green", labels=("Red", "Dark green"))
TEN = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
TO_THE_MICROSECOND = datetime(2026, 11, 3, 10, 0, 0, 123_999, timezone(timedelta(hours=8)))

READ: tuple[tuple[Kind, object, object], ...] = (
    (TextKind(), "  Ann  ", "Ann"),
    (TextKind(), "two\nlines", "two lines"),
    (TextKind(lines=True), "two\r\nlines\x07", "two\nlines"),
    (TextKind(), "e\u0301\u202e", "é"),
    (TextKind(), "half \ud800 pair", "half \ufffd pair"),
    (TextKind(), 17, "17"),
    (TextKind(), "", ""),
    (PhoneKind(), "138 0013 8000", "+8613800138000"),
    (PhoneKind(), 13800138000, "+8613800138000"),
    (EmailKind(), " Ann@Example.COM ", "Ann@example.com"),
    (WholeKind(), " 1,234 ", 1234),
    (WholeKind(), "12.0", 12),
    (WholeKind(), -3, -3),
    (AmountKind(), "1,234.5", 123450),
    (AmountKind(), 1234, 1234),
    (RateKind(), "5%", 500),
    (RateKind(), "2.5", 250),
    (RateKind(), 250, 250),
    (RateKind(), "-0.01 %", -1),
    (CurrencyKind(), " eur ", "EUR"),
    (DayKind(), "2026年11月3日", date(2026, 11, 3)),
    (DayKind(), date(2026, 11, 3), date(2026, 11, 3)),
    (MomentKind(), "2026-11-03 10:00", TEN),
    (MomentKind(), "2026-11-03T02:00:00Z", TEN),
    (MomentKind(), TO_THE_MICROSECOND, TEN.replace(microsecond=123_000)),
    (FlagKind(), "是", True),
    (FlagKind(), " NO ", False),
    (FlagKind(), 1, True),
    (FlagKind(), False, False),
    (COLOUR, "dark_green", "dark_green"),
    (COLOUR, " Dark Green ", "dark_green"),
    (RefKind("shops"), " west ", "west"),
    (IdKind(), " op_1 ", "op_1"),
    (TagsKind(), "b，a; b、c,, ", ("a", "b", "c")),
    (TagsKind(), ["b", " a ", "b"], ("a", "b")),
    (TagsKind(), "a\0,\u202eb", ("a", "b")),
    (FactsKind(), '{"a": 1, "b": "x", "c": null, "d": true}', {"a": 1, "b": "x", "c": None, "d": True}),
    (FactsKind(), {1: " one\r\ntwo\0"}, {"1": " one\r\ntwo\0"}),
    (FactsKind(), {"half \ud800": "pair \udfff"}, {"half \ufffd": "pair \ufffd"}),
)

REFUSED: tuple[tuple[Kind, object], ...] = (
    (TextKind(5), "123456"),
    (TextKind(), None),
    (TextKind(), True),
    (TextKind(), 1.5),
    (TextKind(), ["a"]),
    (PhoneKind(), "12"),
    (EmailKind(), "ann@"),
    (WholeKind(), "1.5"),
    (WholeKind(), "１２"),
    (WholeKind(), "1_000"),
    (WholeKind(), "9" * 5000),
    (WholeKind(), 2**62 + 1),
    (WholeKind(0), -1),
    (WholeKind(), True),
    (AmountKind(), "12.345"),
    (AmountKind(), 2**62 + 1),
    (AmountKind(), 1.5),
    (AmountKind(), True),
    (RateKind(), "five"),
    (RateKind(), "0.001%"),
    (RateKind(), "NaN"),
    (RateKind(), "sNaN"),
    (RateKind(), "Infinity"),
    (RateKind(), 1_000_001),
    (CurrencyKind(), "EURO"),
    (CurrencyKind(), "ＥＵＲ"),
    (DayKind(), "2026-02-30"),
    (DayKind(), datetime(2026, 11, 3, tzinfo=UTC)),
    (MomentKind(), "soon"),
    (MomentKind(), datetime(2026, 11, 3)),  # noqa: DTZ001 - a moment without a zone is what is refused
    (FlagKind(), "perhaps"),
    (FlagKind(), 2),
    (COLOUR, "blue"),
    (COLOUR, ""),
    (IdKind(), "op_\ud800"),
    (TagsKind(), [1.5]),
    (FactsKind(), "not json"),
    (FactsKind(), "[1]"),
    (FactsKind(), {"a": 1.5}),
    (FactsKind(), {"a": {"b": 1}}),
    (FactsKind(), {"a": 2**63}),
)

SHOWN: tuple[tuple[Kind, object, object, str], ...] = (
    (TextKind(), "Ann", "Ann", "Ann"),
    (TextKind(), None, None, ""),
    (AmountKind(), 123450, "1234.50", "1234.50"),
    (AmountKind(), None, None, ""),
    (RateKind(), -5, "-0.05%", "-0.05%"),
    (RateKind(), 12345, "123.45%", "123.45%"),
    (RateKind(), None, None, ""),
    (DayKind(), date(2026, 11, 3), "2026-11-03", "2026-11-03"),
    (MomentKind(), TEN, "2026-11-03T02:00:00.000Z", "2026-11-03T02:00:00.000Z"),
    (FlagKind(), True, True, "True"),
    (TagsKind(), ("a", "b"), ["a", "b"], "a,b"),
    (FactsKind(), {"a": 1}, {"a": 1}, '{"a":1}'),
    (FactsKind(), {}, {}, ""),
)


@pytest.mark.parametrize(("kind", "value", "expected"), READ)
def test_a_value_is_read_and_reading_it_again_gives_the_same(kind: Kind, value: object, expected: object) -> None:
    found = kind.decode(value, CONTEXT)

    assert found == expected
    assert type(found) is type(expected)
    if found != "":
        assert kind.decode(found, CONTEXT) == expected


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_what_cannot_be_read_is_a_bad_value(kind: Kind, value: object) -> None:
    with pytest.raises(BadValue) as refusal:
        kind.decode(value, CONTEXT)

    assert str(refusal.value)
    assert "{" not in str(refusal.value).replace("{", "", 1) or refusal.value.facts


@pytest.mark.parametrize(("kind", "value", "wire", "shown"), SHOWN)
def test_a_value_is_written_as_json_and_for_people(kind: Kind, value: object, wire: object, shown: str) -> None:
    assert kind.wire(value, "CNY") == wire
    assert kind.show(value, "CNY") == shown


def test_an_amount_has_the_decimals_of_its_currency() -> None:
    assert AmountKind().wire(1500, "JPY") == "1500"
    assert AmountKind().decode("1500", Context(currency="JPY")) == 1500


def test_a_moment_without_an_offset_is_local_to_the_workspace() -> None:
    assert MomentKind().decode("2026-11-03 10:00", Context(zone="Europe/London")) == datetime(
        2026, 11, 3, 10, tzinfo=UTC
    )


def test_a_kind_describes_itself_for_forms() -> None:
    assert COLOUR.describe() == {
        "kind": "choice",
        "options": ["red", "dark_green"],
        "labels": ["Red", "Dark green"],
    }
    assert RefKind("shops").describe() == {"kind": "ref", "record": "shops"}
    assert TextKind().describe() == {"kind": "text"}


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_moments_as_text_sort_as_time_does_and_come_back(moment: datetime) -> None:
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    text = moment_text(moment)

    assert (len(text), datetime.fromisoformat(text)) == (24, cut)
    later = moment_text(moment + timedelta(milliseconds=1))
    assert text < later


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text()))
def test_facts_that_are_taken_can_be_stored_and_read_again(facts: dict[str, object]) -> None:
    taken = FactsKind().decode(facts, CONTEXT)

    assert FactsKind().decode(encode_json(taken).decode(), CONTEXT) == taken


@given(st.text() | st.lists(st.text()))
def test_tags_that_are_taken_can_be_stored_and_read_again(words: object) -> None:
    taken = TagsKind().decode(words, CONTEXT)

    assert TagsKind().decode(list(taken), CONTEXT) == taken
    assert encode_json(taken)
