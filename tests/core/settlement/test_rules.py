"""Settlement: periods, who may approve, what an approval binds, masks and numbers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.kernel.errors import BadValue, Damaged
from bo.core.settlement import rules
from bo.core.settlement.rules import Balance, ContentLine, OwnWork, Period, PeriodOverlaps, TotalDiffers, period_of

NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
ONE = ContentLine("rwd_1", "ref_1", "6222 0001", "CNY", 5000)
TWO = ContentLine("rwd_2", "ref_2", "6222 0002", "CNY", 1_506_300)
BACK = ContentLine("rwd_3", "ref_1", "6222 0001", "CNY", -2000)
EURO = ContentLine("rwd_4", "ref_4", "DE89", "EUR", 100)


@pytest.mark.parametrize(
    ("text", "start", "until", "label"),
    [
        ("2026-11", "2026-11-01", "2026-12-01", "2026-11"),
        ("2026-12", "2026-12-01", "2027-01-01", "2026-12"),
        (" 2026-w47 ", "2026-11-16", "2026-11-23", "2026-W47"),
        ("2026-W53", "2026-12-28", "2027-01-04", "2026-W53"),
        ("2026-Q4", "2026-10-01", "2027-01-01", "2026-Q4"),
        ("2026-11-01..2026-12-01", "2026-11-01", "2026-12-01", "2026-11"),
        ("2026/11/3..2026/11/5", "2026-11-03", "2026-11-05", "2026-11-03..2026-11-05"),
        ("2026-01-01..2027-01-01", "2026-01-01", "2027-01-01", "2026-01-01..2027-01-01"),
    ],
)
def test_a_period_is_read(text: str, start: str, until: str, label: str) -> None:
    period = period_of(text)
    assert period == (date.fromisoformat(start), date.fromisoformat(until))
    assert period.label == label


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-13", "2026-13 is not a period"),
        ("2026-00", "2026-00 is not a period"),
        ("0000-01", "0000-01 is not a period"),
        ("9999-12", "9999-12 is not a period"),
        ("2026-W54", "2026-W54 is not a period"),
        ("2026-Q5", "2026-Q5 is not a period"),
        ("2026", "2026 is not a period"),
        ("", " is not a period"),
        ("2026-11-01..2026-11-01", "a period from 2026-11-01 to 2026-11-01 is empty"),
        ("2026-12-01..2026-11-01", "a period from 2026-12-01 to 2026-11-01 is empty"),
        ("2026-01-01..2028-01-01", "a period is at most a year long"),
        ("2026-02-30..2026-03-01", "2026-02-30 is not on the calendar"),
    ],
)
def test_what_is_not_a_period_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadValue) as refusal:
        period_of(text)
    assert str(refusal.value) == message
    assert refusal.value.hint


@given(st.dates(date(1000, 1, 1), date(9990, 1, 1)), st.integers(1, 366))
def test_the_label_of_a_period_is_read_as_itself(start: date, days: int) -> None:
    period = Period(start, start + timedelta(days=days))
    assert period_of(period.label) == period


@given(st.integers(1900, 9000), st.integers(1, 12))
def test_months_follow_each_other_without_gap_or_overlap(year: int, month: int) -> None:
    this = period_of(f"{year}-{month:02d}")
    following = period_of(this.until.isoformat()[:7])
    assert this.until == following.start
    assert not this.overlaps(following)
    assert this.holds(this.start)
    assert not this.holds(this.until)


def test_a_period_run_twice_is_refused_with_the_settlement_that_covers_it() -> None:
    taken = [("S-1", period_of("2026-10")), ("S-2", NOVEMBER)]
    rules.require_free(period_of("2026-12"), taken)
    with pytest.raises(PeriodOverlaps) as refusal:
        rules.require_free(period_of("2026-11-30..2026-12-10"), taken)
    assert str(refusal.value) == "2026-11-30..2026-12-10 overlaps 2026-11, which settlement S-2 covers"


@pytest.mark.parametrize(
    ("approver", "approved_before", "message"),
    [
        ("ann", (), "ann made this settlement and cannot approve it"),
        ("bob", (), "bob edited this settlement and cannot approve it"),
        ("cid", (), "cid wrote a reward rule of this settlement and cannot approve it"),
        ("dan", ("dan",), "dan has approved this settlement already"),
    ],
)
def test_nobody_approves_what_they_had_a_hand_in(approver: str, approved_before: tuple[str, ...], message: str) -> None:
    with pytest.raises(OwnWork) as refusal:
        rules.require_approver(approver, "ann", {"bob"}, {"cid"}, approved_before=approved_before)
    assert str(refusal.value) == message
    assert rules.may_approve(approver, "ann", {"bob"}, {"cid"}) is (approver == "dan")


def test_somebody_without_a_hand_in_it_may_approve() -> None:
    rules.require_approver("dan", "ann", {"bob"}, {"cid"}, approved_before=["eve"])


@pytest.mark.parametrize(
    ("total", "threshold", "people"), [(1000, 1000, 1), (1001, 1000, 2), (1, 0, 2), (10**9, None, 1)]
)
def test_a_large_settlement_needs_two_people(total: int, threshold: int | None, people: int) -> None:
    assert rules.approvals_needed(total, threshold) == people


def test_the_hash_of_the_content_is_fixed_for_ever() -> None:
    assert (
        rules.content_hash([ONE, TWO], ["S-2026-11-CNY-0001", "2026-11", "CNY"])
        == "2636833618c61e08d74ae9b6b6ff836ee970c91f0aa87c9dbced0375464466f7"
    )


def test_the_order_of_lines_does_not_matter_and_everything_else_does() -> None:
    bound = rules.content_hash([ONE, TWO, BACK], ["S-1"])
    assert rules.content_hash([BACK, TWO, ONE], ["S-1"]) == bound
    others = [
        rules.content_hash([ONE, TWO], ["S-1"]),
        rules.content_hash([ONE, TWO, BACK], ["S-2"]),
        rules.content_hash([ONE, TWO, BACK]),
        rules.content_hash([ONE._replace(amount_minor=5001), TWO, BACK], ["S-1"]),
        rules.content_hash([ONE._replace(account="6222 9999"), TWO, BACK], ["S-1"]),
        rules.content_hash([ONE._replace(payee_id="ref_9"), TWO, BACK], ["S-1"]),
        rules.content_hash([ONE._replace(currency="EUR"), TWO, BACK], ["S-1"]),
        rules.content_hash([ONE._replace(payee_id='ref_1","x'), TWO, BACK], ["S-1"]),
    ]
    assert len({bound, *others}) == len(others) + 1


def test_a_line_that_stands_there_twice_is_damage() -> None:
    with pytest.raises(Damaged, match="line rwd_1 is in the settlement twice"):
        rules.content_hash([ONE, ONE._replace(amount_minor=1)])


def test_totals_are_kept_for_each_currency() -> None:
    assert rules.totals_of([EURO, ONE, TWO, BACK]) == {"CNY": 1_509_300, "EUR": 100}
    rules.require_totals([EURO, ONE, TWO, BACK], {"CNY": 1_509_300, "EUR": 100})
    rules.require_totals([], {})


@pytest.mark.parametrize("stated", [{"CNY": 5001}, {}, {"CNY": 5000, "EUR": 1}])
def test_a_total_that_is_not_the_sum_of_its_lines_stops_everything(stated: dict[str, int]) -> None:
    with pytest.raises(TotalDiffers, match="its lines add up to"):
        rules.require_totals([ONE], stated)


def test_a_negative_balance_is_not_paid_and_is_carried_on() -> None:
    # Given more clawed back than earned
    november = Balance(opening=100, earned=5000, clawed_back=7000, adjusted=50)
    # Then nothing is paid, and the debt opens December
    assert (november.payable, november.closing) == (0, -1850)
    december = Balance(opening=november.closing, earned=3000, tax_withheld=150, paid=1000)
    assert (december.payable, december.closing) == (1000, 0)


def test_references_are_derived_from_what_they_are_about() -> None:
    assert rules.payment_key("setl_1", "ref_1", "CNY") == "setl_1:ref_1:CNY"
    assert rules.end_to_end_id("pay_01k9x3q5z8e7r9t2v4w6y8a1b3") == "pay-01k9x3q5z8e7r9t2v4w6y8a1b3"
    assert rules.settlement_number(NOVEMBER, "CNY", 1) == "S-2026-11-CNY-0001"
    assert rules.settlement_number(period_of("2026-11-03..2026-11-05"), "CNY", 12) == "S-20261103-20261105-CNY-0012"
    assert rules.statement_number(NOVEMBER, "CNY", "D0042") == "ST-2026-11-CNY-D0042"


@pytest.mark.parametrize("payout_id", ["", "pay 1", "pay_é", "_pay", "p" * 36])
def test_what_a_bank_cannot_carry_is_no_payment_reference(payout_id: str) -> None:
    with pytest.raises(BadValue, match="cannot be a payment reference"):
        rules.end_to_end_id(payout_id)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三丰", "张**"),
        ("张三", "张*"),
        ("张", "张*"),
        ("张 三 丰", "张**"),
        ("William Lee", "W*** L***"),
        ("José", "J***"),
        ("", ""),
    ],
)
def test_names_are_masked(name: str, masked: str) -> None:
    assert rules.mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+8613800001111", "138****1111"),
        ("13800001111", "138****1111"),
        ("+861065551234x208", "106****1234"),
        ("+442079460958", "+44****0958"),
        ("12345", "****"),
        ("", ""),
    ],
)
def test_phones_are_masked(phone: str, masked: str) -> None:
    assert rules.mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("email", "masked"), [("li.ming@example.com", "l***@example.com"), ("@x", "***@x"), ("odd", "***"), ("", "")]
)
def test_email_addresses_are_masked(email: str, masked: str) -> None:
    assert rules.mask_email(email) == masked
