"""Disputes: one line is frozen, somebody who had nothing to do with it decides, and what is paid is never edited."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import NotAllowed, UsageError, WrongState
from bo.core.rewards.commands import NothingToAdjust, NotOpener
from bo.core.rewards.disputing import LineDisputed, NotReviewer, OwnDispute
from bo.core.rewards.records import Dispute, RewardLine
from tests.core.money_office import MoneyOffice


@pytest.fixture
def line(money: MoneyOffice) -> str:
    """A line of the first referrer, beside one of another; its id."""
    money.earn("D2")
    return money.line(money.earn()).id


def disputed(money: MoneyOffice, line: str) -> str:
    return str(money.by("rita").do("disputes.open", line=line, reason="two visits, one paid").returned)


def taken(money: MoneyOffice, line: str, by: str = "fred") -> str:
    made = disputed(money, line)
    money.by(by).do("disputes.take", made)
    return made


def test_an_open_dispute_keeps_its_line_alone_out_of_settlements(money: MoneyOffice, line: str) -> None:
    # when
    made = disputed(money, line)

    # then
    dispute = money.get(Dispute, made)
    assert (dispute.state, dispute.opened_by, str(dispute.due_on)) == ("open", money.ids["rita"], "2026-11-07")
    assert money.get(RewardLine, line).disputed
    assert money.run().total == 5000
    assert money.get(RewardLine, line).state == "due"


def test_a_line_is_disputed_once_at_a_time_and_waits_for_the_answer(money: MoneyOffice, line: str) -> None:
    disputed(money, line)

    money.refuses(LineDisputed, "fin", "disputes.open", line=line, reason="me too")
    money.refuses(LineDisputed, "fin", "rewards.hold", line, reason="x")
    money.refuses(LineDisputed, "fin", "rewards.void", line, reason="x")


def test_upheld_a_line_is_added_that_makes_good_and_the_disputed_one_goes_on(money: MoneyOffice, line: str) -> None:
    # given
    made = taken(money, line)

    # when
    money.by("fred").do("disputes.uphold", made, amount="30", reason="the second visit is in the diary")

    # then
    dispute, before = money.get(Dispute, made), money.get(RewardLine, line)
    assert (dispute.state, dispute.decided_by) == ("upheld", money.ids["fred"])
    good = money.get(RewardLine, str(dispute.adjustment))
    assert (good.kind, good.amount, good.state, good.referrer) == ("adjustment", 3000, "due", before.referrer)
    assert good.inputs == {"dispute": made, "line": line}
    assert set(good.editors) == {money.ids["rita"], money.ids["fred"]}
    assert (before.amount, before.disputed) == (5000, False)
    told = money.by("fin").ask("rewards.explain", good.id).words[0]
    assert told == f"makes good what was disputed in {line}: the second visit is in the diary"
    assert money.run().total == 13000


def test_a_paid_line_stays_as_it_is_whatever_is_decided(money: MoneyOffice, line: str) -> None:
    # given
    settled = money.exported()
    money.by("fin").do("settlements.mark_paid", settled.id)
    paid = money.get(RewardLine, line)

    # when
    made = taken(money, line)
    money.by("fred").do("disputes.uphold", made, amount="30", reason="it was too little")

    # then
    assert money.get(RewardLine, line) == paid
    assert money.get(RewardLine, str(money.get(Dispute, made).adjustment)).amount == 3000


def test_rejected_or_withdrawn_the_line_goes_on_as_it_is(money: MoneyOffice, line: str) -> None:
    # when
    first = taken(money, line)
    money.by("fred").do("disputes.reject", first, reason="one visit only")
    second = str(money.by("fin").do("disputes.open", line=line, reason="still").returned)
    assert money.get(RewardLine, line).disputed
    money.by("fin").do("disputes.withdraw", second, reason="a mistake")

    # then
    assert [item.state for item in money.all(Dispute, "sort:created_at,id")] == ["rejected", "withdrawn"]
    assert not money.get(RewardLine, line).disputed
    assert len(money.all(RewardLine)) == 2


def test_who_opened_it_or_had_a_hand_in_the_line_does_not_decide(money: MoneyOffice, line: str) -> None:
    # given
    money.by("fin").do("rewards.hold", line, reason="asked")
    money.by("fin").do("rewards.release", line)
    made = str(money.by("fred").do("disputes.open", line=line, reason="too little").returned)

    # then
    money.refuses(OwnDispute, "fred", "disputes.take", made)  # opened it
    money.refuses(OwnDispute, "fin", "disputes.take", made)  # held the line
    money.refuses(OwnDispute, "boss", "disputes.take", made)  # what they did made the line
    money.refuses(NotAllowed, "rita", "disputes.take", made)
    money.by("anna").do("disputes.take", made)


def test_who_approved_its_settlement_does_not_decide(money: MoneyOffice, line: str) -> None:
    settled = money.exported()
    made = disputed(money, line)

    assert settled.approved_by == money.ids["anna"]
    money.refuses(OwnDispute, "anna", "disputes.take", made)
    money.by("abel").do("disputes.take", made)


def test_who_decided_before_does_not_decide_again(money: MoneyOffice, line: str) -> None:
    first = taken(money, line)
    money.by("fred").do("disputes.reject", first, reason="no")

    again = disputed(money, line)

    money.refuses(OwnDispute, "fred", "disputes.take", again)


def test_only_who_took_it_decides(money: MoneyOffice, line: str) -> None:
    made = taken(money, line)

    money.refuses(NotReviewer, "anna", "disputes.uphold", made, amount="1", reason="x")
    money.refuses(NotReviewer, "anna", "disputes.reject", made, reason="x")
    money.refuses(NothingToAdjust, "fred", "disputes.uphold", made, amount="0", reason="x")
    money.refuses(UsageError, "fred", "disputes.reject", made)
    money.refuses(NotOpener, "fred", "disputes.withdraw", made, reason="x")


def test_escalated_it_goes_to_somebody_who_has_not_had_it(money: MoneyOffice, line: str) -> None:
    # given
    made = taken(money, line)
    money.wait(days=4)

    # when
    money.by("rita").do("disputes.escalate", made, reason="no answer yet")

    # then
    assert (money.get(Dispute, made).state, str(money.get(Dispute, made).due_on)) == ("escalated", "2026-11-11")
    assert money.get(RewardLine, line).disputed
    money.refuses(WrongState, "fred", "disputes.reject", made, reason="x")
    money.refuses(OwnDispute, "fred", "disputes.take", made)
    money.by("anna").do("disputes.take", made)
    money.by("anna").do("disputes.reject", made, reason="one visit only")


def test_a_dispute_is_told_with_its_line(money: MoneyOffice, line: str) -> None:
    disputed(money, line)

    assert money.by("fin").ask("rewards.explain", line).words[-1] == "disputed: two visits, one paid (open)"
