"""Settling on the screen: a run is shown before it is made, an approval says what it binds, every amount its why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.access.proving import WrongCode
from bo.core.referrers.records import PayeeAccount
from bo.core.rewards.records import RewardLine
from bo.core.settlement.records import Payout, Settlement
from bo.sync import accounts
from bo.tui.app import _first_place
from bo.tui.settling import is_typed
from tests.core.money_office import MoneyOffice, copy_office
from tests.core.money_office import make_office as make_money
from tests.tui.money_stage import Counted, play
from tests.tui.stage import LARGE, SMALL, Stage


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("settling") / "office"
    make_money(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "office"


@pytest.fixture
def money(template: Path, folder: Path) -> Iterator[MoneyOffice]:
    """D1 and D2 have earned something; D3 too, and is blocked."""
    made = copy_office(template, folder)
    made.earn("D1")
    made.earn("D1", event="won", gross="2000", net="1600")
    made.earn("D2")
    made.earn("D3")
    made.by("rita").do("referrers.block", "D3", reason="asked twice")
    yield made
    made.ws.close()


def settlements(money: MoneyOffice) -> list[Settlement]:
    return money.all(Settlement)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_run_is_shown_with_who_is_held_before_it_is_made(
    money: MoneyOffice, folder: Path, size: tuple[int, int]
) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("c")
        await stage.until_said("Period")
        await stage.type("2026-11")
        await stage.press("ctrl+s")
        await stage.until_said("Would be made")
        text = stage.text()
        assert "180.00 CNY" in text
        assert "2 payees, 3 lines" in text
        assert "1 held" in text
        assert "the referrer is blocked" in text
        assert settlements(money) == []
        await stage.press("y")
        await stage.until_said("submit")  # it is opened
        assert "Settlement S-2026-11-CNY-0001" in stage.text()
        await stage.press("q")
        await stage.until_said("1 settlement made")
        await stage.until(lambda: stage.app.table.count == 1)

    play(money, folder, "fin", story, noun="settlements", size=size)

    assert [(made.state, made.total) for made in settlements(money)] == [("draft", 18000)]


def test_an_approver_who_may_not_read_leads_begins_with_settlements(money: MoneyOffice) -> None:
    assert _first_place(money.by("anna")) == "settlements"


def test_a_run_that_is_not_wanted_leaves_nothing_behind(money: MoneyOffice, folder: Path) -> None:
    before = money.image()

    async def story(stage: Stage) -> None:
        await stage.press("c")
        await stage.until_said("Period")
        await stage.type("2026-11")
        await stage.press("ctrl+s")
        await stage.until_said("Would be made")
        await stage.press("escape")
        await stage.until_said("Left as it is")

    play(money, folder, "fin", story, noun="settlements")

    assert money.image() == before


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_settlement_opens_with_its_payees_and_the_lines_of_the_one_at_the_cursor(
    money: MoneyOffice, folder: Path, size: tuple[int, int]
) -> None:
    money.run()

    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.until_said("5 % of 1600.00 CNY")
        text = stage.text()
        assert "130.00" in text  # D1: 50 for the lead, 80 for the order
        assert "the referrer is blocked" in text
        assert "180.00 CNY" in text
        assert "ORDER/1" in text
        await stage.press("j")
        await stage.until(lambda: "ORDER/1" not in stage.text())
        assert "VALID/1" in stage.text()

    play(money, folder, "fin", story, noun="settlements", size=size)


def test_every_line_says_why_and_the_way_can_be_followed(money: MoneyOffice, folder: Path) -> None:
    money.run()

    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.until_said("ORDER/1")
        await stage.press("enter", "j", "enter")
        await stage.until_said("From the lead to the bank")
        text = stage.text()
        assert "5 % of 1600.00 CNY" in text
        assert "80.00 CNY" in text
        assert "computed again: the same" in text
        assert "S-2026-11-CNY-0001" in text
        await stage.press("o")
        await stage.until_said("Where to")
        await stage.type("payout")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.noun == "payouts" and len(stage.app.screen_stack) == 1)
        assert stage.app.table.count == 1

    play(money, folder, "fin", story, noun="settlements", size=LARGE)


def test_a_reward_line_says_why_where_rewards_are_listed(money: MoneyOffice, folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("0")
        await stage.until(lambda: stage.app.table.count == 4)
        await stage.press("enter")
        await stage.until_said("Why this amount?")
        await stage.until_said("by rule")
        await stage.press("q")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)

    play(money, folder, "fin", story, noun="rewards")


def test_what_was_taken_back_is_named_and_can_be_gone_to(money: MoneyOffice, folder: Path) -> None:
    line = money.line(money.earn("D2", event="won", gross="2000", net="1600"))
    money.by("boss").do("deeds.refund", cause=line.cause, refunded="500", of="2000", refunded_net="400", net="1600")

    async def story(stage: Stage) -> None:
        await stage.type("/kind:clawback")
        await stage.press("enter")
        await stage.until(lambda: stage.app.table.count == 1)
        await stage.press("enter")
        await stage.until_said(f"takes back part of {line.id[-8:]}")
        await stage.press("o")
        await stage.until_said("Where to")
        await stage.press("escape")
        await stage.until(lambda: "Where to" not in stage.text())
        assert "Why this amount?" in stage.text()
        await stage.press("o")
        await stage.until_said("Where to")
        await stage.type("taken")
        await stage.press("enter")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)
        await stage.until(lambda: stage.current().id == line.id)

    play(money, folder, "fin", story, noun="rewards")


def test_why_a_run_is_refused_is_said_to_its_end(money: MoneyOffice, folder: Path) -> None:
    money.run("2026-W45")

    async def story(stage: Stage) -> None:
        await stage.press("c")
        await stage.until_said("Period")
        await stage.type("2026-11")
        await stage.press("ctrl+s")
        await stage.until_said("overlaps 2026-W45")
        assert "Choose another period, or cancel that settlement" in " ".join(stage.text().split())
        assert "Esc leave" in stage.text()
        await stage.press("backspace")
        await stage.until(lambda: "overlaps" not in stage.text())

    play(money, folder, "fin", story, noun="settlements")


def test_our_only_account_is_filled_in_where_a_payout_file_is_asked_for(money: MoneyOffice, folder: Path) -> None:
    money.by("boss").do("bank_accounts.add", code="MAIN", holder="Acme", number="6225880112345674", currency="CNY")
    money.approved()

    async def story(stage: Stage) -> None:
        await stage.press("E")
        await stage.until_said("Paying account")
        await stage.until_said("MAIN")

    async def opened(stage: Stage) -> None:
        await stage.press("enter")
        await stage.until_said("export")
        await story(stage)

    play(money, folder, "fin", opened, noun="settlements", jobs=True)


def test_what_is_left_to_be_paid_is_asked_about(money: MoneyOffice, folder: Path) -> None:
    made = money.exported()
    money.by("fin").do("payouts.mark_paid", money.payout(made, "D1").id)

    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.until_said("mark paid")
        await stage.press("d")
        await stage.until_said("Paid by the bank: S-2026-11-CNY-0001, 1 payees, 50.00 CNY")

    play(money, folder, "fin", story, noun="settlements")


def test_a_line_and_a_payee_are_taken_out_and_in_again(money: MoneyOffice, folder: Path) -> None:
    made = money.run()

    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.until_said("ORDER/1")
        await stage.press("tab", "x")
        await stage.until_said("taken out; u undoes")
        await stage.until(lambda: "3 lines" not in stage.text())
        await stage.press("u")
        await stage.until_said("Undone: Remove line")
        await stage.until_said("2 payees, 3 lines")
        await stage.press("tab", "x")
        await stage.until_said("Take D1 out: 130.00")
        await stage.type("asks for it")
        await stage.press("ctrl+s")
        await stage.until_said("D1 taken out")
        await stage.until_said("2 held")
        await stage.press("u")
        await stage.until_said("1 held")

    play(money, folder, "fin", story, noun="settlements", size=LARGE)

    assert money.get(Settlement, made.id).total == 18000


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_what_is_approved_is_shown_and_the_total_is_typed(
    money: MoneyOffice, folder: Path, size: tuple[int, int]
) -> None:
    made = money.submitted()

    async def story(stage: Stage) -> None:
        counted = Counted(stage)
        await counted.press("d")
        await stage.until_said("Type the total of S-2026-11-CNY-0001, 180.00")
        text = stage.text()
        bound = (made.content_hash[:32], made.content_hash[32:])
        told = (
            f"made by{' ' * 16}fin",
            "2026-11",
            "180.00 CNY",
            "2 payees, 3 lines",
            "1 not paid now",
            "D1, D2",
            "yours is enough",
        )
        for words in (*told, *bound):
            assert words in text, words
        await stage.type("18")  # the proof of who it is stands beside the count
        await stage.press("enter")
        await stage.until_said("That is not the total")
        assert money.get(Settlement, made.id).state == "submitted"
        await stage.type("180.00")
        await counted.press("enter")
        await stage.until_said("S-2026-11-CNY-0001 approved")
        assert counted.keys <= 5

    play(money, folder, "anna", story, noun="settlements", size=size)

    approved = money.get(Settlement, made.id)
    assert (approved.state, approved.approved_hash) == ("approved", made.content_hash)
    assert approved.approved_by == money.ids["anna"]


def test_money_that_goes_elsewhere_and_a_second_approver_are_told(money: MoneyOffice, folder: Path) -> None:
    # given: D1 and D2 were paid, and D1 has another account since
    money.by("fin").do("settlements.mark_paid", money.exported().id)
    account = money.all(PayeeAccount, f"referrer:{money.referrers['D1']}")[0]
    money.by("boss").do("payee_accounts.change", account.id, number="6225880112345674")
    money.by("boss").do("settings.set", key="settlement.second_approver_above", value="10")
    money.wait(days=30)
    money.earn("D1")
    money.earn("D2")
    made = money.submitted("2026-12")

    async def story(stage: Stage) -> None:
        await stage.press("g", "g", "d")
        await stage.until_said("Type the total of S-2026-12-CNY-0001")
        assert "D1 *0001 > *5674" in stage.text()
        assert "2 are needed: after yours somebody else" in stage.text()
        await stage.type("100")
        await stage.press("enter")
        await stage.until(lambda: money.get(Settlement, made.id).approvers)

    play(money, folder, "anna", story, noun="settlements")

    assert money.get(Settlement, made.id).state == "submitted"


def test_several_payouts_are_asked_about_with_their_count_and_amount(money: MoneyOffice, folder: Path) -> None:
    made = money.run()

    async def story(stage: Stage) -> None:
        await stage.press("/")
        await stage.type("state:planned")
        await stage.press("enter")
        await stage.until(lambda: stage.app.table.count == 2)
        await stage.press("*")
        await stage.until(lambda: len(stage.app.table.marks) == 2)
        await stage.press("b")
        await stage.until_said("Hold: 2 payouts")
        await stage.type("not this month")
        await stage.press("ctrl+s")
        await stage.until_said("2 payouts ?")
        await stage.until_said("180.00 CNY")
        await stage.pilot.pause(0.3)
        await stage.press("enter")
        await stage.until_said("Left as it is")

    play(money, folder, "fin", story, noun="payouts")

    assert money.get(Settlement, made.id).total == 18000


def test_a_change_behind_the_approver_is_refused(money: MoneyOffice, folder: Path) -> None:
    made = money.submitted()
    line = money.all(RewardLine, f"settlement:{made.id}")[0]

    async def story(stage: Stage) -> None:
        await stage.press("d")
        await stage.until_said("Type the total")
        money.by("fin").do("settlements.remove_line", made.id, line=line.id)
        money.by("fin").do("settlements.submit", made.id)
        await stage.type("180")
        await stage.press("enter")
        await stage.until_said("is not what was shown to you")

    play(money, folder, "anna", story, noun="settlements", size=LARGE)

    assert money.get(Settlement, made.id).state == "submitted"


def test_who_had_a_hand_in_it_is_told_at_once_and_cannot_type(money: MoneyOffice, folder: Path) -> None:
    made = money.submitted()
    money.by("boss").do("operators.edit", money.ids["fin"], roles=["finance", "approver"])

    async def story(stage: Stage) -> None:
        await stage.press("d")
        await stage.until_said("This cannot be approved: fin made this settlement")
        await stage.type("180")
        await stage.press("enter", "escape")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)

    play(money, folder, "fin", story, noun="settlements")

    assert money.get(Settlement, made.id).state == "submitted"


def test_a_second_factor_is_asked_for_where_there_is_one_and_each_code_is_good_once(
    money: MoneyOffice, folder: Path
) -> None:
    made = money.submitted()
    _uri, codes = accounts.set_up_second_factor(money.ws, money.ids["anna"])

    async def story(stage: Stage) -> None:
        counted = Counted(stage)
        await counted.press("d")
        await stage.until_said("Code of your second factor")
        await stage.type("000000")
        await stage.press("enter")
        await stage.until_said("the code is wrong")
        assert money.get(Settlement, made.id).state == "submitted"
        await stage.type(codes[0])
        await counted.press("enter")
        await stage.until_said("S-2026-11-CNY-0001 approved")
        assert codes[0] not in stage.text()
        assert counted.keys <= 5

    play(money, folder, "anna", story, noun="settlements")

    assert money.get(Settlement, made.id).state == "approved"
    with pytest.raises(WrongCode):
        money.by("anna").prove(codes[0])


def test_who_only_approves_takes_nothing_out(money: MoneyOffice, folder: Path) -> None:
    made = money.run()

    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.until_said("ORDER/1")
        await stage.settled()
        await stage.press("x")
        await stage.until_said("Not possible here")
        await stage.press("tab", "x", "tab", "j", "j", "W")
        await stage.settled()
        assert len(stage.app.screen_stack) == 2

    play(money, folder, "anna", story, noun="settlements", size=LARGE)

    assert money.get(Settlement, made.id).total == 18000


def test_a_payout_opens_its_settlement_at_its_payee(money: MoneyOffice, folder: Path) -> None:
    money.run()

    async def story(stage: Stage) -> None:
        await stage.press("/")
        await stage.type("payee_code:D2")
        await stage.press("enter")
        await stage.until(lambda: stage.app.table.count == 1)
        await stage.press("enter")
        await stage.until_said("Settlement S-2026-11-CNY-0001")
        await stage.until(lambda: "D2 李设计2" in stage.lines()[0])

    play(money, folder, "fin", story, noun="payouts", size=LARGE)


def test_a_key_behind_that_of_a_view_is_meant_for_the_rows_of_that_view(money: MoneyOffice, folder: Path) -> None:
    first = money.run("2026-W45")
    money.wait(days=7)
    money.earn("D2")
    second = money.run("2026-W46")
    money.by("fin").do("settlements.submit", second.id)

    async def story(stage: Stage) -> None:
        await stage.press("0")
        await stage.until(lambda: stage.app.table.count == 2)
        assert stage.current().id == second.id
        stage.burst("2", "d")  # the drafts, and the good step
        await stage.until(lambda: money.get(Settlement, first.id).state == "submitted")

    play(money, folder, "fin", story, noun="settlements")


def test_it_is_given_back_with_a_reason(money: MoneyOffice, folder: Path) -> None:
    made = money.submitted()

    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.until_said("give back")
        await stage.press("b")
        await stage.until_said("Give S-2026-11-CNY-0001 back")
        await stage.type("D2 twice")
        await stage.press("ctrl+s")
        await stage.until_said("given back; u undoes")

    play(money, folder, "anna", story, noun="settlements")

    returned = money.get(Settlement, made.id)
    assert (returned.state, returned.note) == ("draft", "D2 twice")


def test_the_payout_file_is_written_by_a_job_and_what_leaves_is_said(money: MoneyOffice, folder: Path) -> None:
    made = money.approved()

    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.until_said("export")
        await stage.press("d")
        await stage.until_said("Payout file of S-2026-11-CNY-0001: 2 payees, 180.00 CNY")
        await stage.press("ctrl+s")
        await stage.until_said("2 payments, 180.00 CNY, leave the office in S-2026-11-CNY-0001.csv ?")
        await stage.pilot.pause(0.3)
        await stage.press("y")
        await stage.until(lambda: stage.app.jobs.all and not stage.app.jobs.running)
        assert stage.app.jobs.all[0].state == "done", stage.app.jobs.all[0].told
        await stage.until_said("exported")
        await stage.press("d")
        await stage.until_said("Paid by the bank")
        await stage.press("ctrl+s")
        await stage.until_said("do it")
        await stage.pilot.pause(0.3)
        await stage.press("enter")
        await stage.until_said("S-2026-11-CNY-0001 paid")

    play(money, folder, "fin", story, noun="settlements", size=LARGE, jobs=True)

    assert (folder / "payouts" / "S-2026-11-CNY-0001.csv").is_file()
    assert money.get(Settlement, made.id).state == "paid"
    assert {item.state for item in money.all(Payout)} == {"paid", "held"}


@pytest.mark.parametrize(
    ("typed", "good"),
    [("1234.50", True), ("1,234.50", True), ("1234.5", True), ("1 234.50", True), ("1234", False), ("", False),
     ("1234.51", False), ("12345", False)],
)  # fmt: skip
def test_a_total_is_typed_with_or_without_its_marks(typed: str, good: bool) -> None:
    assert is_typed(typed, "1234.50") is good


@pytest.mark.parametrize(
    ("typed", "good"), [("180", True), ("180.00", True), ("180.0", True), ("18", False), ("1800", False)]
)
def test_a_round_total_needs_no_decimals(typed: str, good: bool) -> None:
    assert is_typed(typed, "180.00") is good
