"""Settings of an office: declared with a default, changed by those who may, and known to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bo.core.access.records import OfficeSetting
from bo.core.access.settings import DECLARED, Setting
from bo.core.kernel.dispatch import Call
from bo.core.kernel.kinds import WholeKind
from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create
from bo.core.orders.rules import APPROVAL_ABOVE
from bo.core.returns.rules import RETURN_DAYS


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    with create(tmp_path / "office", context_for("US"), operator="li") as made:
        yield made


def refused(office: Workspace, name: str, subject: str | None = None, /, **args: object) -> str:
    before = office.data_version()
    (outcome,) = office.run([Call(name, subject, args)])
    assert outcome.error is not None
    assert office.data_version() == before
    return outcome.error.code


def told(office: Workspace) -> dict[str, tuple[str, str, bool]]:
    return {item.setting: (item.holds, item.by_itself, item.changed) for item in office.ask("settings.all")}


def test_a_setting_holds_its_default_until_somebody_changes_it(office: Workspace) -> None:
    assert RETURN_DAYS.of(office.reader()) == 30
    office.do("settings.set", key="returns.window_days", value="14")
    assert RETURN_DAYS.of(office.reader()) == 14
    office.do("settings.set", key="returns.window_days", value="21")
    assert RETURN_DAYS.of(office.reader()) == 21
    assert office.reader().count("settings") == 1

    office.do("settings.reset", "returns.window_days")
    assert RETURN_DAYS.of(office.reader()) == 30


def test_amounts_are_typed_and_shown_in_major_units(office: Workspace) -> None:
    office.do("settings.set", key="refunds.approval_above", value="1,000.50")

    assert APPROVAL_ABOVE.of(office.reader()) == 100_050
    assert told(office)["refunds.approval_above"] == ("1000.50", "0.00", True)
    assert told(office)["returns.window_days"] == ("30", "30", False)


def test_a_change_is_undone_like_any_other(office: Workspace) -> None:
    done = office.do("settings.set", key="returns.window_days", value="14")
    office.undo(done.operation)

    assert RETURN_DAYS.of(office.reader()) == 30


def test_what_is_no_setting_or_no_value_of_it_is_refused(office: Workspace) -> None:
    assert refused(office, "settings.set", key="returns.windows", value="14") == "unknown_setting"
    assert refused(office, "settings.set", key="returns.window_days", value="soon") == "bad_value"
    assert refused(office, "settings.set", key="returns.window_days", value="-1") == "bad_value"
    assert refused(office, "settings.reset", "returns.window_days") == "not_found"


def test_settings_are_changed_by_those_who_may_and_known_to_everybody(office: Workspace) -> None:
    office.do("settings.set", key="returns.window_days", value="14")
    office.do("operators.add", login="bo", roles="store")
    office.actor = str(office.reader().page("operators", "login:bo", fields=("id",)).rows[0][0])

    assert refused(office, "settings.set", key="returns.window_days", value="99") == "not_allowed"
    assert RETURN_DAYS.of(office.reader()) == 14


def test_every_declared_setting_can_be_set_to_what_it_shows(office: Workspace) -> None:
    for key, (_holds, usual, _changed) in told(office).items():
        office.do("settings.set", key=key, value=usual)
        assert DECLARED[key].of(office.reader()) == DECLARED[key].default
    assert {item.scope for item in office.reader().records(OfficeSetting)} == {"everyone"}


def test_two_settings_of_one_key_are_a_mistake() -> None:
    with pytest.raises(TypeError):
        Setting(RETURN_DAYS.key, WholeKind(), 1, "again")
