"""An office with a bank account, a channel, payouts under way and orders, to be reconciled."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bo.core import office
from bo.core.banking.records import BankLine, BankMatch, Reconciliation
from bo.core.kernel.database import Database
from bo.core.kernel.dispatch import Outcome
from bo.core.orders.records import Order
from bo.core.settlement.records import Payout, Settlement
from tests.core import money_office
from tests.core.money_office import MoneyOffice

ACCOUNT: Final = {"holder": "Acme", "currency": "CNY"}


def furnish(money: MoneyOffice) -> None:
    """Our accounts, beside what the money office has."""
    money.by("boss").do("bank_accounts.add", code="MAIN", number="6225880112345674", bic="308584000013", **ACCOUNT)
    money.ws.do("bank_accounts.add", code="SHOP", number="acct_1", kind="channel", bank="Stripe", **ACCOUNT)


def make_office(folder: Path) -> None:
    money_office.make_office(folder)
    money = MoneyOffice(office.open_office(folder, operator="boss", clock=money_office.Clock()),
                        money_office.Clock())  # fmt: skip
    furnish(money)
    money.ws.close()


def copy(template: Path, folder: Path) -> BankOffice:
    made = money_office.copy_office(template, folder / "office")
    return BankOffice(made, folder / "office")


def office_in(database: Database) -> BankOffice:
    made = money_office.office_in(database)
    furnish(made)
    return BankOffice(made)


class BankOffice:
    """What tests do at the bank's side."""

    def __init__(self, money: MoneyOffice, folder: Path = Path()) -> None:
        self.money, self.folder = money, folder
        self.ws = money.ws
        self.balance_so_far: dict[str, int] = {}

    def exported(self, *referrers: str) -> Settlement:
        """A settlement that is paid from MAIN: fifty for each of these."""
        for code in referrers or ("D1", "D2", "D3"):
            self.money.earn(code)
        made = self.money.approved()
        options = {"layout": "csv", "bank_account": "MAIN"}
        file = self.money.by("fin").ask("settlements.payout_file", made.id, **options)
        self.ws.do("settlements.export", made.id, file_hash=file.hash, file_name=file.name, **options)
        return self.money.get(Settlement, made.id)

    def payout(self, settlement: Settlement, referrer: str) -> Payout:
        return self.money.payout(settlement, referrer)

    def order(self, number: str, total: int, name: str = "王小明", **more: object) -> Order:
        outcome = self.money.by("boss").do("orders.record", number=number, channel="web", placed_at=self.money.now,
                                           name=name, total=total, currency="CNY", **more)  # fmt: skip
        return self.money.get(Order, outcome.subject or outcome.returned or "")

    def take(self, *lines: dict[str, object], account: str = "MAIN") -> list[BankLine]:
        """A statement of these lines; they follow each other in their days."""
        before = self.balance_so_far.get(account, 100_000)
        after = before + sum(int(str(line["amount"])) for line in lines)
        self.balance_so_far[account] = after
        made = self.money.by("fin").do("bank_statements.take_in", account=account, lines=list(lines), opening=before,
                                       closing=after)  # fmt: skip
        return self.money.all(BankLine, f"statement:{made.returned or made.subject} sort:position")

    def run(self, **args: object) -> dict[str, int]:
        made = self.money.by("fin").do("reconciliations.run", **args)
        told = self.money.get(Reconciliation, made.returned or "")
        return {"lines": told.lines, "matched": told.matched, "proposed": told.proposed, "left": told.left}

    def do(self, name: str, line: BankLine, **args: object) -> Outcome:
        return self.money.by("fin").do(f"bank_lines.{name}", line.id, **args)

    def line(self, line: BankLine) -> BankLine:
        return self.money.get(BankLine, line.id)

    def matches(self) -> list[BankMatch]:
        return self.money.all(BankMatch, "sort:id")

    def held(self) -> dict[str, int]:
        found = self.money.by("boss").ask("ledger.balance")
        return {item.account: item.amount for item in found if item.amount}

    def check(self) -> None:
        """What always holds: the ledger, the proof, and that nothing is explained twice."""
        assert self.money.by("boss").ask("ledger.check").broken == ""
        lines = {line.id: line for line in self.money.all(BankLine)}
        sums = dict.fromkeys(lines, 0)
        for match in self.matches():
            sums[match.line] += match.amount
        for line in lines.values():
            assert sums[line.id] == line.matched
            assert abs(line.matched) <= abs(line.amount)
        suspense = sum(line.left for line in lines.values())
        assert self.held().get("suspense", 0) == -suspense
        for told in self.ws.ask("bank_statements.check"):
            assert told.missing == 0
        paid: dict[str, int] = {}
        for match in self.matches():
            if match.kind == "payout":
                paid[match.target] = paid.get(match.target, 0) + match.amount + match.fee
        for payout in self.money.all(Payout):
            assert -payout.amount <= paid.get(payout.id, 0) <= 0

    def close(self) -> None:
        self.ws.close()


def row(day: str, amount: int, **more: object) -> dict[str, object]:
    return {"day": f"2026-11-{day}", "amount": amount, **more}
