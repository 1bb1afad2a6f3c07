"""What an operator is called is for everybody who sees what they did; nothing else of them is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.database import SqliteDatabase
from bo.core.kernel.errors import NotAllowed
from bo.core.kernel.wire import Names
from tests.core.money_office import MoneyOffice, office_in


@pytest.fixture
def money(tmp_path: Path) -> Iterator[MoneyOffice]:
    made = office_in(SqliteDatabase(tmp_path / "office.db"))
    made.by("boss").do("operators.edit", made.ids["fin"], name="方 Fang")
    yield made
    made.ws.close()
    made.ws.close()


def test_who_may_not_read_operators_learns_their_names_and_no_more(money: MoneyOffice) -> None:
    reader = money.by("anna").reader()

    assert reader.called("operators", [money.ids["fin"], money.ids["rita"]]) == {
        money.ids["fin"]: "方 Fang",
        money.ids["rita"]: "rita",
    }
    with pytest.raises(NotAllowed):
        reader.page("operators")


def test_who_is_not_there_has_no_name(money: MoneyOffice) -> None:
    assert money.by("anna").reader().called("operators", ["oper_none", ""]) == {}


def test_names_of_other_records_are_for_who_may_read_them(money: MoneyOffice) -> None:
    assert money.by("anna").reader().called("referrers", [money.referrers["D1"]]) == {}


def test_history_says_who_did_it_to_everybody(money: MoneyOffice) -> None:
    money.earn()
    made = money.run()
    assert made.created_by == money.ids["fin"]
    assert Names(money.by("anna").reader()).of(made.created_by) == "方 Fang"
    assert Names(money.by("boss").reader()).of(made.created_by) == "fin"
