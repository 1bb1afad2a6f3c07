"""From the approved settlement to the bank: exported, paid, failed, cancelled, closed."""

from __future__ import annotations

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import Refused, UsageError, WrongState
from bo.core.ledger.records import Entry
from bo.core.rewards.records import RewardLine
from bo.core.settlement.records import PaymentFile, Payout, Settlement
from bo.core.settlement.refusals import NotYet, OtherFile, PaymentsOpen
from tests.core.money_office import MoneyOffice


@pytest.fixture
def exported(money: MoneyOffice) -> Settlement:
    money.earn("D1")
    money.earn("D2", event="won", gross="200", net="200")
    return money.exported()


def _confirmation(money: MoneyOffice, payout: Payout) -> Entry:
    """The posted entry of a payment that was reserved at export."""
    (reserved,) = money.all(Entry, f"source:payment:{payout.id}")
    assert reserved.phase == "pending"
    return money.all(Entry, f"resolves:{reserved.id}")[0]


def lines_of(money: MoneyOffice, code: str) -> list[RewardLine]:
    return money.all(RewardLine, f"referrer:{money.referrers[code]}")


# -- export ------------------------------------------------------------------------------------------------------------


def test_exporting_sends_the_payouts_and_keeps_the_hash(money: MoneyOffice) -> None:
    # given
    money.earn("D1")
    made = money.approved()
    file = money.by("fin").ask("settlements.payout_file", made.id)

    # when
    money.by("fin").do("settlements.export", made.id, file_hash=file.hash, file_name=file.name)

    # then
    exported = money.get(Settlement, made.id)
    assert (exported.state, exported.file_hash, exported.exported_at) == ("exported", file.hash, money.now)
    assert exported.file_name == "S-2026-11-CNY-0001.csv"
    assert {payout.state for payout in money.all(Payout)} == {"sent"}
    (kept,) = money.all(PaymentFile)
    assert (kept.settlement, kept.file_hash, kept.payments, kept.total) == (made.id, file.hash, 1, 5000)
    assert kept.exported_by == money.ids["fin"]


def test_exporting_again_is_the_same_file_and_changes_nothing(money: MoneyOffice, exported: Settlement) -> None:
    # given
    first = money.by("fin").ask("settlements.payout_file", exported.id)
    money.by("fin").do("payouts.fail", money.payout(exported, "D1").id, reason="closed account")
    money.by("fin").do("settlements.mark_paid", exported.id)
    before = money.image()

    # when
    again = money.export(exported)

    # then
    assert again.status == "unchanged"
    assert money.image() == before
    assert money.by("fin").ask("settlements.payout_file", exported.id).content == first.content


def test_another_file_is_refused(money: MoneyOffice) -> None:
    money.earn()
    made = money.approved()

    money.refuses(OtherFile, "fin", "settlements.export", made.id, file_hash="0" * 64, file_name="x.csv")


def test_what_is_not_approved_is_not_exported(money: MoneyOffice) -> None:
    money.earn()
    made = money.submitted()

    money.refuses(WrongState, "fin", "settlements.export", made.id, file_hash="0" * 64, file_name="x.csv")
    with pytest.raises(Refused, match="only an approved settlement"):
        money.by("fin").ask("settlements.payout_file", made.id)


def test_an_export_cannot_be_undone(money: MoneyOffice) -> None:
    money.earn()
    done = money.export(money.approved())
    before = money.image()

    with pytest.raises(Refused, match="final"):
        money.by("fin").undo(done.operation)

    assert money.image() == before


# -- paid --------------------------------------------------------------------------------------------------------------


def test_one_payment_after_the_other_pays_the_settlement(money: MoneyOffice, exported: Settlement) -> None:
    # when
    money.wait(days=2)
    money.by("fin").do("payouts.mark_paid", money.payout(exported, "D1").reference, paid_on="2026-11-03")

    # then
    paid = money.payout(exported, "D1")
    assert (paid.state, str(paid.paid_on)) == ("paid", "2026-11-03")
    assert money.get(Settlement, exported.id).state == "part_paid"
    assert {line.state for line in lines_of(money, "D1")} == {"paid"}
    assert {line.state for line in lines_of(money, "D2")} == {"included"}
    assert (money.balance("bank"), money.balance("reward_payable")) == (-5000, -1000)
    assert str(_confirmation(money, paid).day) == "2026-11-03"

    # when
    money.by("fin").do("payouts.mark_paid", money.payout(exported, "D2").reference)

    # then
    assert money.get(Settlement, exported.id).state == "paid"
    assert (money.balance("bank"), money.balance("reward_payable")) == (-6000, 0)


