"""Reconciling on the screen: one key matches, digits choose, several share a line, and everything can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from bo.core.banking.records import BankLine
from bo.core.settlement.records import Settlement
from bo.demo.money import Entry, statement
from tests.core.banking.matching_office import BankOffice, copy, make_office, row
from tests.tui import money_stage
from tests.tui.money_stage import Counted
from tests.tui.stage import LARGE, SMALL, Stage, Story


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reconciling") / "office"
    make_office(folder)
    return folder


@pytest.fixture
def bank(template: Path, tmp_path: Path) -> Iterator[BankOffice]:
    made = copy(template, tmp_path)
    yield made
    made.check()
    made.close()


def play(bank: BankOffice, folder: Path, story: Story, size: tuple[int, int] = LARGE, login: str = "fin") -> None:
    bank.money.wait(days=30)  # a payment of tomorrow is not matched today
    money_stage.play(bank.money, folder / "office", login, story, noun="bank_lines", size=size)


def paid_out(bank: BankOffice) -> Settlement:
    """Three payouts of fifty; the bank says nothing but amount and name of two, and something of five for itself."""
    made = bank.exported("D1", "D2", "D3")
    bank.take(
        row("03", -5000, counterparty="李设计1", purpose="payout"),
        row("04", -5000, counterparty="李设计2", purpose="payout"),
        row("05", -500, purpose="card service"),
    )
    return made


def states(bank: BankOffice) -> list[tuple[str, int]]:
    return [(line.state, line.matched) for line in bank.money.all(BankLine, "sort:day")]


async def opened(stage: Stage) -> None:
    await stage.press("1")
    await stage.until(lambda: stage.app.browser.sort == "day")
    await stage.press("enter")
    await stage.until_said("Reconcile")


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_lines_stand_beside_what_they_may_be_for_with_points_and_why(
    bank: BankOffice, tmp_path: Path, size: tuple[int, int]
) -> None:
    paid_out(bank)

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("the same amount")
        text = stage.text()
        assert "Reconcile 3" in text
        assert "MAIN: bank 895.00 = ledger 895.00" in text
        assert "-50.00" in text
        assert "a like name" in text or size == SMALL
        assert "match" in stage.lines()[-1]

    play(bank, tmp_path, story, size)


def test_a_line_is_matched_in_two_keys_from_the_list_and_the_next_in_one(bank: BankOffice, tmp_path: Path) -> None:
    made = paid_out(bank)

    async def story(stage: Stage) -> None:
        await stage.press("1")
        await stage.until(lambda: stage.app.browser.sort == "day")
        counted = Counted(stage)
        await counted.press("enter")
        await stage.until_said("the same amount")
        await counted.press("enter")
        await stage.until_said("-50.00 CNY matched with")
        assert counted.keys <= 2
        await stage.until_said("Reconcile 2")
        await stage.until_said("the same amount")
        await stage.press("m")
        await stage.until_said("Reconcile 1")

    play(bank, tmp_path, story)

    assert states(bank) == [("matched", -5000), ("matched", -5000), ("open", 0)]
    assert bank.money.get(Settlement, made.id).payments_paid == 2


def test_a_match_is_undone_by_the_key_that_undoes_everything(bank: BankOffice, tmp_path: Path) -> None:
    paid_out(bank)

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("the same amount")
        await stage.press("enter")
        await stage.until_said("Reconcile 2")
        await stage.press("u")
        await stage.until_said("Undone: Match")
        await stage.until_said("Reconcile 3")

    play(bank, tmp_path, story)

    assert states(bank) == [("open", 0)] * 3


def test_where_two_fit_equally_a_digit_chooses(bank: BankOffice, tmp_path: Path) -> None:
    made = bank.exported("D1", "D2")
    bank.take(row("03", -5000, purpose="payout"))

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("the same amount")
        await stage.press("enter")
        await stage.until_said("Two fit equally well")
        assert states(bank) == [("open", 0)]
        await stage.press("9")
        await stage.until_said("There is no candidate 9")
        await stage.press("2")
        await stage.until_said("Every line is matched")

    play(bank, tmp_path, story)

    assert states(bank) == [("matched", -5000)]
    assert bank.money.get(Settlement, made.id).payments_paid == 1


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_several_share_a_line_and_their_sum_is_shown_while_they_are_marked(
    bank: BankOffice, tmp_path: Path, size: tuple[int, int]
) -> None:
    made = bank.exported("D1", "D2")
    bank.take(row("03", -10000, purpose="P-1 P-2 " + " ".join(
        bank.payout(made, code).reference for code in ("D1", "D2")
    )))  # fmt: skip

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("its number")
        await stage.press("s", "space")
        await stage.until_said("1 marked, -50.00 of -100.00 CNY, left -50.00")
        await stage.press("space")
        await stage.until_said("2 marked, -100.00 of -100.00 CNY, left 0.00")
        await stage.press("enter")
        await stage.until_said("Every line is matched")

    play(bank, tmp_path, story, size)

    assert states(bank) == [("matched", -10000)]
    assert bank.money.get(Settlement, made.id).state == "paid"


def test_a_fee_a_difference_and_what_nobody_explains_have_their_keys(bank: BankOffice, tmp_path: Path) -> None:
    bank.take(row("03", -500, purpose="card service"), row("04", -1, purpose="rounding"), row("05", 777, purpose="?"))

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("Nothing that is open fits")
        await stage.press("f")
        await stage.until_said("-5.00 CNY booked as a fee")
        await stage.until_said("Reconcile 2")
        await stage.press("w")
        await stage.until_said("Write off -0.01 CNY: MAIN 2026-11-04")
        await stage.type("a cent")
        await stage.press("ctrl+s")
        await stage.until_said("-0.01 CNY written off")
        await stage.until_said("Reconcile 1")
        await stage.press("i")
        await stage.until_said("Set 7.77 CNY aside")
        await stage.type("ask the bank")
        await stage.press("ctrl+s")
        await stage.until_said("Every line is matched")

    play(bank, tmp_path, story)

    assert [state for state, _matched in states(bank)] == ["matched", "matched", "ignored"]
    assert (bank.held()["fees"], bank.held()["write_off"]) == (500, 1)


def test_what_was_matched_is_looked_at_and_taken_back(bank: BankOffice, tmp_path: Path) -> None:
    made = paid_out(bank)

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("the same amount")
        await stage.press("enter")
        await stage.until_said("Reconcile 2")
        await stage.press("v")
        await stage.until_said("Matched lines 1")
        await stage.until_said(bank.payout(made, "D1").reference)
        await stage.press("U")
        await stage.until_said("-50.00 is open again")
        await stage.press("v")
        await stage.until_said("Reconcile 3")

    play(bank, tmp_path, story)

    assert states(bank) == [("open", 0)] * 3


def test_all_that_is_sure_is_matched_by_rule_in_one_key(bank: BankOffice, tmp_path: Path) -> None:
    paid_out(bank)

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.press("a")
        await stage.until_said("2 matched by rule, 1 left")
        await stage.until_said("Reconcile 1")

    play(bank, tmp_path, story)

    assert [state for state, _matched in states(bank)] == ["matched", "matched", "open"]


def test_a_line_that_was_set_aside_is_taken_up_again(bank: BankOffice, tmp_path: Path) -> None:
    bank.take(row("03", 777, purpose="?"))

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("Nothing that is open fits")
        await stage.press("i")
        await stage.until_said("Set 7.77 CNY aside")
        await stage.type("ask the bank")
        await stage.press("ctrl+s")
        await stage.until_said("Every line is matched")
        await stage.press("u")
        await stage.until_said("Reconcile 1")
        await stage.press("i")
        await stage.until_said("Set 7.77 CNY aside")
        await stage.type("again")
        await stage.press("ctrl+s")
        await stage.until_said("Every line is matched")
        await stage.press("v")
        await stage.until_said("again")
        await stage.press("U")
        await stage.until_said("7.77 is open again")

    play(bank, tmp_path, story)

    assert states(bank) == [("open", 0)]


def test_after_an_undo_the_cursor_is_on_what_was_taken_back(bank: BankOffice, tmp_path: Path) -> None:
    paid_out(bank)

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.press("G")
        await stage.until_said("Nothing that is open fits")
        await stage.press("f")
        await stage.until_said("Reconcile 2")
        assert "李设计2" in stage.lines()[1]  # the last one that is left
        await stage.press("g", "u")
        await stage.until_said("Undone: Fee")
        await stage.until_said("Reconcile 3")
        assert "-5.00 CNY" in stage.lines()[1]

    play(bank, tmp_path, story)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_the_proof_stands_in_the_head_and_a_key_shows_it_line_by_line(
    bank: BankOffice, tmp_path: Path, size: tuple[int, int]
) -> None:
    paid_out(bank)

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("MAIN: bank 895.00 = ledger 895.00")
        await stage.press("p")
        await stage.until_said("Proof of MAIN")
        assert "opening balance" in stage.text()
        assert "1,000.00 CNY" in stage.text()

    play(bank, tmp_path, story, size)


def test_a_line_that_nothing_fits_is_not_offered_a_match(bank: BankOffice, tmp_path: Path) -> None:
    bank.take(row("03", 777, purpose="?"))

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("Nothing that is open fits")
        assert "match" not in stage.lines()[-1]
        await stage.press("enter")
        await stage.until_said("Not possible here")

    play(bank, tmp_path, story)


def test_a_ledger_that_differs_says_so_in_the_head(bank: BankOffice, tmp_path: Path) -> None:
    bank.take(row("03", -500, purpose="card service"))
    bank.money.by("boss").do(
        "bank_statements.take_in", account="MAIN", lines=[row("09", 100)], opening=200000, closing=200100
    )

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("missing statements")
        assert "≠" in stage.lines()[0]

    money_stage.play(bank.money, tmp_path / "office", "fin", story, noun="bank_lines", size=LARGE)
    bank.check = lambda: None  # type: ignore[method-assign]


def test_a_statement_is_taken_in_from_where_its_lines_are_reconciled(bank: BankOffice, tmp_path: Path) -> None:
    file = tmp_path / "bank.xml"
    file.write_text(
        statement(
            [Entry(Decimal("-15.00"), "招商银行", "账户管理费"), Entry(Decimal(558), "陈晓", "货款")], "2026-11-03"
        ),
        "utf-8",
    )

    async def story(stage: Stage) -> None:
        await stage.press("I")
        await stage.until_said("Take in a bank statement")
        await stage.press("/", *["backspace"] * 200)
        await stage.type(str(file))
        await stage.press("enter")
        await stage.until_said("2 lines, 2 new, 0 known before")
        assert "50,000.00 and 543.00 are 50,543.00 CNY" in stage.text()
        assert states(bank) == []
        await stage.pilot.pause(0.3)  # a key that is held would not be heard
        await stage.press("enter")
        await stage.until(lambda: stage.app.table.count == 2)

    money_stage.play(bank.money, tmp_path / "office", "fin", story, noun="bank_lines", jobs=True)

    assert states(bank) == [("open", 0), ("open", 0)]


def test_a_file_that_is_no_statement_is_told_while_it_can_be_said_what_it_is(bank: BankOffice, tmp_path: Path) -> None:
    file = tmp_path / "poem.txt"
    file.write_text("nothing of the kind\n", "utf-8")

    async def story(stage: Stage) -> None:
        await stage.type(f":import {file}")
        await stage.press("enter")
        await stage.until_said("poem.txt")
        await stage.until_said("Format")
        await stage.until(lambda: "statement" in stage.lines()[-6] or "statement" in stage.text())
        await stage.press("escape", "q")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)

    money_stage.play(bank.money, tmp_path / "office", "fin", story, noun="bank_lines", jobs=True)

    assert states(bank) == []


def test_who_only_reads_is_offered_nothing_to_do(bank: BankOffice, tmp_path: Path) -> None:
    paid_out(bank)
    bank.money.by("boss").do("operators.add", login="aud", roles=["auditor"])

    async def story(stage: Stage) -> None:
        await opened(stage)
        await stage.until_said("the same amount")
        await stage.press("enter", "1", "f", "a")
        await stage.settled()
        assert "match" not in stage.lines()[-1]

    play(bank, tmp_path, story, login="aud")

    assert states(bank) == [("open", 0)] * 3


def test_a_reward_can_be_followed_to_the_bank_line_that_paid_it(bank: BankOffice, tmp_path: Path) -> None:
    made = bank.exported("D1")
    (line,) = bank.take(row("03", -5000, end_to_end_id=bank.payout(made, "D1").reference, reference="STMT-3"))
    bank.money.wait(days=30)
    bank.do("match", line, items=[bank.payout(made, "D1").id])

    async def story(stage: Stage) -> None:
        await stage.press("0")
        await stage.until(lambda: stage.app.table.count == 1)
        await stage.press("enter")
        await stage.until_said("From the lead to the bank")
        assert "STMT-3" in stage.text()
        await stage.press("o")
        await stage.until_said("Where to")
        await stage.type("bank")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.noun == "bank_lines" and stage.app.table.count == 1)

    money_stage.play(bank.money, tmp_path / "office", "fin", story, noun="rewards", size=SMALL)
