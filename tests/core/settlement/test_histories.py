"""What holds after any history of earning, refunding, settling, paying, failing, cancelling and undoing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from bo.core.kernel.errors import BoError
from bo.core.kernel.journal import everything
from bo.core.kernel.record import Record
from bo.core.ledger.records import Entry, Posting
from bo.core.rewards.records import RewardLine
from bo.core.settlement.records import Payout, Settlement
from tests.core.money_office import MoneyOffice, copy_office

PEOPLE = ("boss", "fin", "fred", "anna", "abel")
SHARES = (10, 33, 50, 100, 250)

Steps = list[tuple[str, int, int]]
STEP = st.tuples(
    st.sampled_from(
        "earn earn earn win win refund adjust hold release void drop run run submit submit approve approve approve "
        "settle settle export export again pay pay_all fail give_back cancel remove add_line hold_payee release_payee "
        "tax two_people wait undo".split()
    ),
    st.integers(0, 7),
    st.integers(0, 7),
)


# Every history begins with a month that earned something, so that few steps are enough to pay it.
MONTH: Final[Steps] = [
    ("earn", 0, 0), ("earn", 2, 0), ("win", 0, 3), ("win", 1, 5), ("win", 2, 1), ("refund", 0, 2),
]  # fmt: skip


class History:
    """One office to which things happen; what a rule refuses did not happen."""

    def __init__(self, money: MoneyOffice) -> None:
        self.money = money
        self.orders: list[str] = []
        self.operations: list[str] = []
        self.at_approval: dict[str, tuple[int, int]] = {}

    def play(self, steps: Steps) -> None:
        for name, first, second in steps:
            self.money.wait(hours=1)
            step: Callable[[int, int], None] = getattr(self, name)
            try:
                step(first, second)
            except BoError:
                continue

    def do(self, who: int, name: str, subject: str | None = None, /, **args: object) -> None:
        done = self.money.by(PEOPLE[who % len(PEOPLE)]).do(name, subject, **args)
        self.operations.append(done.operation)

    def pick(self, cls: type[Record], place: int, filter_text: str = "") -> str:
        found = self.money.all(cls, f"sort:created_at {filter_text}")
        return found[place % len(found)].id if found else "rwd_none"

    def earn(self, first: int, _second: int) -> None:
        self.money.earn(f"D{first % 3 + 1}", event=("valid_lead", "visit")[first % 2])

    def win(self, first: int, second: int) -> None:
        amount = f"{(second + 1) * 333}.{first}7"
        self.orders.append(self.money.earn(f"D{first % 3 + 1}", event="won", gross=amount, net=amount))

    def refund(self, first: int, second: int) -> None:
        if self.orders:
            cause = self.orders[first % len(self.orders)]
            share = SHARES[second % len(SHARES)]
            self.money.by("boss").do("deeds.refund", cause=cause, refunded=str(share), of="100")

    def drop(self, first: int, _second: int) -> None:
        if self.orders:
            self.money.by("boss").do("deeds.void", cause=self.orders[first % len(self.orders)])

    def adjust(self, first: int, second: int) -> None:
        self.do(second, "rewards.adjust", referrer=f"D{first % 3 + 1}", amount=str(first * 20 - 70), reason="x")

    def hold(self, first: int, second: int) -> None:
        self.do(second, "rewards.hold", self.pick(RewardLine, first), reason="x")

    def release(self, first: int, second: int) -> None:
        self.do(second, "rewards.release", self.pick(RewardLine, first, "state:held"))

    def void(self, first: int, second: int) -> None:
        self.do(second, "rewards.void", self.pick(RewardLine, first), reason="x")

    def run(self, first: int, second: int) -> None:
        self.do(first, "settlements.run", period=f"2026-{11 + second % 2}")

    def submit(self, first: int, second: int) -> None:
        self.do(first, "settlements.submit", self.pick(Settlement, second, "state:draft"))

    def approve(self, first: int, second: int) -> None:
        settlement = self.money.get(Settlement, self.pick(Settlement, second, "state:submitted"))
        self.do(first, "settlements.approve", settlement.id, hash=settlement.content_hash)
        lines = self.money.all(RewardLine, f"settlement:{settlement.id}")
        self.at_approval[settlement.id] = (settlement.total, sum(line.amount for line in lines))

    def settle(self, first: int, second: int) -> None:
        """The whole road, so that histories go beyond it often."""
        self.run(1, second)
        self.submit(1, 0)
        self.approve(3, 0)
        if self.money.all(Settlement, "state:submitted"):
            self.approve(4, 0)
        if first % 4:
            self.export(0, 0)

    def export(self, _first: int, second: int) -> None:
        self.money.export(
            self.money.get(Settlement, self.pick(Settlement, second, "state:approved,exported,part_paid,paid"))
        )

    def pay(self, first: int, second: int) -> None:
        self.do(first, "payouts.mark_paid", self.pick(Payout, second))

    def pay_all(self, first: int, second: int) -> None:
        self.do(first, "settlements.mark_paid", self.pick(Settlement, second))

    def fail(self, first: int, second: int) -> None:
        self.do(first, "payouts.fail", self.pick(Payout, second, "state:sent"), reason="x")

    def give_back(self, first: int, second: int) -> None:
        self.do(first, "payouts.returned", self.pick(Payout, second, "state:paid"), reason="x")

    def again(self, _first: int, second: int) -> None:
        """The file is asked for again, in another layout too: it is the one that left."""
        settlement = self.money.get(Settlement, self.pick(Settlement, second, "state:exported,part_paid,paid"))
        file = self.money.by("fin").ask("settlements.payout_file", settlement.id, layout="cn_bank")
        assert file.hash == settlement.file_hash
        assert self.money.export(settlement).status == "unchanged"

    def tax(self, first: int, second: int) -> None:
        treatment = ("cn_labour", "flat", "none")[second % 3]
        rate = {"rate": "7.5%"} if treatment == "flat" else {}
        self.do(second, "referrers.set_tax", f"D{first % 3 + 1}", tax=treatment, **rate)

    def two_people(self, first: int, _second: int) -> None:
        self.do(0, "settings.set", key="settlement.second_approver_above", value=str(first * 50))

    def cancel(self, first: int, second: int) -> None:
        self.do(first, "settlements.cancel", self.pick(Settlement, second), reason="x")

    def remove(self, first: int, second: int) -> None:
        line = self.money.get(RewardLine, self.pick(RewardLine, second, "state:included"))
        self.do(first, "settlements.remove_line", line.settlement, line=line.id)

    def add_line(self, first: int, second: int) -> None:
        self.do(first, "settlements.add_line", self.pick(Settlement, second, "state:draft,submitted"),
                line=self.pick(RewardLine, second, "state:due"))  # fmt: skip

    def hold_payee(self, first: int, second: int) -> None:
        self.do(first, "payouts.hold", self.pick(Payout, second, "state:planned"), reason="x")

    def release_payee(self, first: int, second: int) -> None:
        self.do(first, "payouts.release", self.pick(Payout, second, "state:held"))

    def wait(self, first: int, _second: int) -> None:
        self.money.wait(days=first)

    def undo(self, first: int, second: int) -> None:
        if self.operations:
            self.money.by(PEOPLE[first % len(PEOPLE)]).undo(self.operations[-1 - second % len(self.operations)])


def check_ledger(money: MoneyOffice) -> None:
    """Debits equal credits; the bank paid what paid lines say; nothing is owed that nobody approved."""
    assert money.by("boss").ask("ledger.check").broken == ""
    lines, paid = money.all(RewardLine, "state:paid"), money.all(Payout, "state:paid")
    assert sum(line.amount for line in lines) == sum(item.gross for item in paid)
    assert -money.balance("bank") == sum(item.amount for item in paid)
    owed = {item.id for item in money.all(Settlement) if item.approved_by and item.state != "cancelled"}
    withheld = [item.tax for item in money.all(Payout, "state:planned,sent,paid") if item.settlement in owed]
    assert -money.balance("tax_withheld") == sum(withheld)
    accounts = ("bank", "reward_payable", "tax_withheld", "reward_expense")
    assert sum(money.balance(account) for account in accounts) == 0


def check_settlements(money: MoneyOffice, history: History) -> None:
    """Total, payouts, lines and ledger agree; nobody approved their own."""
    for settlement in money.all(Settlement):
        checked = money.by("boss").ask("settlements.check", settlement.id)
        assert checked.broken == "", (settlement.state, checked)
        if settlement.approved_by:
            hands = {settlement.created_by, settlement.submitted_by, *settlement.editors}
            assert not hands & {settlement.approved_by, *settlement.approvers}
            check_file(money, settlement)
            approved, in_lines = history.at_approval[settlement.id]
            assert settlement.total == approved == in_lines == _posted_at_approval(money, settlement)


def check_file(money: MoneyOffice, settlement: Settlement) -> None:
    """What left for the bank is what the payouts say, and each payee stands in it once."""
    if settlement.file_hash:
        file = money.by("fin").ask("settlements.payout_file", settlement.id)
        assert (file.hash, file.again) == (settlement.file_hash, True)
        rows = [row.split(",") for row in file.content.decode("utf-8-sig").split("\r\n")[1:-1]]
        payouts = {item.reference: item for item in money.all(Payout, f"settlement:{settlement.id} -state:held")}
        assert {row[0]: row[7] for row in rows} == {key: f"{item.amount / 100:.2f}" for key, item in payouts.items()}
        assert len({row[1] for row in rows}) == len(rows)
        assert file.total == settlement.total - settlement.tax == sum(item.amount for item in payouts.values())


def _posted_at_approval(money: MoneyOffice, settlement: Settlement) -> int:
    payouts = {f"approval:{item.id}" for item in money.all(Payout, f"settlement:{settlement.id}")}
    entries = {entry.id for entry in money.all(Entry) if entry.source in payouts}
    return sum(leg.amount for leg in money.all(Posting, "account:reward_expense") if leg.entry in entries)


def check_lines(money: MoneyOffice) -> None:
    """What was taken back of a reward never exceeds it; a paid line has only changed when the bank returned it."""
    taken: dict[str, int] = defaultdict(int)
    lines = {line.id: line for line in money.all(RewardLine)}
    for line in lines.values():
        if line.clawback_of and line.state != "void":
            taken[line.clawback_of] -= line.amount
    assert all(amount <= lines[key].amount for key, amount in taken.items())
    made = ((item.name, change) for item, changes in everything(money.ws.database.session) for change in changes)
    told = [(name, change.values()[0]) for name, change in made if change.noun == "rewards"]
    again = [name for name, before in told if before and before.get("state") == "paid"]
    assert set(again) <= {"payouts.returned"}
    once = [item.once for item in money.all(Payout)]
    assert len(set(once)) == len(once)


@settings(max_examples=15)
@given(steps=st.lists(STEP, min_size=10, max_size=40))
def test_money_is_right_after_any_history(money_template: Path, steps: Steps) -> None:
    with TemporaryDirectory() as folder:
        money = copy_office(money_template, Path(folder) / "office")
        history = History(money)
        history.play([*MONTH, *steps])

        check_ledger(money)
        check_settlements(money, history)
        check_lines(money)
        money.ws.close()


def test_a_whole_quarter_with_everything_in_it(money: MoneyOffice) -> None:
    """One long history that surely reaches payment, failure, cancellation and the months after."""
    history = History(money)
    month: Steps = [*MONTH, ("run", 1, 0), ("submit", 1, 0), ("approve", 1, 0), ("approve", 3, 0)]
    again: Steps = [("wait", 7, 0)] * 4 + [("earn", 0, 0), ("refund", 1, 3), ("drop", 2, 0), ("adjust", 5, 1),
                    ("run", 1, 1), ("submit", 2, 0), ("approve", 2, 0), ("approve", 3, 0)]  # fmt: skip
    history.play([*month, ("cancel", 1, 0), ("run", 1, 0), ("submit", 1, 0), ("approve", 3, 0), ("export", 1, 0)])
    history.play([("pay", 1, place) for place in range(8)][:4] + [("fail", 1, 0), ("pay_all", 1, 1), *again])
    history.play([("export", 1, 0), ("export", 1, 1), ("export", 1, 2), ("pay_all", 1, 2), ("undo", 0, 0)])

    check_ledger(money)
    check_settlements(money, history)
    check_lines(money)
    assert {item.state for item in money.all(Settlement)} >= {"cancelled", "part_paid"}
    assert {item.state for item in money.all(Payout)} >= {"paid", "failed", "cancelled"}
    assert money.balance("bank") < 0