def test_all_payments_at_once(money: MoneyOffice, exported: Settlement) -> None:
    money.by("fin").do("settlements.mark_paid", exported.id)

    assert money.get(Settlement, exported.id).state == "paid"
    assert {payout.state for payout in money.all(Payout)} == {"paid"}
    assert {line.state for line in money.all(RewardLine)} == {"paid"}
    assert money.balance("bank") == -6000
    assert money.ws.ask("settlements.check", exported.id).agrees


def test_many_payments_in_one_batch(money: MoneyOffice, exported: Settlement) -> None:
    calls = [Call("payouts.mark_paid", money.payout(exported, code).id) for code in ("D1", "D2")]

    outcomes = money.by("fin").run(calls)

    assert [outcome.status for outcome in outcomes] == ["applied", "applied"]
    assert money.get(Settlement, exported.id).state == "paid"


def test_nothing_is_paid_twice(money: MoneyOffice, exported: Settlement) -> None:
    payout = money.payout(exported, "D1")
    money.by("fin").do("payouts.mark_paid", payout.id)

    money.refuses(WrongState, "fin", "payouts.mark_paid", payout.id)
    money.by("fin").do("settlements.mark_paid", exported.id)
    money.refuses(WrongState, "fin", "settlements.mark_paid", exported.id)
    assert money.balance("bank") == -6000


def test_nothing_is_paid_in_the_future(money: MoneyOffice, exported: Settlement) -> None:
    money.refuses(NotYet, "fin", "settlements.mark_paid", exported.id, paid_on="2026-11-03")
    money.refuses(NotYet, "fin", "payouts.mark_paid", money.payout(exported, "D1").id, paid_on="2026-11-03")


def test_nothing_is_paid_before_it_is_exported(money: MoneyOffice) -> None:
    money.earn()
    made = money.approved()

    money.refuses(WrongState, "fin", "payouts.mark_paid", money.payout(made, "D1").id)
    money.refuses(WrongState, "fin", "settlements.mark_paid", made.id)


# -- failed ------------------------------------------------------------------------------------------------------------


def test_a_failed_payment_makes_its_lines_due_again(money: MoneyOffice, exported: Settlement) -> None:
    # when
    money.by("fin").do("payouts.fail", money.payout(exported, "D2").id, reason="account closed")

    # then
    failed = money.payout(exported, "D2")
    assert (failed.state, failed.reason, failed.amount) == ("failed", "account closed", 1000)
    assert [(line.state, line.settlement, line.payout) for line in lines_of(money, "D2")] == [("due", None, None)]
    assert money.balance("reward_payable", money.referrers["D2"]) == 0
    assert money.balance("reward_expense") == 5000
    assert money.ws.ask("settlements.check", exported.id).agrees


def test_with_a_failed_payment_the_settlement_stays_partly_paid(money: MoneyOffice, exported: Settlement) -> None:
    money.by("fin").do("payouts.fail", money.payout(exported, "D2").id, reason="account closed")
    money.by("fin").do("payouts.mark_paid", money.payout(exported, "D1").id)

    assert money.get(Settlement, exported.id).state == "part_paid"
    money.refuses(PaymentsOpen, "fin", "settlements.mark_paid", exported.id)


def test_the_next_settlement_pays_what_failed_once(money: MoneyOffice, exported: Settlement) -> None:
    # given
    money.by("fin").do("payouts.fail", money.payout(exported, "D2").id, reason="account closed")
    money.by("fin").do("settlements.mark_paid", exported.id)
    money.wait(days=30)

    # when
    december = money.exported("2026-12")
    money.by("fin").do("settlements.mark_paid", december.id)

    # then
    assert (december.total, money.payout(december, "D2").carried) == (1000, 1000)
    assert (money.balance("bank"), money.balance("reward_expense"), money.balance("reward_payable")) == (-6000, 6000, 0)
    assert money.ws.ask("ledger.check").broken == ""


def test_a_failure_needs_a_reason_and_a_payment_under_way(money: MoneyOffice, exported: Settlement) -> None:
    payout = money.payout(exported, "D1")
    money.refuses(UsageError, "fin", "payouts.fail", payout.id)

    money.by("fin").do("payouts.mark_paid", payout.id)
    money.refuses(WrongState, "fin", "payouts.fail", payout.id, reason="x")


# -- cancelled and closed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["run", "submitted", "approved"])
def test_before_export_a_settlement_is_cancelled_and_its_lines_are_due(money: MoneyOffice, step: str) -> None:
    # given
    money.earn("D1")
    money.earn("D2")
    made: Settlement = getattr(money, step)()

    # when
    money.by("fin").do("settlements.cancel", made.id, reason="a rule was wrong")

    # then
    cancelled = money.get(Settlement, made.id)
    assert (cancelled.state, cancelled.note) == ("cancelled", "a rule was wrong")
    assert {payout.state for payout in money.all(Payout)} == {"cancelled"}
    assert {(line.state, line.settlement) for line in money.all(RewardLine)} == {("due", None)}
    assert (money.balance("reward_expense"), money.balance("reward_payable")) == (0, 0)
    assert len(money.all(Entry)) == (4 if step == "approved" else 0)
    assert money.ws.ask("settlements.check", made.id).agrees
    assert money.ws.ask("ledger.check").broken == ""


