"""The demo is the main job from end to end: a brand's month, by commands alone. It holds each command to its exit
status; here its numbers are checked."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The office that the demo leaves behind, and what it said."""
    folder = tmp_path_factory.mktemp("demo") / "office"
    done = subprocess.run(
        [sys.executable, "-m", "bo", "demo", "--workspace", str(folder)],
        capture_output=True,
        encoding="utf-8",
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-3000:]
    return folder, done.stdout


def ask(folder: Path, *arguments: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "bo", *arguments, "-o", "jsonl"],
        capture_output=True, encoding="utf-8", timeout=60, check=False, env={**os.environ, "BO_WORKSPACE": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_lead_of_both_files_is_in_the_office_once(office: tuple[Path, str]) -> None:
    # given the demo, when its leads are counted
    leads = ask(office[0], "leads", "list", "--fields", "number,state")
    # then the 260 Chinese and 90 English rows are there, the four mended ones too
    assert len(leads) == 350
    assert len({lead["number"] for lead in leads}) == 350
    assert sum(lead["state"] == "won" for lead in leads) == 7
    assert sum(lead["state"] == "duplicate" for lead in leads) > 15


def test_payout_file_ledger_and_settlement_agree_to_the_cent(office: tuple[Path, str]) -> None:
    folder = office[0]
    (settlement,) = ask(folder, "settlements", "list", "--fields", "number,state,total")
    with (folder / "files/payout.csv").open(encoding="utf-8-sig", newline="") as file:
        paid = sum(Decimal(row["amount"]) for row in csv.DictReader(file))
    balances = {str(row["account"]): Decimal(str(row["amount"])) for row in ask(folder, "ledger", "balance")}
    assert settlement["state"] == "paid"
    assert Decimal(str(settlement["total"])) == paid == balances["reward_expense"] == -balances["bank"]
    assert balances["reward_payable"] == 0


def test_the_refund_took_back_its_share_of_the_reward(office: tuple[Path, str]) -> None:
    # 3 % of 41,327.43 is 1,239.82; 10,000 of 46,700 were refunded
    (line,) = ask(office[0], "rewards", "list", "kind:clawback", "--fields", "amount,state")
    assert line == {"amount": "-265.49", "state": "paid", "currency": "CNY"}


def test_the_maker_could_not_approve(office: tuple[Path, str]) -> None:
    assert "made this settlement and cannot approve it" in office[1]


def test_the_statement_is_a_pdf_and_masks_the_customer(office: tuple[Path, str]) -> None:
    folder = office[0]
    assert (folder / "files/statement.pdf").read_bytes().startswith(b"%PDF-")
    statement = (folder / "files/statement.csv").read_text("utf-8-sig")
    assert "**" in statement
    names = {
        str(lead["name"]) for lead in ask(folder, "leads", "list", "--fields", "name") if len(str(lead["name"])) > 1
    }
    assert not [name for name in names if f",{name}," in statement]
