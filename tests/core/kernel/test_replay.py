"""Replay: random work, run again from its journal, gives the same bytes in every table of either database."""

from __future__ import annotations

import pytest

from bo.core.kernel.errors import Damaged
from bo.core.kernel.replay import replay, table_rows
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import DIALECTS, NewOffice, everything_in, office_records
from tests.core.kernel.runs import work

SEEDS = range(8)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_journal_run_again_gives_the_same_bytes_on_both_databases(
    new_office: NewOffice, dialect: str, seed: int
) -> None:
    source = new_office(dialect)
    work(source, seed)
    expected = everything_in(source)

    for place, other in enumerate(DIALECTS):
        target = new_office(other)
        done = replay(source, target, at_once=(1, 7)[(seed + place) % 2])

        assert done == source.verify() == target.verify() > 20
        assert everything_in(target) == expected


def test_the_random_work_fills_every_table_and_does_everything(new_office: NewOffice) -> None:
    filled: set[str] = set()
    done: set[str] = set()
    for seed in SEEDS:
        office = new_office("sqlite")
        work(office, seed)
        filled |= {name for name, rows in everything_in(office).items() if rows}
        done |= {item.name for item in office.operations(limit=10_000)}

    assert filled == set(everything_in(new_office("sqlite")))
    assert len(done) == 17


def test_rows_are_written_alike_by_both_databases(office: Workspace) -> None:
    office.do("gauges.add", label="g1", read_at="2026-11-02 10:00", checked_on="2026-11-03", working="no")

    (info,) = (info for info in office_records() if info.noun == "gauges")
    ((number, *values),) = table_rows(office.database.session, info)

    found = dict(zip(info.field_names, values, strict=True))
    assert number == 1
    assert found["read_at"] == "2026-11-02T02:00:00.000Z"
    assert found["created_at"] == "2026-11-02T01:00:01.000Z"
    assert (found["checked_on"], found["working"], found["marks"]) == ("2026-11-03", 0, '["new"]')


def test_a_replay_stops_at_the_first_operation_that_comes_out_otherwise(new_office: NewOffice) -> None:
    source, target = new_office("sqlite"), new_office("sqlite")
    for code in ("west", "east", "north"):
        source.do("shops.add", code=code)
    source.database.session.script(
        ["""UPDATE operation SET args = '{"code":"south"}' WHERE seq = 2"""],
    )

    with pytest.raises(Damaged) as refusal:
        replay(source, target)

    assert refusal.value.facts["seq"] == 2


def test_a_replay_stops_at_an_operation_that_is_refused(new_office: NewOffice) -> None:
    source, target = new_office("sqlite"), new_office("sqlite")
    for code in ("west", "east"):
        source.do("shops.add", code=code)
    source.database.session.script(["""UPDATE operation SET args = '{"code":"west"}' WHERE seq = 2"""])

    with pytest.raises(Damaged, match="there already is a shop with code west"):
        replay(source, target)


def test_a_replay_into_an_office_with_a_history_of_its_own_is_no_replay(new_office: NewOffice) -> None:
    source, target = new_office("sqlite"), new_office("sqlite")
    source.do("shops.add", code="west")
    target.do("gauges.add", label="g1")

    with pytest.raises(Damaged):
        replay(source, target)
