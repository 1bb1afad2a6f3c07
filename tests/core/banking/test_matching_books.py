"""What matching does to the books, the payouts and the orders, and that unmatching takes all of it back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bo.core.banking.booking import UsedSince, WrongTarget
from bo.core.banking.commands import AlreadyMatched
from bo.core.banking.match_commands import TooMuchToWriteOff
from bo.core.banking.records import BankLine, Counterparty, OverMatched
from bo.core.kernel.errors import BoError, WrongState
from bo.core.office import open_office
from bo.core.orders.records import Order, Payment
from bo.core.rewards.records import RewardLine
from bo.core.settlement.records import Payout, Settlement
from bo.core.settlement.refusals import LineNotDue, PaymentsOpen, SettlementClosed
from tests.core.banking.matching_office import BankOffice, copy, make_office, row


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matching") / "office"
    make_office(folder)
    return folder


@pytest.fixture
def bank(template: Path, tmp_path: Path) -> Iterator[BankOffice]:
    made = copy(template, tmp_path)
    yield made
    made.check()
    made.close()


def image(bank: BankOffice) -> dict[str, object]:
    """Balances and states: what unmatching brings back."""
    found = bank.money.by("boss").ask("ledger.balance", by_party=True)
    orders = {item.number: (item.payment, item.captured, item.paid_at) for item in bank.money.all(Order)}
    return {
        "balances": {(item.account, item.party): (item.amount, item.reserved) for item in found
                     if item.amount or item.reserved},
        "payouts": {item.id: (item.state, item.paid_on) for item in bank.money.all(Payout)},
        "settlements": {item.id: (item.state, item.payments_open, item.payments_paid, item.payments_lost)
                        for item in bank.money.all(Settlement)},
        "rewards": {item.id: (item.state, item.payout) for item in bank.money.all(RewardLine)},
        "lines": {item.id: (item.state, item.matched) for item in bank.money.all(BankLine)},
        "orders": orders,
        "payments": len(bank.money.all(Payment)),
        "remembered": {item.key: item.matches for item in bank.money.all(Counterparty)},
        "matches": {match.id for match in bank.matches()},
    }  # fmt: skip


# -- payouts -----------------------------------------------------------------------------------------------------------


def test_a_payout_that_the_bank_made_is_paid_and_its_money_out_of_suspense(bank: BankOffice) -> None:
    made = bank.exported("D1")
    before = image(bank)
    (line,) = bank.take(row("02", -5000, end_to_end_id=bank.payout(made, "D1").reference))

    assert bank.run() == {"lines": 1, "matched": 1, "proposed": 0, "left": 0}

    payout = bank.payout(made, "D1")
    assert (payout.state, str(payout.paid_on)) == ("paid", "2026-11-02")
    assert bank.money.get(Settlement, made.id).state == "paid"
    assert bank.held() == {"bank": 95000, "opening": -100000, "reward_expense": 5000}
    bank.do("unmatch", line)
    assert image(bank)["payouts"] == before["payouts"]
    assert image(bank)["settlements"] == before["settlements"]


def test_parts_pay_a_payout_once_they_come_to_all_of_it(bank: BankOffice) -> None:
    made = bank.exported("D1")
    reference = bank.payout(made, "D1").reference
    (one,) = bank.take(row("02", -2000, end_to_end_id=reference))
    bank.run()
    assert bank.payout(made, "D1").state == "sent"
    assert bank.held()["clearing"] == 2000
    part = image(bank)

    (two,) = bank.take(row("02", -3000, end_to_end_id=reference, purpose="the rest"))
    bank.run()
    assert bank.payout(made, "D1").state == "paid"
    assert "clearing" not in bank.held()

    bank.do("unmatch", two)
    again = image(bank)
    assert (again["payouts"], again["settlements"], again["matches"]) == (
        part["payouts"], part["settlements"], part["matches"],
    )  # fmt: skip
    assert bank.held()["clearing"] == 2000
    bank.do("unmatch", one)
    assert "clearing" not in bank.held()


def test_a_second_line_for_one_payout_stays_open(bank: BankOffice) -> None:
    made = bank.exported("D1")
    reference = bank.payout(made, "D1").reference
    _first, again = bank.take(
        row("02", -5000, end_to_end_id=reference), row("02", -5000, end_to_end_id=reference, purpose="again")
    )
    assert bank.run() == {"lines": 2, "matched": 1, "proposed": 0, "left": 1}
    assert (bank.line(again).state, bank.line(again).note) == ("open", "again")


def test_a_payment_that_comes_back_makes_its_rewards_due_again(bank: BankOffice) -> None:
    made = bank.exported("D1")
    reference = bank.payout(made, "D1").reference
    _out, back = bank.take(row("02", -5000, end_to_end_id=reference), row("02", 5000, end_to_end_id=reference))
    bank.run()
    payout = bank.payout(made, "D1")
    assert payout.state == "returned"
    assert [line.state for line in bank.money.all(RewardLine)] == ["due"]
    assert bank.held() == {"bank": 100000, "opening": -100000}

    bank.do("unmatch", back)
    assert bank.payout(made, "D1").state == "paid"
    assert [line.state for line in bank.money.all(RewardLine)] == ["paid"]
    assert bank.held() == {"bank": 100000, "opening": -100000, "reward_expense": 5000, "suspense": -5000}


def test_what_came_back_and_is_settled_again_is_not_unmatched(bank: BankOffice) -> None:
    made = bank.exported("D1")
    reference = bank.payout(made, "D1").reference
    out, back = bank.take(row("02", -5000, end_to_end_id=reference), row("02", 5000, end_to_end_id=reference))
    bank.run()
    with pytest.raises(UsedSince, match="returned since"):
        bank.do("unmatch", out)
    bank.money.wait(days=30)
    bank.money.run("2026-12")
    with pytest.raises(LineNotDue):
        bank.do("unmatch", back)


def test_a_payout_that_was_noted_as_paid_finds_its_line_later(bank: BankOffice) -> None:
    made = bank.exported("D1")
    bank.money.by("fin").do("settlements.mark_paid", made.id)
    (line,) = bank.take(row("02", -5000, purpose=f"payout {bank.payout(made, 'D1').reference}"))
    told = {item.line: item.amount for item in bank.money.by("boss").ask("reconciliations.report")}
    assert told["noted as paid, not seen at the bank"] == -5000
    assert "difference that nothing explains" not in told

    bank.run()
    assert {item.line: item.amount for item in bank.money.by("boss").ask("reconciliations.report")} == {
        "opening balance": 100000, "money that went out": -5000, "closing balance of the bank": 95000,
        "balance of the ledger": 95000,
    }  # fmt: skip
    bank.do("unmatch", line)
    assert bank.payout(made, "D1").state == "paid"


def test_what_was_noted_as_paid_from_no_account_is_named_and_its_line_found(bank: BankOffice) -> None:
    bank.money.earn("D1")
    made = bank.money.exported()
    bank.money.by("fin").do("settlements.mark_paid", made.id)
    assert [(item.account, item.amount) for item in bank.money.by("boss").ask("reconciliations.report")] == [
        ("", -5000)
    ]

    bank.take(row("02", -5000, end_to_end_id=bank.payout(made, "D1").reference))
    bank.run()
    found = bank.money.by("boss").ask("ledger.balance", account="bank", by_party=True)
    assert {item.party: item.amount for item in found if item.amount} == {"MAIN": 95000}
    assert {item.account for item in bank.money.ws.ask("reconciliations.report")} == {"MAIN"}


def test_one_line_pays_a_whole_settlement(bank: BankOffice) -> None:
    made = bank.exported("D1", "D2", "D3")
    bank.take(row("02", -15000, reference=made.number))
    bank.run()
    assert [item.state for item in bank.money.all(Payout)] == ["paid"] * 3
    assert bank.money.get(Settlement, made.id).state == "paid"


def test_a_settlement_with_a_payout_that_no_line_is_for_is_not_closed(bank: BankOffice) -> None:
    made = bank.exported("D1", "D2")
    (line,) = bank.take(row("02", -5000, end_to_end_id=bank.payout(made, "D1").reference))
    bank.run()
    assert bank.money.get(Settlement, made.id).state == "part_paid"
    with pytest.raises(PaymentsOpen):
        bank.money.by("fin").do("settlements.close", made.id)
    bank.money.by("fin").do("payouts.fail", bank.payout(made, "D2").id, reason="account closed")
    bank.money.by("fin").do("settlements.close", made.id)
    with pytest.raises(SettlementClosed):
        bank.do("unmatch", line)


# -- orders ------------------------------------------------------------------------------------------------------------


def test_a_customers_payment_pays_the_order_and_unmatching_takes_it_back(bank: BankOffice) -> None:
    order = bank.order("SO-1001", 12000)
    (line,) = bank.take(row("02", 12000, purpose="SO-1001"))
    before = image(bank)

    bank.run()
    assert bank.money.get(Order, order.id).payment == "paid"
    assert bank.held() == {"bank": 112000, "opening": -100000, "sales": -12000}

    bank.do("unmatch", line)
    assert image(bank) == before


def test_a_part_and_too_much(bank: BankOffice) -> None:
    order = bank.order("SO-1001", 12000)
    part, more = bank.take(row("02", 5000, purpose="SO-1001"), row("02", 8000, purpose="SO-1001 rest"))
    bank.run()
    assert bank.money.get(Order, order.id).payment == "paid"
    assert (bank.line(part).state, bank.line(more).state, bank.line(more).left) == ("matched", "part_matched", 1000)
    assert bank.line(more).note == "over"


def test_a_channels_payment_is_found_by_its_id_and_its_fee_booked(bank: BankOffice) -> None:
    order = bank.order("SO-1001", 1000)
    bank.money.by("boss").do("orders.pay", order.id, amount=1000, method="stripe", reference="ch_1")
    bank.take(row("02", 970, bank_reference="ch_1", fee=30), row("02", -20, kind="fee"), account="SHOP")
    assert bank.run() == {"lines": 2, "matched": 2, "proposed": 0, "left": 0}
    assert bank.held() == {"channel": 100950, "fees": 50, "opening": -100000, "sales": -1000}


def test_a_refund_is_matched_once_it_is_noted(bank: BankOffice) -> None:
    order = bank.order("SO-1001", 1000)
    bank.money.by("boss").do("orders.pay", order.id, amount=1000, method="card", reference="p1")
    refund = bank.money.ws.do("orders.refund", order.id, amount=400, reason="scratched").returned
    (line,) = bank.take(row("02", -400, purpose="refund SO-1001"))
    assert bank.run() == {"lines": 1, "matched": 0, "proposed": 1, "left": 0}
    with pytest.raises(WrongTarget, match="granted and not noted"):
        bank.do("match", line, items=["SO-1001"])

    bank.money.by("boss").do("refunds.execute", refund)
    assert bank.run()["matched"] == 1
    assert bank.held()["sales"] == 400


def test_a_payment_that_was_refunded_since_is_not_unmatched(bank: BankOffice) -> None:
    order = bank.order("SO-1001", 1000)
    (line,) = bank.take(row("02", 1000, purpose="SO-1001"))
    bank.run()
    bank.money.by("boss").do("orders.refund", order.id, amount=400, reason="scratched")
    with pytest.raises(UsedSince):
        bank.do("unmatch", line)


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_a_line_is_split_by_hand(bank: BankOffice) -> None:
    one, two = bank.order("SO-1", 3000), bank.order("SO-2", 9000)
    (line,) = bank.take(row("02", 10000, counterparty="Li"))
    before = image(bank)
    bank.do("match", line, items=["SO-1=25.00", "SO-2=75.00"])
    assert [bank.money.get(Order, item.id).captured for item in (one, two)] == [2500, 7500]
    assert bank.line(line).state == "matched"
    bank.do("unmatch", line)
    assert image(bank) == before


def test_more_than_a_line_or_an_item_is_refused(bank: BankOffice) -> None:
    bank.order("SO-1", 3000)
    bank.order("SO-2", 90000)
    (line,) = bank.take(row("02", 4000))
    before = image(bank)
    for error, items in ((WrongTarget, ["SO-1=31"]), (OverMatched, ["SO-2=41"]), (WrongTarget, ["SO-9"])):
        with pytest.raises(error):
            bank.do("match", line, items=items)
    assert image(bank) == before


def test_a_counterparty_is_remembered_and_forgotten(bank: BankOffice) -> None:
    customer = bank.money.by("boss").do("customers.add", name="王小明").returned
    orders = [bank.order(number, 7000, customer=customer, name="") for number in ("SO-1", "SO-2")]
    (line,) = bank.take(row("02", 7000, counterparty="XIAOMING TRADING", counterparty_account="DE1"))
    assert bank.run()["proposed"] == 1
    bank.do("match", line, items=["SO-1"])
    assert [(item.matches, item.words) for item in bank.money.all(Counterparty)] == [(1, "SO-1")]

    (again,) = bank.take(row("02", 7000, counterparty="XIAOMING TRADING", counterparty_account="DE1", purpose="2"))
    assert bank.run()["matched"] == 1
    assert bank.money.get(Order, orders[1].id).payment == "paid"
    bank.do("unmatch", again)
    bank.do("unmatch", line)
    assert bank.money.all(Counterparty) == []


def test_a_difference_is_written_off_up_to_the_limit_and_above_it_by_another(bank: BankOffice) -> None:
    small, large = bank.take(row("02", 99), row("02", -101))
    bank.do("write_off", small, reason="rounding")
    with pytest.raises(TooMuchToWriteOff):
        bank.do("write_off", large, reason="rounding")
    bank.money.by("anna").do("bank_lines.write_off", large.id, reason="rounding")
    assert bank.held()["write_off"] == 2


def test_fees_and_other_things_go_to_their_accounts(bank: BankOffice) -> None:
    fee, interest = bank.take(row("02", -300), row("02", 55))
    before = image(bank)
    bank.do("fee", fee, reason="account")
    bank.do("book", interest, ledger="other_income", reason="interest")
    with pytest.raises((WrongTarget, WrongState)):
        bank.do("book", interest, ledger="bank", reason="x")
    assert bank.held() == {"bank": 99755, "fees": 300, "opening": -100000, "other_income": -55}
    for line in (fee, interest):
        bank.do("unmatch", line)
    assert image(bank) == before


def test_a_transfer_is_of_two_lines(bank: BankOffice) -> None:
    (out,) = bank.take(row("02", -900, reference="po_123456", kind="payout"), account="SHOP")
    (came,) = bank.take(row("02", 900, purpose="STRIPE po_123456"))
    before = image(bank)
    assert bank.run()["matched"] == 2
    assert bank.held() == {"bank": 100900, "channel": 99100, "opening": -200000}
    bank.do("unmatch", came)
    assert image(bank) == before
    bank.do("match", out, items=[came.id])
    assert bank.line(came).state == "matched"


def test_an_entry_by_hand_finds_its_line(bank: BankOffice) -> None:
    bank.take(row("02", 1))
    legs = [{"account": "fees", "amount": "12"}, {"account": "bank", "amount": "-12", "party": "MAIN"}]
    bank.money.by("boss").do("entries.record", day="2026-11-02", text="rent of a safe", legs=legs, reason="contract")
    (line,) = bank.take(row("02", -1200, purpose="safe"))
    (told,) = bank.money.by("boss").ask("bank_lines.candidates", line.id)
    assert told.kind == "entry"
    bank.do("match", line, items=[told.label])
    assert bank.held() == {"bank": 98801, "fees": 1200, "opening": -100000, "suspense": -1}


def test_a_matched_line_is_neither_set_aside_nor_withdrawn_nor_matched_again(bank: BankOffice) -> None:
    (line,) = bank.take(row("02", -300))
    bank.do("fee", line)
    statement = bank.line(line).statement
    for name, subject, args in (
        ("bank_lines.fee", line.id, {}),
        ("bank_lines.ignore", line.id, {"reason": "x"}),
        ("bank_statements.withdraw", statement, {"reason": "x"}),
    ):
        with pytest.raises((WrongState, AlreadyMatched)):
            bank.money.by("fin").do(name, subject, **args)


def test_what_is_set_aside_is_left_alone(bank: BankOffice) -> None:
    bank.order("SO-1001", 12000)
    (line,) = bank.take(row("02", 12000, purpose="SO-1001"))
    bank.do("ignore", line, reason="ours")
    assert bank.run() == {"lines": 0, "matched": 0, "proposed": 0, "left": 0}
    told = {item.line: item.amount for item in bank.money.by("boss").ask("reconciliations.report")}
    assert told["of it set aside"] == 12000


# -- two at once -------------------------------------------------------------------------------------------------------


def test_of_two_who_match_one_line_at_once_one_is_refused(bank: BankOffice) -> None:
    bank.order("SO-1", 12000)
    bank.order("SO-2", 12000)
    (line,) = bank.take(row("02", 12000))
    told: list[str] = []

    def one(number: str) -> None:
        with open_office(bank.folder, operator="fin", clock=bank.money.clock) as ws:
            try:
                told.append(ws.do("bank_lines.match", line.id, items=[number]).status)
            except BoError as error:
                told.append(error.code)

    people = [threading.Thread(target=one, args=(number,)) for number in ("SO-1", "SO-2")]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert sorted(told) == ["applied", "wrong_state"]
    assert [item.payment for item in bank.money.all(Order)].count("paid") == 1


# -- any history -------------------------------------------------------------------------------------------------------

DEEDS = st.lists(
    st.tuples(st.sampled_from(["pay", "part", "back", "order", "odd", "fee", "run", "unmatch", "hand"]),
              st.integers(0, 3)),
    min_size=3, max_size=6,
)  # fmt: skip


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(deeds=DEEDS)
def test_the_books_hold_at_every_step_and_unmatching_all_brings_back_what_was(
    template: Path, tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, int]]
) -> None:
    bank = copy(template, tmp_path_factory.mktemp("any"))
    made = bank.exported()
    payouts = [bank.payout(made, code) for code in ("D1", "D2", "D3")]
    for place in range(3):
        bank.order(f"SO-100{place}", 4000)
    play(bank, payouts, deeds)
    for match in reversed(bank.matches()):
        if any(each.id == match.id for each in bank.matches()):
            bank.do("unmatch", bank.money.get(BankLine, match.line))
            bank.check()
    assert [item.state for item in bank.money.all(Payout)] == ["sent"] * 3
    assert bank.money.get(Settlement, made.id).state == "exported"
    assert {item.payment for item in bank.money.all(Order)} == {"unpaid"}
    assert bank.money.all(Payment) == []
    balances = {account: amount for account, amount in bank.held().items() if account not in ("bank", "suspense")}
    assert balances in (
        {"opening": -100000, "reward_expense": 15000, "reward_payable": -15000},
        {"reward_expense": 15000, "reward_payable": -15000},
    )
    bank.close()


def play(bank: BankOffice, payouts: list[Payout], deeds: list[tuple[str, int]]) -> None:
    """A history of statements, runs and people."""
    for number, (deed, place) in enumerate(deeds):
        payout, order = payouts[place % 3], f"SO-100{place % 3}"
        known = {"purpose": f"line {number}"}
        if deed == "pay":
            bank.take(row("02", -payout.amount, end_to_end_id=payout.reference, **known))
        elif deed == "part":
            bank.take(row("02", -1700, end_to_end_id=payout.reference, **known))
        elif deed == "back":
            bank.take(row("02", payout.amount, end_to_end_id=payout.reference, **known))
        elif deed == "order":
            bank.take(row("02", 2500, purpose=f"{order} line {number}"))
        elif deed == "odd":
            bank.take(row("02", 777, **known))
        elif deed == "fee":
            bank.take(row("02", -50, kind="fee", **known))
        elif deed == "run":
            bank.run()
        else:
            by_hand(bank, place, order, undo=deed == "unmatch")
        bank.check()
    bank.run()
    bank.check()


def by_hand(bank: BankOffice, place: int, order: str, *, undo: bool) -> None:
    states = "matched,part_matched" if undo else "open,part_matched"
    lines = bank.money.all(BankLine, f"state:{states} sort:id")
    if not lines:
        return
    line = lines[place % len(lines)]
    with suppress(UsedSince, WrongTarget, LineNotDue):
        bank.do("unmatch", line) if undo else bank.do("match", line, items=[order])
