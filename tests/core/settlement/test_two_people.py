"""A large settlement is approved by two people, neither of whom had a hand in it, by whichever road they come."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from bo.core.kernel.database import Database, SqliteDatabase
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import WrongState
from bo.core.ledger.records import Entry
from bo.core.office import open_database
from bo.core.settlement.records import Settlement
from bo.core.settlement.refusals import ContentChanged, LineDisputed, NotAPerson
from bo.core.settlement.rules import OwnWork
from tests.core.kernel.conftest import new_database
from tests.core.money_office import MoneyOffice, office_in

__all__ = ["new_database"]

LIMIT = "49.99"


@pytest.fixture
def submitted(money: MoneyOffice) -> Settlement:
    money.by("boss").do("settings.set", key="settlement.second_approver_above", value=LIMIT)
    money.earn()
    return money.submitted()


def approve(money: MoneyOffice, made: Settlement, login: str) -> Settlement:
    money.by(login).do("settlements.approve", made.id, hash=made.content_hash)
    return money.get(Settlement, made.id)


def test_above_the_limit_the_first_approval_leaves_it_submitted(money: MoneyOffice, submitted: Settlement) -> None:
    # when
    first = approve(money, submitted, "anna")

    # then
    assert (first.state, first.approvers, first.approved_by) == ("submitted", (money.ids["anna"],), "")
    assert money.all(Entry) == []
    money.refuses(WrongState, "fin", "settlements.export", submitted.id, file_hash="0", file_name="x")

    # when
    second = approve(money, submitted, "abel")

    # then
    assert (second.state, second.approved_by) == ("approved", money.ids["abel"])
    assert set(second.approvers) == {money.ids["anna"], money.ids["abel"]}
    assert money.balance("reward_payable") == -5000


def test_nobody_does_both_approvals(money: MoneyOffice, submitted: Settlement) -> None:
    approve(money, submitted, "anna")

    said = money.refuses(OwnWork, "anna", "settlements.approve", submitted.id, hash=submitted.content_hash)

    assert said == "anna has approved this settlement already"


def test_at_the_limit_one_is_enough(money: MoneyOffice) -> None:
    money.by("boss").do("settings.set", key="settlement.second_approver_above", value="50")
    money.earn()

    assert approve(money, money.submitted(), "anna").state == "approved"


def test_in_another_currency_there_are_always_two_where_there_is_a_limit(money: MoneyOffice) -> None:
    money.by("boss").do("settings.set", key="settlement.second_approver_above", value="1000000")
    money.by("fin").do("payee_accounts.add", referrer="D1", holder="x", number="1", currency="EUR")
    money.by("fin").do("rewards.adjust", referrer="D1", amount="1", currency="EUR", reason="x")
    made = money.run(currency="EUR")
    money.by("fin").do("settlements.submit", made.id)

    assert approve(money, money.get(Settlement, made.id), "anna").state == "submitted"


@pytest.mark.parametrize("change", ["return", "edit"])
def test_a_change_takes_the_first_approval_away(money: MoneyOffice, submitted: Settlement, change: str) -> None:
    # given
    approve(money, submitted, "anna")

    # when
    if change == "return":
        money.by("abel").do("settlements.return", submitted.id, reason="look again")
    else:
        cause = money.earn("D2")
        money.by("fred").do("settlements.add_line", submitted.id, line=money.line(cause).id)
    assert money.get(Settlement, submitted.id).approvers == ()
    money.by("fin").do("settlements.submit", submitted.id)

    # then
    again = money.get(Settlement, submitted.id)
    assert approve(money, again, "abel").state == "submitted"
    assert approve(money, again, "anna").state == "approved"


def test_a_first_approval_that_is_undone_counts_no_more(money: MoneyOffice, submitted: Settlement) -> None:
    # given
    done = money.by("anna").do("settlements.approve", submitted.id, hash=submitted.content_hash)
    money.by("anna").undo(done.operation)

    # then
    assert money.get(Settlement, submitted.id).approvers == ()
    said = money.refuses(OwnWork, "anna", "settlements.approve", submitted.id, hash=submitted.content_hash)
    assert "undid something" in said
    assert approve(money, submitted, "abel").state == "submitted"


def test_an_approval_of_other_content_is_refused_for_the_second_too(money: MoneyOffice, submitted: Settlement) -> None:
    approve(money, submitted, "anna")

    money.refuses(ContentChanged, "abel", "settlements.approve", submitted.id, hash="0" * 64)


def test_a_service_is_neither_of_the_two(money: MoneyOffice, submitted: Settlement) -> None:
    approve(money, submitted, "anna")

    money.refuses(NotAPerson, "system", "settlements.approve", submitted.id, hash=submitted.content_hash)


def test_a_rule_does_not_approve_in_the_name_of_a_person(money: MoneyOffice) -> None:
    # given
    money.earn()
    made = money.submitted()
    before = money.image()

    # when
    call = Call("settlements.approve", made.id, {"hash": made.content_hash}, cause="op_1 rule_1")
    (outcome,) = money.by("anna").run([call])

    # then
    assert isinstance(outcome.error, NotAPerson)
    assert money.image() == before


def test_who_said_what_tax_is_withheld_does_not_approve(money: MoneyOffice) -> None:
    money.by("boss").do("roles.edit", "approver", permissions="settlements.*,payee_accounts.*,rewards.read")
    money.by("anna").do("referrers.set_tax", "D1", tax="flat", rate="5%")
    money.earn()
    made = money.submitted()

    said = money.refuses(OwnWork, "anna", "settlements.approve", made.id, hash=made.content_hash)

    assert "what tax" in said


def test_a_disputed_line_stops_submitting_and_approving(money: MoneyOffice) -> None:
    # given
    money.earn()
    draft = money.run()
    made = money.submitted()
    money.ws.database.session.script(["UPDATE reward_line SET disputed = 1"])

    # then
    money.refuses(LineDisputed, "anna", "settlements.approve", made.id, hash=made.content_hash)
    money.by("anna").do("settlements.return", made.id, reason="x")
    money.refuses(LineDisputed, "fin", "settlements.submit", draft.id)


# -- at once, on both databases ----------------------------------------------------------------------------------------


def together(database: Database, logins: list[str], call: Call, clock: Callable[..., object]) -> list[Outcome]:
    """The same call by several people at the same moment, each with a connection of their own."""
    ready = Barrier(len(logins))

    def one(login: str) -> Outcome:
        own = another(database)
        with open_database(own, operator=login, clock=clock) as ws:  # type: ignore[arg-type]
            ready.wait()
            return ws.run([call])[0]

    with ThreadPoolExecutor(len(logins)) as pool:
        return list(pool.map(one, logins))


def another(database: Database) -> Database:
    """The same office by another connection."""
    if isinstance(database, SqliteDatabase):
        return SqliteDatabase(database.path)
    return type(database)(database.url, database.schema)  # type: ignore[attr-defined, call-arg]


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, new_database: Callable[[str], Database]) -> MoneyOffice:
    return office_in(new_database(request.param))


def test_two_approvers_at_once_both_count_once(anywhere: MoneyOffice) -> None:
    # given
    anywhere.by("boss").do("settings.set", key="settlement.second_approver_above", value=LIMIT)
    anywhere.earn()
    made = anywhere.submitted()
    call = Call("settlements.approve", made.id, {"hash": made.content_hash})

    # when
    outcomes = together(anywhere.ws.database, ["anna", "abel"], call, anywhere.clock)

    # then
    assert [outcome.status for outcome in outcomes] == ["applied", "applied"]
    approved = anywhere.get(Settlement, made.id)
    assert (approved.state, len(approved.approvers)) == ("approved", 2)
    assert len(anywhere.all(Entry)) == 1


def test_two_approvers_at_once_where_one_is_enough_post_once(anywhere: MoneyOffice) -> None:
    # given
    anywhere.earn()
    made = anywhere.submitted()
    call = Call("settlements.approve", made.id, {"hash": made.content_hash})

    # when
    outcomes = together(anywhere.ws.database, ["anna", "abel"], call, anywhere.clock)

    # then
    assert sorted(outcome.status for outcome in outcomes) == ["applied", "refused"]
    assert all(isinstance(outcome.error, WrongState | None) for outcome in outcomes)
    assert anywhere.balance("reward_expense") == 5000


def test_two_runs_at_once_make_one_settlement(anywhere: MoneyOffice) -> None:
    # given
    anywhere.earn("D1")
    anywhere.earn("D2")

    # when
    call = Call("settlements.run", None, {"period": "2026-11"})
    outcomes = together(anywhere.ws.database, ["fin", "fred"], call, anywhere.clock)

    # then
    assert sorted(outcome.status for outcome in outcomes) == ["applied", "unchanged"]
    (made,) = anywhere.all(Settlement)
    assert {outcome.returned for outcome in outcomes} == {made.id}
    assert (made.total, made.lines) == (10000, 2)
