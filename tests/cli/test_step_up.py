"""An approval with a second factor, as it is typed: given, asked for at a terminal, or refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bo.cli import diagnostics
from bo.core.office import open_office
from bo.sync import accounts
from tests.cli.laptop import Laptop
from tests.cli.running import Desk, Ran
from tests.sync.desk import furnish
from tests.sync.stage import Stage


class Approver:
    """A settlement that waits for anna, whose second factor is on."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        today = datetime.now(UTC).date()
        period = f"{today - timedelta(days=20)}..{today + timedelta(days=20)}"
        desk.well("operators", "add", "--login", "anna", "--roles", "approver")
        desk.well("referrers", "register", "--code", "D001", "--name", "李设计")
        desk.well(
            "payee-accounts", "add", "--referrer", "D001", "--holder", "李设计", "--number", "6222 0000 1113 0001"
        )
        desk.well("rewards", "adjust", "--referrer", "D001", "--amount", "50", "--reason", "x", "--yes")
        desk.well("settlements", "run", "--period", period)
        self.number = desk.well("settlements", "list", "--fields", "number", "-o", "csv").lines()[1]
        desk.well("settlements", "submit", self.number)
        self.hash = str(desk.well("settlements", "check", self.number, "-o", "json").thing()["content_hash"])
        self.codes = second_factor_of(desk.folder, "anna")

    def approve(self, *words: str) -> Ran:
        return self.desk.bo("settlements", "approve", self.number, "--hash", self.hash, "--yes", "--as", "anna", *words)

    @property
    def state(self) -> str:
        return self.desk.well("settlements", "list", "--fields", "state", "-o", "csv").lines()[1]


def second_factor_of(folder: Path, login: str) -> list[str]:
    """Codes for paper of an operator whose second factor is switched on."""
    with open_office(folder, operator=login) as workspace:
        return accounts.set_up_second_factor(workspace, workspace.actor)[1]


@pytest.fixture
def approver(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Approver:
    monkeypatch.delenv("BO_CODE", raising=False)
    return Approver(desk)


def test_nobody_at_a_terminal_is_told_what_to_give(approver: Approver) -> None:
    ran = approver.approve()

    assert (ran.code, approver.state) == (77, "submitted")
    assert "wants a fresh code of your second factor" in ran.err
    assert "--code" in ran.err


def test_a_code_is_given_with_the_command_and_is_good_once(approver: Approver) -> None:
    wrong = approver.approve("--code", "000000", "-o", "json")
    approved = approver.approve("--code", approver.codes[0])

    assert (wrong.code, wrong.error()["code"]) == (77, "wrong_code")
    assert (approved.code, approver.state) == (0, "approved")


def test_a_code_may_stand_in_the_environment(approver: Approver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BO_CODE", approver.codes[0])

    assert (approver.approve().code, approver.state) == (0, "approved")


def test_who_sits_at_a_terminal_types_it_unseen(approver: Approver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def typed(question: str) -> str:
        asked.append(question)
        return approver.codes[0]

    monkeypatch.setattr("getpass.getpass", typed)
    monkeypatch.setattr(diagnostics, "can_ask", lambda _asked: True)
    ran = approver.approve()

    assert (ran.code, asked, approver.state) == (0, ["Code of the second factor: "], "approved")
    assert approver.codes[0] not in ran.out + ran.err


def test_a_dry_run_asks_for_nothing(approver: Approver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "can_ask", lambda _asked: True)
    monkeypatch.setattr("getpass.getpass", lambda _question: pytest.fail("asked"))

    assert approver.approve("--dry-run").code == 0
    assert approver.state == "submitted"


def test_only_what_wants_one_takes_a_code(desk: Desk) -> None:
    assert "--code" in desk.well("settlements", "approve", "--help").out
    assert "--code" not in desk.well("settlements", "return", "--help").out


def test_a_batch_takes_one_for_the_transaction_that_wants_it(approver: Approver) -> None:
    call = {"command": "settlements.approve", "subject": approver.number, "args": {"hash": approver.hash}}
    line = json.dumps(call)

    without = approver.desk.bo("batch", "-", "--as", "anna", stdin=line)
    approved = approver.desk.bo("batch", "-", "--as", "anna", "--code", approver.codes[0], stdin=line)

    assert (without.code, approved.code, approver.state) == (77, 0, "approved")


# -- on a device -------------------------------------------------------------------------------------------------------


@pytest.fixture
def carl(stage: Stage, laptop: Laptop) -> tuple[str, list[str]]:
    """Carl's laptop, with a settlement that he approved there; it and his codes."""
    stage.office.do("operators.add", login="carl", roles="approver")
    made = furnish(stage)["settlement"]
    stage.office.do("settlements.submit", made)
    codes = accounts.set_up_second_factor(stage.office, stage.operator("carl"))[1]
    laptop.joined("carl")
    shown = str(laptop.well("settlements", "check", made, "-o", "json").thing()["content_hash"])
    ran = laptop.well("settlements", "approve", made, "--hash", shown, "--yes")
    assert "bo sync --code" in ran.err
    return made, codes


def state_of(stage: Stage) -> str:
    return str(stage.office.reader().page("settlements", "", fields=("state",)).rows[0][0])


def test_a_device_sends_it_with_its_sync(stage: Stage, laptop: Laptop, carl: tuple[str, list[str]]) -> None:
    _made, codes = carl
    wrong = laptop.bo("sync", "--code", "000000")
    assert (wrong.code, state_of(stage), len(laptop.pending())) == (77, "submitted", 1)

    laptop.well("sync", "--code", codes[0])

    assert state_of(stage) == "approved"


def test_a_sync_without_one_says_how_to_go_on(stage: Stage, laptop: Laptop, carl: tuple[str, list[str]]) -> None:
    _made, codes = carl
    assert laptop.bo("sync").code == 3
    listed = laptop.well("conflicts", "list", "-o", "json").things()
    assert (listed[0]["code"], "bo sync --code" in str(listed[0]["hint"])) == ("proof_wanted", True)

    laptop.well("conflicts", "retry", str(listed[0]["id"]))
    laptop.well("sync", "--code", codes[0])

    assert state_of(stage) == "approved"
