"""The journal's chain: what is altered, cut out, exchanged or added is found, and the first bad operation named."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo.core.kernel.errors import Damaged
from bo.core.kernel.journal import GENESIS, everything, verify_chain
from bo.core.kernel.unit import HASHED_AT_ONCE, chain_hash
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import head_of
from tests.core.kernel.stock import stock

COUNT = 15


@pytest.fixture
def recorded(office: Workspace) -> Workspace:
    stock(office)
    assert office.verify() == COUNT
    return office


def tamper(office: Workspace, *statements: str) -> int:
    """Change the tables behind the journal's back for a moment; the number at which the check stops."""
    session = office.database.session
    session.script(["BEGIN", *statements])
    try:
        with pytest.raises(Damaged) as found:
            verify_chain(session)
    finally:
        session.script(["ROLLBACK"])
    return int(str(found.value.facts["seq"]))


@given(st.integers(1, 3), st.integers(-1, 1))
def test_the_chain_of_a_large_operation_is_hashed_piece_by_piece_to_the_same(pieces: int, more: int) -> None:
    texts = [str(place) for place in range(pieces * HASHED_AT_ONCE + more)]

    assert chain_hash(texts) == sha256("\n".join(texts).encode()).hexdigest()


def test_an_empty_journal_is_in_order(office: Workspace) -> None:
    assert office.verify() == 0
    assert head_of(office.database.session) == [(0, 0, GENESIS)]


def test_the_altered_operation_is_named_whichever_it_is(recorded: Workspace) -> None:
    for seq in range(1, COUNT + 1):
        assert tamper(recorded, f"UPDATE operation SET args = args || ' ' WHERE seq = {seq}") == seq
        assert tamper(recorded, f'UPDATE change SET "after" = "after" || \' \' WHERE seq = {seq}') == seq
    assert recorded.verify() == COUNT


def test_every_column_of_an_operation_is_in_the_chain(recorded: Workspace) -> None:
    columns = ("id", "batch", "name", "subject", "actor", "device", "hash")

    for change in (*(f"{column} = 'x'" for column in columns), "version = 2"):
        assert tamper(recorded, f"UPDATE operation SET {change} WHERE seq = 7") == 7


def test_the_time_of_an_operation_is_in_the_chain(recorded: Workspace) -> None:
    wrong = ["2026-10-31T12:00:00.001Z"]
    if recorded.database.dialect == "sqlite":
        wrong += ["whenever", "", "2026-13-31T12:00:00.000Z"]

    for text in wrong:
        assert tamper(recorded, f"UPDATE operation SET at = '{text}' WHERE seq = 7") == 7


def test_every_column_of_a_change_is_in_the_chain(recorded: Workspace) -> None:
    columns = ("noun", '"row"', '"before"', '"after"', "scope_before", "scope_after")

    for change in (*(f"{column} = 'x'" for column in columns), "place = 9"):
        assert tamper(recorded, f"UPDATE change SET {change} WHERE seq = 7 AND place = 0") == 7


def test_what_is_cut_out_is_named_whichever_it_is(recorded: Workspace) -> None:
    for seq in range(1, COUNT + 1):
        assert tamper(recorded, f"DELETE FROM change WHERE seq = {seq}") == seq
        # what follows is read in its place; where nothing follows, the head knows
        assert tamper(recorded, f"DELETE FROM operation WHERE seq = {seq}") == (seq if seq < COUNT else seq - 1)


def test_operations_that_changed_places_are_named(recorded: Workspace) -> None:
    swap = [
        f"UPDATE {table} SET seq = CASE seq WHEN 4 THEN -4 WHEN 6 THEN -6 ELSE seq END"
        for table in ("operation", "change")
    ] + [
        f"UPDATE {table} SET seq = CASE seq WHEN -4 THEN 6 WHEN -6 THEN 4 ELSE seq END"
        for table in ("operation", "change")
    ]

    assert tamper(recorded, *swap) == 4


def test_a_journal_cut_at_its_end_is_found_by_its_head(recorded: Workspace) -> None:
    cut = [f"DELETE FROM {table} WHERE seq > 9" for table in ("operation", "change")]

    assert tamper(recorded, *cut) == 9


def test_a_journal_that_was_emptied_is_found(recorded: Workspace) -> None:
    assert tamper(recorded, "DELETE FROM operation", "DELETE FROM change") == 0


def test_an_operation_that_was_added_behind_the_head_is_found(recorded: Workspace) -> None:
    copied = "id || 'x', batch, name, version, subject, args, actor, device, at, hash, cause"

    assert (
        tamper(recorded, f"INSERT INTO operation SELECT {COUNT + 1}, {copied} FROM operation WHERE seq = 1")
        == COUNT + 1
    )


@pytest.mark.parametrize("seq", [0, COUNT + 1, 10**6])
def test_a_change_of_no_operation_is_found(recorded: Workspace, seq: int) -> None:
    columns = 'place, noun, "row", "before", "after", scope_before, scope_after'

    assert tamper(recorded, f"INSERT INTO change SELECT {seq}, {columns} FROM change WHERE seq = 1") == seq


def test_a_head_that_was_set_back_is_found(recorded: Workspace) -> None:
    assert tamper(recorded, "UPDATE head SET seq = seq - 1") == COUNT


def test_each_link_is_the_hash_of_the_one_before_and_of_what_is_stored(office: Workspace) -> None:
    made = office.do("shops.add", code="west")
    ((operation, (change,)),) = everything(office.database.session)

    assert change.after is not None
    parts = [
        GENESIS,
        "1",
        made.operation,
        made.operation,
        "shops.add",
        "1",
        "",
        '{"code":"west"}',
        "boss",
        "dev_test",
        "2026-11-02T01:00:01.000Z",
    ]
    parts += ["0", "shops", str(made.returned), "", change.after.decode(), "", "shared"]
    assert operation.hash == sha256("\n".join(parts).encode()).hexdigest()
    assert head_of(office.database.session) == [(1, 1, operation.hash)]


def test_a_long_journal_is_walked_in_pages(office: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    stock(office)
    monkeypatch.setattr("bo.core.kernel.journal.PAGE", 4)

    assert [item.seq for item, _changes in everything(office.database.session)] == list(range(1, COUNT + 1))
    assert office.verify() == COUNT
