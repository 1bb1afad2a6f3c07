"""Journals that Beancount and hledger accept, and whose balances they find equal to ours.

hledger itself runs where it is installed (or `BO_TEST_HLEDGER` names it); a strict reader of the part of its format
that is written here runs everywhere.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from tests.core.money_office import MoneyOffice

HLEDGER: Final = os.environ.get("BO_TEST_HLEDGER") or shutil.which("hledger")
AMOUNT: Final = r"(-?[0-9]+(?:\.[0-9]+)?) ([A-Z]{3})"
DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
# hledger's own rules: an account ends at two spaces or at the end of its line, a semicolon begins a comment.
HEAD: Final = re.compile(rf"({DATE}) ([*!]) \((\d+)\)(?: ([^;]+))?")
LEG: Final = re.compile(rf"  (\S(?:[^\s;]| (?! ))*)  {AMOUNT}(?: =\* {AMOUNT})?")
DAYS: Final[list[dict[str, str]]] = [
    {}, {"since": "2026-11-01"}, {"since": "2026-10-07", "until": "2026-11-02"}, {"until": "2026-10-06"},
]  # fmt: skip


@pytest.fixture
def odd(books: MoneyOffice) -> MoneyOffice:
    """Books with currencies, scripts, marks, phases, a reversal and a late entry."""
    boss = books.by("boss")
    boss.do("books.post", source='say "hi"; \\ ok', day="2026-10-05",
            legs=["fees - 500 CNY", "bank 招商银行_6222 -500 CNY", "fees 中国 -300 JPY",
                  "suspense a;b|\"c\" 300 JPY"])  # fmt: skip
    boss.do("books.reserve", source="part", day="2026-10-06", legs=["reward_payable D1 900 CNY", "bank main -900 CNY"])
    boss.do("books.confirm", source="part", day="2026-10-07", legs=["reward_payable D1 1 CNY", "bank main -1 CNY"])
    boss.do("books.reserve", source="void", day="2026-10-06", legs=["reward_payable D1 800 CNY", "bank main -800 CNY"])
    boss.do("books.cancel", source="void")
    boss.do("books.reserve", source="open", day="2026-10-08", legs=["reward_payable a-b 7 CNY", "bank main -7 CNY"])
    boss.do("ledger.close_period", period="2026-10", with_pending=True)
    boss.do(
        "books.post", source="late", day="2026-10-09", legs=["tax_withheld a_b -12345 KWD", "write_off - 12345 KWD"]
    )
    boss.do("books.reverse", source="late")
    boss.do("deeds.post", source="(x) * odd", amount="10")
    return books


def written(books: MoneyOffice, folder: Path, form: str, **days: str) -> Path:
    journal = books.by("boss").ask("ledger.export", format=form, **days)
    path = folder / str(journal.name)
    path.write_bytes(journal.content)
    return path


def bean_check(path: Path) -> str:
    """What Beancount complains of."""
    pytest.importorskip("beancount")
    program = "import sys; from beancount.scripts.check import main; sys.argv[0] = 'bean-check'; main()"
    done = subprocess.run([sys.executable, "-c", program, "--no-cache", str(path)], capture_output=True, check=False)
    return (done.stdout + done.stderr).decode() if done.returncode else ""


@pytest.mark.parametrize("days", DAYS)
def test_beancount_accepts_the_journal_and_its_balances(odd: MoneyOffice, tmp_path: Path, days: dict[str, str]) -> None:
    assert bean_check(written(odd, tmp_path, "beancount", **days)) == ""


def test_beancount_sees_one_unit_too_much(odd: MoneyOffice, tmp_path: Path) -> None:
    path = written(odd, tmp_path, "beancount")
    text = path.read_text("utf-8")

    path.write_text(text.replace("balance Expenses:Fees  5.00", "balance Expenses:Fees  5.01"), "utf-8")
    assert "Balance failed" in bean_check(path)


@pytest.mark.parametrize("days", DAYS)
def test_the_hledger_journal_is_read_by_its_rules_and_its_balances_agree(
    odd: MoneyOffice, tmp_path: Path, days: dict[str, str]
) -> None:
    # given
    path = written(odd, tmp_path, "hledger", **days)

    # when
    held = read_hledger(path.read_text("utf-8"))

    # then
    ours = {
        (item.account, item.currency): item.amount for item in odd.ws.ask("ledger.balance", until=days.get("until"))
    }
    for (account, currency), amount in ours.items():
        words = "-".join(word.title() for word in account.split("_"))
        found = sum(value for (name, money), value in held.items()
                    if money == currency and f":{words}" in f":{name}:".replace(f":{words}:", f":{words}")
                    and not name.startswith("Equity:Reserved"))  # fmt: skip
        digits = {"JPY": 0, "KWD": 3}.get(currency, 2)
        assert found == Decimal(amount).scaleb(-digits), (account, currency)


@pytest.mark.skipif(HLEDGER is None, reason="hledger is not installed")
@pytest.mark.parametrize("days", DAYS)
def test_hledger_accepts_the_journal_and_its_balances(odd: MoneyOffice, tmp_path: Path, days: dict[str, str]) -> None:
    path = written(odd, tmp_path, "hledger", **days)

    done = subprocess.run([str(HLEDGER), "-f", str(path), "check", "--strict"], capture_output=True, check=False)

    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_parties_that_differ_have_accounts_that_differ(books: MoneyOffice) -> None:
    from bo.core.ledger.journals import account_called

    parties = ["a b", "a-b", "a_b", "a;b", "a:b", "AB", "ab", "李", "ref_01m80qcy66e9rs265mft1vhw5a",
               "ref-01m80qcy66e9rs265mft1vhw5a", ""]  # fmt: skip
    names = [account_called("reward_payable", party) for party in parties]

    assert len(set(names)) == len(parties)
    assert all(re.fullmatch(r"Liabilities:Reward-Payable(?::P-[\w-]+)?", name) for name in names)
    assert names[8] == "Liabilities:Reward-Payable:P-ref-01m80qcy66e9rs265mft1vhw5a"


def read_hledger(text: str) -> dict[tuple[str, str], Decimal]:
    """Balances by account and currency; every line is one that hledger knows, every transaction balances, every
    assertion holds."""
    accounts: set[str] = set()
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    open_sums: dict[str, Decimal] = defaultdict(Decimal)
    day = ""
    for line in text.split("\n"):
        if not line:
            assert not any(open_sums.values()), line
            open_sums.clear()
        elif line.startswith((";", "  ; ")):
            continue
        elif line.startswith("commodity "):
            assert re.fullmatch(r"commodity 1[0-9]*\.[0-9]* [A-Z]{3}", line), line
        elif line.startswith("account "):
            accounts.add(line.removeprefix("account ").partition("  ;")[0])
        elif head := HEAD.fullmatch(line):
            assert head[1] >= day or "!" in line, line
            day = max(day, head[1])
        else:
            leg = LEG.fullmatch(line)
            assert leg is not None, line
            name, amount, currency, stated, money = leg.groups()
            assert name in accounts, line
            held[name, currency] += Decimal(amount)
            open_sums[currency] += Decimal(amount)
            if stated is not None:
                below = (value for (other, of), value in held.items()
                         if of == money and (other == name or other.startswith(f"{name}:")))  # fmt: skip
                assert sum(below) == Decimal(stated), line
    return held