def test_an_exported_settlement_is_not_cancelled(money: MoneyOffice, exported: Settlement) -> None:
    money.refuses(WrongState, "fin", "settlements.cancel", exported.id, reason="x")


def test_a_cancelled_draft_comes_back_by_undo(money: MoneyOffice) -> None:
    money.earn()
    made = money.run()
    done = money.by("fin").do("settlements.cancel", made.id, reason="x")

    money.by("fin").undo(done.operation)

    assert money.get(Settlement, made.id).state == "draft"
    assert {line.settlement for line in money.all(RewardLine)} == {made.id}


def test_a_settlement_is_closed_when_no_payment_is_under_way(money: MoneyOffice, exported: Settlement) -> None:
    # given
    money.refuses(PaymentsOpen, "fin", "settlements.close", exported.id)
    money.by("fin").do("payouts.fail", money.payout(exported, "D1").id, reason="x")
    money.refuses(PaymentsOpen, "fin", "settlements.close", exported.id)
    money.by("fin").do("settlements.mark_paid", exported.id)

    # when
    money.by("fin").do("settlements.close", exported.id)

    # then
    assert money.get(Settlement, exported.id).state == "closed"
    money.refuses(WrongState, "fin", "settlements.close", exported.id)


# -- returned by the bank ----------------------------------------------------------------------------------------------


def test_a_returned_payment_is_reversed_and_its_lines_are_due_again(money: MoneyOffice, exported: Settlement) -> None:
    # given
    money.by("fin").do("settlements.mark_paid", exported.id)
    money.wait(days=3)

    # when
    money.by("fin").do("payouts.returned", money.payout(exported, "D2").id, reason="unknown account",
                       returned_on="2026-11-04")  # fmt: skip

    # then
    back = money.payout(exported, "D2")
    assert (back.state, back.reason) == ("returned", "unknown account")
    assert money.get(Settlement, exported.id).state == "part_paid"
    assert [(line.state, line.settlement) for line in lines_of(money, "D2")] == [("due", None)]
    assert (money.balance("bank"), money.balance("reward_expense"), money.balance("reward_payable")) == (-5000, 5000, 0)
    assert str(money.all(Entry, f"reverses:{_confirmation(money, back).id}")[0].day) == "2026-11-04"
    assert money.ws.ask("settlements.check", exported.id).agrees
    assert money.ws.ask("ledger.check").broken == ""


def test_what_was_returned_is_paid_by_the_next_settlement_once(money: MoneyOffice, exported: Settlement) -> None:
    # given
    money.by("fin").do("settlements.mark_paid", exported.id)
    money.by("fin").do("payouts.returned", money.payout(exported, "D2").id, reason="x")
    money.wait(days=30)

    # when
    december = money.exported("2026-12")
    money.by("fin").do("settlements.mark_paid", december.id)

    # then
    assert (december.total, money.payout(december, "D2").carried) == (1000, 1000)
    assert (money.balance("bank"), money.balance("reward_payable")) == (-6000, 0)


def test_only_a_paid_payment_is_returned_and_not_twice(money: MoneyOffice, exported: Settlement) -> None:
    payout = money.payout(exported, "D1")
    money.refuses(WrongState, "fin", "payouts.returned", payout.id, reason="x")
    money.by("fin").do("payouts.mark_paid", payout.id)
    money.refuses(UsageError, "fin", "payouts.returned", payout.id)
    money.refuses(NotYet, "fin", "payouts.returned", payout.id, reason="x", returned_on="2026-11-03")

    money.by("fin").do("payouts.returned", payout.id, reason="x")

    money.refuses(WrongState, "fin", "payouts.returned", payout.id, reason="x")
    money.refuses(WrongState, "fin", "payouts.mark_paid", payout.id)


def test_a_closed_settlement_stays_closed_when_money_comes_back(money: MoneyOffice, exported: Settlement) -> None:
    money.by("fin").do("settlements.mark_paid", exported.id)
    money.by("fin").do("settlements.close", exported.id)

    money.by("fin").do("payouts.returned", money.payout(exported, "D1").id, reason="x")

    assert money.get(Settlement, exported.id).state == "closed"
    assert {line.state for line in lines_of(money, "D1")} == {"due"}
