"""The demo is the main job from end to end: a brand's month, by commands alone, then its team with a central store. It
holds each command to its exit status; here its numbers are checked."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bo.demo import team
from bo.demo.server import Server
from bo.demo.stage import Stage

SOLD = 7  # by the month's end; the team sells one more


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The office that the demo leaves behind, and what it said."""
    folder = tmp_path_factory.mktemp("demo") / "office"
    done = subprocess.run(
        [sys.executable, "-m", "bo", "demo", "--workspace", str(folder)],
        capture_output=True,
        encoding="utf-8",
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-3000:]
    return folder, done.stdout


def ask(folder: Path, *arguments: str, who: str = "") -> list[dict[str, object]]:
    environment = {**os.environ, "BO_WORKSPACE": str(folder), **({"BO_OPERATOR": who} if who else {})}
    done = subprocess.run(
        [sys.executable, "-m", "bo", *arguments, "-o", "jsonl"],
        capture_output=True, encoding="utf-8", timeout=240, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_lead_of_both_files_is_in_the_office_once(office: tuple[Path, str]) -> None:
    # given the demo, when its leads are counted
    leads = ask(office[0], "leads", "list", "--fields", "number,state")
    # then the 260 Chinese and 90 English rows are there, the four mended ones too
    assert len(leads) == 350
    assert len({lead["number"] for lead in leads}) == 350
    assert sum(lead["state"] == "won" for lead in leads) == SOLD
    assert sum(lead["state"] == "duplicate" for lead in leads) > 15


def test_lines_settlement_payment_file_ledger_and_bank_agree_to_the_cent(office: tuple[Path, str]) -> None:
    folder = office[0]
    (settlement,) = ask(folder, "settlements", "list", "--fields", "number,state,total")
    total = Decimal(str(settlement["total"]))
    amounts = re.findall(r"<InstdAmt Ccy=\"CNY\">([0-9.]+)<", (folder / "files/pay.xml").read_text("utf-8"))
    (back,) = ask(folder, "payouts", "list", "state:returned", "--fields", "amount")
    returned = Decimal(str(back["amount"]))
    balances = {str(row["account"]): Decimal(str(row["amount"])) for row in ask(folder, "ledger", "balance")}
    assert settlement["state"] == "closed"
    assert total == sum(map(Decimal, amounts))
    assert balances["reward_expense"] == total - returned
    assert balances["bank"] == 50_000 - total + returned + 558 - 15
    assert balances["reward_payable"] == balances["suspense"] == 0
    assert {row["agrees"] for row in ask(folder, "reconciliations", "report")} == {True}
    assert ask(folder, "bank-lines", "list", "state:open") == []


def test_the_refund_took_back_its_share_of_the_reward(office: tuple[Path, str]) -> None:
    # 3 % of 41,327.43 is 1,239.82, and 10,000 of 46,700 were refunded; of the most that a sale earns, 2,000, 20,000 of
    # 98,750
    lines = ask(office[0], "rewards", "list", "kind:clawback sort:created_at", "--fields", "amount,state")
    assert lines == [{"amount": amount, "state": "paid", "currency": "CNY"} for amount in ("-265.49", "-405.06")]


def test_the_shop_s_orders_are_sent_refunded_and_exchanged(office: tuple[Path, str]) -> None:
    fields = "number,state,payment,refunded"
    orders = {str(row["number"]): row for row in ask(office[0], "orders", "list", "number:W*", "--fields", fields)}
    told = {number: (row["state"], row["payment"], row["refunded"]) for number, row in orders.items()}
    assert told["W1001"] == ("part_fulfilled", "paid", "0.00")
    assert told["W1002"] == ("part_returned", "part_refunded", "376.00")
    assert told["W1002-R1-X"] == ("unfulfilled", "part_paid", "0.00")
    assert told["W1005"] == ("fulfilled", "part_refunded", "336.00")
    stock = ask(office[0], "stock", "list", "--fields", "on_hand,allocated")
    assert sum(int(str(row["on_hand"])) for row in stock) == 100 - 4 - 4 - 3 + 2
    assert all(0 <= int(str(row["allocated"])) <= int(str(row["on_hand"])) for row in stock)


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


# -- the team ----------------------------------------------------------------------------------------------------------


def test_each_laptop_ends_with_the_rows_that_central_has_for_it(office: tuple[Path, str]) -> None:
    place = office[0] / "team"
    fields = ("leads", "list", "--fields", "id,revision,state,store")
    central = {str(lead["id"]): lead for lead in ask(place / "server/acme", *fields, who="lin")}
    shops = {store["code"]: store["id"] for store in ask(place / "hq", "stores", "list", "--fields", "id,code")}

    assert {str(lead["id"]): lead for lead in ask(place / "hq", *fields)} == central
    assert Counter(lead["state"] for lead in central.values())["won"] == SOLD + 1
    for machine, shop in (("west", "HZ-XIHU"), ("binjiang-2", "HZ-BJ")):
        own = {name: lead for name, lead in central.items() if lead["store"] == shops[shop]}
        assert own
        assert {str(lead["id"]): lead for lead in ask(place / machine, *fields)} == own


def test_the_conflict_is_settled_and_the_shut_out_laptop_has_left_its_last_words(office: tuple[Path, str]) -> None:
    place = office[0] / "team"

    assert ask(place / "west", "conflicts", "list") == []
    kept = ask(place, "central", "quarantine", "list", "acme", "--data", str(place / "server"))
    assert [(item["operator"], item["reason"]) for item in kept] == [("binjiang", "revoked")]
    (status,) = ask(place / "binjiang", "sync", "status")
    assert (status["waiting"], status["refused"]) == (1, 0)


def test_no_server_is_left_when_the_story_is_over(office: tuple[Path, str]) -> None:
    (status,) = ask(office[0] / "team/hq", "sync", "status")
    address = urlsplit(str(status["central"]))

    assert address.hostname == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port or 0), timeout=5)


def test_ctrl_c_leaves_no_server_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a story that is interrupted as soon as the server answers
    servers: list[Server] = []

    def interrupted(_stage: Stage, server: Server) -> None:
        server.start("server")
        servers.append(server)
        raise KeyboardInterrupt

    monkeypatch.setattr(team, "set_up", interrupted)
    # when it is told
    with pytest.raises(KeyboardInterrupt):
        team.tell(Stage(tmp_path))
    # then nobody listens there any more
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", servers[0].port), timeout=5)


def test_without_the_server_libraries_the_chapter_is_left_out_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(team, "NEEDED", ("a_library_that_nobody_has",))

    team.tell(Stage(tmp_path))

    assert "pip install 'bo-office[server]'" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
