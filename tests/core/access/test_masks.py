"""What somebody without `personal.see` gets from every read: masks, and no way round them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import NotAllowed
from bo.core.kernel.snapshot import take_snapshot
from bo.core.kernel.workspace import Workspace
from bo.core.leads.records import Lead
from bo.core.office import context_for, create, open_office
from bo.core.stores.records import Store

MASKED = ("+86138****1111", "w***@example.com", "建国****")
PLAIN = ("+8613812341111", "wei@example.com", "建国路88号1201")
FIELDS = ("phone", "email", "address")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An office with a lead, a store with a phone, a dispatcher and a reviewer."""
    workspace = create(tmp_path, context_for("CN"), operator="ann")
    lead = dict(zip(("number", "name", *FIELDS), ("L1", "王伟", *PLAIN), strict=True))
    store = {"code": "S1", "name": "West", "phone": "13812341111"}
    calls = [Call("leads.report", None, lead), Call("stores.add", None, store)]
    people = [{"login": role, "name": role, "roles": [role]} for role in ("dispatcher", "reviewer")]
    calls += [Call("operators.add", None, person) for person in people]
    workspace.run(calls, atomic=True)
    workspace.close()
    return tmp_path


@pytest.fixture
def dispatcher(folder: Path) -> Iterator[Workspace]:
    workspace = open_office(folder, operator="dispatcher")
    yield workspace
    workspace.close()


def test_every_way_to_read_shows_masks(dispatcher: Workspace) -> None:
    reader = dispatcher.reader()
    assert reader.page("leads", fields=FIELDS).rows == [MASKED]
    assert [row for part in reader.stream("leads", fields=FIELDS)[1] for row in part] == [MASKED]
    assert take_snapshot(reader, "leads", fields=FIELDS).window(0, 5) == [(0, *MASKED)]
    for lead in (reader.get(Lead, "L1"), *reader.records(Lead)):
        assert tuple(getattr(lead, name) for name in FIELDS) == MASKED
        assert lead.name == "王伟"


def test_no_filter_no_order_and_no_key_tells_what_the_masks_hide(dispatcher: Workspace) -> None:
    reader = dispatcher.reader()
    for text in ("phone:13812341111", "sort:phone", "email:wei@example.com", "phone_key:any"):
        with pytest.raises(NotAllowed):
            reader.page("leads", text)
    with pytest.raises(NotAllowed):
        reader.page("leads", fields=("phone_key",))


def test_the_phone_of_a_shop_is_no_secret(dispatcher: Workspace) -> None:
    assert dispatcher.reader().get(Store, "S1").phone == "+8613812341111"


def test_who_may_see_it_sees_it(folder: Path) -> None:
    workspace = open_office(folder, operator="reviewer")
    assert workspace.reader().page("leads", "phone:13812341111", fields=FIELDS).rows == [PLAIN]
    workspace.close()


def test_what_was_kept_of_a_file_is_not_shown_to_whom_persons_are_masked(folder: Path) -> None:
    with open_office(folder) as office:
        office.run([Call("leads.edit", "L1", {"extra": {"Mobile at work": "13899990000"}})], atomic=True)
    for operator, kept in (("dispatcher", {}), ("reviewer", {"Mobile at work": "13899990000"})):
        with open_office(folder, operator=operator) as workspace:
            reader = workspace.reader()
            assert reader.get(Lead, "L1").extra == kept
            assert [lead.extra for lead in reader.records(Lead)] == [kept]
    with open_office(folder, operator="dispatcher") as workspace, pytest.raises(NotAllowed):
        workspace.reader().page("leads", fields=("extra",))
