"""What holds after any history of orders, refunds, disputes and payments, with shares, caps and a budget."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from bo.core.kernel.errors import BoError
from bo.core.kernel.record import Record, info_of
from bo.core.rewards.records import Dispute, RewardLine
from bo.core.rewards.words import computed_again
from tests.core.money_office import MoneyOffice, copy_office

PEOPLE = ("boss", "fin", "fred", "anna", "abel", "rita")
CAP, BUDGET = 90_00, 250_00
Steps = list[tuple[str, int, int]]
STEP = st.tuples(
    st.sampled_from(
        "win win win batch refund refund shipping void hold release open take uphold reject escalate withdraw pay wait"
        " undo".split()
    ),
    st.integers(0, 11),
    st.integers(0, 5),
)


class History:
    """One office to which things happen; what a rule refuses did not happen."""

    def __init__(self, money: MoneyOffice) -> None:
        self.money, self.orders, self.operations = money, list[str](), list[str]()
        self.paid: dict[str, bytes] = {}
        self.west = str(money.by("boss").do("stores.add", code="WEST", name="West").returned)
        money.by("boss").do("reward_rules.revise", "ORDER", store_share="33.33%", cap_month=CAP, budget=BUDGET,
                            effective_from="2026-11-02")  # fmt: skip

    def play(self, steps: Steps) -> None:
        for name, first, second in steps:
            self.money.wait(hours=1)
            step: Callable[[int, int], None] = getattr(self, name)
            try:
                step(first, second)
            except BoError:
                continue
            finally:
                self.paid |= {line.id: image(line) for line in self.lines("state:paid") if line.id not in self.paid}

    def lines(self, filter_text: str = "") -> list[RewardLine]:
        return self.money.all(RewardLine, f"sort:created_at {filter_text}")

    def do(self, who: int, name: str, subject: str | None = None, /, **args: object) -> None:
        self.operations.append(self.money.by(PEOPLE[who % len(PEOPLE)]).do(name, subject, **args).operation)

    def pick(self, cls: type[Record], place: int, filter_text: str = "") -> str:
        found = self.money.all(cls, f"sort:created_at {filter_text}")
        return found[place % len(found)].id if found else "rwd_none"

    def sold(self, first: int, second: int) -> dict[str, object]:
        self.orders.append(f"lead_{len(self.orders)}")
        sums = {"gross": f"{(first + 1) * 87}.{second}7", "net": f"{(first + 1) * 77}.{second}3"}
        who = self.money.referrers[f"D{second % 3 + 1}"]
        return {"cause": self.orders[-1], "referrer": who, "event": "won", "store": self.west, **sums}

    def win(self, first: int, second: int) -> None:
        self.do(0, "deeds.earn", **self.sold(first, second))

    def batch(self, first: int, second: int) -> None:
        from bo.core.kernel.dispatch import Call

        calls = [Call("deeds.earn", None, self.sold(place, second)) for place in range(first % 4)]
        self.money.by("boss").run(calls, atomic=True)

    def refund(self, first: int, second: int) -> None:
        if self.orders:
            cause = self.orders[first % len(self.orders)]
            self.do(0, "deeds.refund", cause=cause, refunded=(7, 33, 50, 99, 100, 130)[second], of=100)

    def shipping(self, first: int, _second: int) -> None:
        if self.orders:
            cause = self.orders[first % len(self.orders)]
            self.do(0, "deeds.refund", cause=cause, refunded=10, of=100, refunded_net=0, net=90)

    def void(self, first: int, _second: int) -> None:
        if self.orders:
            self.do(0, "deeds.void", cause=self.orders[first % len(self.orders)])

    def hold(self, first: int, second: int) -> None:
        self.do(second, "rewards.hold", self.pick(RewardLine, first), reason="x")

    def release(self, first: int, second: int) -> None:
        self.do(second, "rewards.release", self.pick(RewardLine, first, "state:held"))

    def open(self, first: int, second: int) -> None:
        self.do(second, "disputes.open", line=self.pick(RewardLine, first), reason="x")

    def take(self, first: int, second: int) -> None:
        self.do(second, "disputes.take", self.pick(Dispute, first))

    def uphold(self, first: int, second: int) -> None:
        self.do(second, "disputes.uphold", self.pick(Dispute, first), amount=first - 5, reason="x")

    def reject(self, first: int, second: int) -> None:
        self.do(second, "disputes.reject", self.pick(Dispute, first), reason="x")

    def escalate(self, first: int, second: int) -> None:
        self.do(second, "disputes.escalate", self.pick(Dispute, first), reason="x")

    def withdraw(self, first: int, second: int) -> None:
        self.do(second, "disputes.withdraw", self.pick(Dispute, first), reason="x")

    def pay(self, _first: int, _second: int) -> None:
        settled = self.money.exported(f"{self.money.now:%Y-%m}")
        self.money.by("fin").do("settlements.mark_paid", settled.id)

    def wait(self, first: int, _second: int) -> None:
        self.money.wait(days=7 * (first % 5))

    def undo(self, first: int, _second: int) -> None:
        if self.operations:
            self.money.by("boss").undo(self.operations.pop(first % len(self.operations)))


def image(line: Record) -> bytes:
    return info_of(type(line)).image(line)


def check(history: History) -> None:
    money = history.money
    rewards = history.lines("kind:reward -state:void")
    for line in rewards:
        assert computed_again(line).amount_minor == line.amount >= 0
        back = sum(item.amount for item in history.lines(f"clawback_of:{line.id} -state:void"))
        assert 0 <= -back <= line.amount
    given = sum(item.amount for item in history.lines("kind:reward,clawback -state:void"))
    assert given <= BUDGET
    live = {item.line for item in money.all(Dispute, "state:open,under_review,escalated")}
    for line in history.lines("-state:paid"):
        assert line.disputed == (line.id in live)
    for dispute in money.all(Dispute, "state:upheld"):
        made = money.get(RewardLine, str(dispute.adjustment))
        assert (made.kind, made.inputs["line"]) == ("adjustment", dispute.line)
    for dispute in money.all(Dispute, "decided_by:any -state:withdrawn"):
        assert dispute.decided_by not in {dispute.opened_by, *dispute.reviewers[:-1]} - {dispute.reviewer}
        assert dispute.decided_by == dispute.reviewer != dispute.opened_by
    for key, before in history.paid.items():
        assert image(money.get(RewardLine, key)) == before


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEP, min_size=5, max_size=30))
def test_after_any_history_rewards_keep_what_they_promise(money_template: Path, steps: Steps) -> None:
    with TemporaryDirectory() as folder:
        history = History(copy_office(money_template, Path(folder) / "office"))
        try:
            history.play([("win", 2, 0), ("win", 5, 1), ("refund", 0, 1), *steps])
            check(history)
        finally:
            history.money.ws.close()
