"""Whatever is done to an order that won a lead, in whatever order: what is taken back of the reward is the share of the
goods that is gone, taken once, and never more than was earned."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bo.core.kernel.errors import BoError
from bo.core.orders.records import Order, Payment, Refund
from bo.core.rewards.records import RewardLine
from tests.core.leads.conftest import brand as brand
from tests.core.leads.scene import DESIGNER, MONDAY, Scene

AMOUNT, NET, REWARD = 100_000, 80_000, 8_000
SUMS = st.integers(1, 120_000)
STEPS = st.one_of(
    st.tuples(st.just("pay"), SUMS, st.just(0)),
    st.tuples(st.just("refund"), SUMS, st.sampled_from((0, 0, 4_800, 9_600))),
    st.tuples(st.just("refund_lead"), SUMS, st.just(0)),
    st.tuples(st.just("fail"), SUMS, st.just(0)),
    st.tuples(st.just("total"), st.integers(20_000, 120_000), st.just(0)),
    st.tuples(st.just("fulfil"), st.just(0), st.just(0)),
    st.tuples(st.just("cancel"), st.just(0), st.just(0)),
)


class Sale:
    """A lead that was won with a shop's order, and the most that was ever gone of it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        terms = {"event": "won", "kind": "percent", "rate": "10%", "base": "net", "currency": "CNY"}
        scene.do("reward_rules.add", None, code="NET", effective_from="2026-01-01", **terms)
        scene.do("reward_rules.activate", "NET")
        sums = {"tax": "104.00", "shipping": "96.00", "captured": "1,000.00", "placed_at": MONDAY}
        lines = [{"name": "Sofa", "quantity": 2, "price": "400.00"}]
        self.order = str(scene.do("orders.record", None, number="1001", lines=lines, **sums).returned)
        self.lead = scene.bring_to("quoted", referrer=DESIGNER)
        scene.do("leads.win", self.lead, order_number="1001")
        self.gone_net, self.plain = 0, True

    def step(self, what: str, amount: int, shipping: int) -> None:
        do, ended = self.scene.do, self.scene.lead(self.lead).state == "reversed"
        self.plain = self.plain and what not in ("pay", "total")
        steps: dict[str, Callable[[], object]] = {
            "pay": lambda: do("orders.pay", self.order, amount=amount, method="cash"),
            "refund": lambda: do("refunds.execute", self._grant(amount, shipping)),
            "refund_lead": lambda: do("leads.refund", self.lead, amount=amount, reason="torn"),
            "fail": lambda: do("refunds.fail", self._grant(amount, shipping), reason="closed"),
            "total": lambda: do("orders.edit", self.order, total=amount),
            "fulfil": lambda: do("orders.fulfil", self.order),
            "cancel": lambda: do("orders.cancel", self.order, reason="changed their mind"),
        }
        try:
            steps[what]()
        except BoError:
            return
        if not ended:
            self.gone_net = max(self.gone_net, NET - self._left_net())

    def _grant(self, amount: int, shipping: int) -> str:
        made = self.scene.do("orders.refund", self.order, amount=amount, shipping=shipping, reason="torn").returned
        assert made is not None
        return made

    def _left_net(self) -> int:
        order = self.scene.office.reader().get(Order, self.order)
        refunds = self.scene.office.reader().records(Refund, f"order:{order.id} state:done")
        goods = Fraction(order.total - order.shipping)
        back = Fraction(max(0, order.refunded - max(0, order.captured - order.total)))
        of_goods = min(goods, max(Fraction(0), back - sum(item.shipping for item in refunds)))
        return min(NET, round((goods - order.tax) * (1 - of_goods / goods)))

    def assert_follows(self) -> None:
        read = self.scene.office.reader()
        order, lead = read.get(Order, self.order), self.scene.lead(self.lead)
        lines = [line for line in read.records(RewardLine) if line.state != "void"]
        assert sum(item.amount for item in read.records(Payment, f"order:{order.id}")) == order.captured
        if self.plain:
            assert lead.refunded == min(order.refunded, AMOUNT)
        if order.state == "cancelled" or lead.refunded == AMOUNT:
            assert (lead.state, sum(line.amount for line in lines)) == ("reversed", 0)
        if lead.state == "won":
            assert [line.amount for line in lines if line.kind == "reward"] == [REWARD]
            taken = -sum(line.amount for line in lines if line.kind == "clawback")
            assert 0 <= taken == round(Fraction(REWARD * self.gone_net, NET)) <= REWARD


@given(history=st.lists(STEPS, min_size=1, max_size=8))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_reward_follows_the_money_of_its_order(brand: Path, history: list[tuple[str, int, int]]) -> None:
    with TemporaryDirectory() as folder:
        shutil.copytree(brand, Path(folder) / "office")
        scene = Scene(Path(folder) / "office")
        try:
            sale = Sale(scene)
            sale.assert_follows()
            for step in history:
                sale.step(*step)
                sale.assert_follows()
        finally:
            scene.office.close()
