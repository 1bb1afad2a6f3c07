"""The money of the office whose screens are recorded: a week that is paid and on the bank's statement, one that waits
for its approval, and one that nobody has settled yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bo.core.kernel.workspace import Workspace

BEGAN = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)  # a Monday, 9:00 in Shanghai
STATED = datetime(2026, 11, 19, 6, 0, tzinfo=UTC)
OPENING = 8_000_000
REFERRERS = (  # the last one has no account
    ("D01", "王设计师", "designer", "5%"),
    ("D02", "Studio Nord", "designer", ""),
    ("D03", "李明", "partner", ""),
    ("D04", "张华", "partner", ""),
    ("D05", "Olga Iversen", "designer", ""),
)
# Of each week: customer, referrer, and what they paid if they bought.
WEEKS: tuple[tuple[tuple[str, str, int], ...], ...] = (
    (("孙悦", "D01", 9875000), ("Tom Reed", "D02", 1240000), ("周洁", "D03", 2630000), ("吴桐", "D04", 0),
     ("郑凯", "D01", 0), ("Iris Lund", "D05", 0)),
    (("冯雪", "D01", 1880000), ("Mia Koch", "D02", 0), ("蒋欣", "D03", 0), ("沈冰", "D04", 4420000)),
    (("韩梅", "D02", 730000), ("Leo Falk", "D03", 0)),
)  # fmt: skip

Do = Callable[..., str]


class Money:
    """The people, the rules and the weeks, told in their order. `skip` moves the clock on to a moment."""

    def __init__(self, office: Workspace, do: Do, skip: Callable[[datetime], None]) -> None:
        self.office, self.do, self.skip = office, do, skip
        self.boss = str(office.actor)
        self.fang = ""
        self.sold: dict[str, str] = {}
        self._phone = 13700000000

    def begin(self) -> None:
        """Who is rewarded, by which rules, and from which account."""
        self.fang = self.do("operators.add", login="fang", name="方 Fang", roles=["finance"])
        self.office.actor = self.fang
        self.do("bank_accounts.add", code="MAIN", holder="Acme Kitchens", number="6225880112345674", bank="招商银行",
                bic="308584000013")  # fmt: skip
        for at, (code, name, kind, tax) in enumerate(REFERRERS, 1):
            self.do("referrers.register", code=code, name=name, kind=kind)
            if code != REFERRERS[-1][0]:
                self.do("payee_accounts.add", referrer=code, holder=name, number=f"95580000000000000{at}2")
            if tax:
                self.do("referrers.set_tax", code, tax="flat", rate=tax)
        rules: tuple[Mapping[str, object], ...] = (
            {"code": "VALID", "event": "valid_lead", "kind": "fixed", "amount": "50"},
            {"code": "ORDER", "event": "won", "kind": "percent", "rate": "3%", "base": "net", "cap_event": "2000"},
        )
        for rule in rules:
            self.do("reward_rules.add", effective_from="2026-11-01", **rule)
            self.do("reward_rules.activate", str(rule["code"]))
        self.office.actor = self.boss

    def earn(self, week: int) -> None:
        """Leads of a week that are accepted, and sold where somebody bought."""
        for name, referrer, paid in WEEKS[week]:
            self._phone += 1
            lead = self.do("leads.report", name=name, phone=str(self._phone), city="上海", source="designer",
                           referrer=referrer)  # fmt: skip
            self.do("leads.accept", lead)
            if paid:
                self.do("leads.assign", lead, store="S1")
                self.do("leads.take", lead)
                self.do("leads.win", lead, order_number=f"K-{self._phone % 1000}", amount=paid, net=paid * 100 // 113)
                self.sold[name] = lead

    def settle(self, period: str) -> str:
        """The settlement of a week, submitted by Fang."""
        self.office.actor = self.fang
        made = self.do("settlements.run", period=period)
        self.do("settlements.submit", made)
        self.office.actor = self.boss
        return made

    def pay(self, settlement: str) -> None:
        """Approved by another, and sent to the bank."""
        shown = self.office.ask("settlements.check", settlement)
        self.do("settlements.approve", settlement, hash=shown.content_hash)
        self.office.actor = self.fang
        options = {"layout": "csv", "bank_account": "MAIN"}
        file = self.office.ask("settlements.payout_file", settlement, **options)
        self.do("settlements.export", settlement, file_hash=file.hash, file_name=file.name, **options)
        self.office.actor = self.boss

    def give_back(self) -> None:
        """An order of the first week is refunded in part, after its reward was paid."""
        self.do("leads.refund", self.sold["孙悦"], amount="10000", reason="柜门退一扇")

    def state(self, settlement: str) -> None:
        """The bank's statement: two payouts by their references, and what a person has to decide."""
        self.skip(STATED)
        self.office.actor = self.fang
        rows = self.office.reader().page("payouts", f"settlement:{settlement} state:sent sort:payee_code",
                                         fields=("holder", "amount", "reference")).rows  # fmt: skip
        lines: list[dict[str, object]] = [
            {"day": "2026-11-12", "amount": -int(str(amount)), "counterparty": holder, "purpose": "奖励"}
            | ({"end_to_end_id": reference} if at < len(rows) // 2 else {})
            for at, (holder, amount, reference) in enumerate(rows)
        ]
        lines += [
            {"day": "2026-11-16", "amount": 89900, "counterparty": "李娜", "purpose": "货款"},
            {"day": "2026-11-17", "amount": 459_900, "counterparty": "Moss, Ann", "purpose": "kitchen, order 1006"},
            {"day": "2026-11-18", "amount": -1500, "counterparty": "招商银行", "purpose": "账户管理费"},
            {"day": "2026-11-18", "amount": 30000, "counterparty": "某某商贸", "purpose": ""},
        ]
        closing = OPENING + sum(int(str(line["amount"])) for line in lines)
        self.do("bank_statements.take_in", account="MAIN", lines=lines, opening=OPENING, closing=closing)
        self.do("reconciliations.run")
        self.office.actor = self.boss
