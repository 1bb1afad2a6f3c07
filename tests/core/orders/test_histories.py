"""Whatever is done to an order in whatever order: its status equals its derivation at every step, nothing is sent that
was not bought, and nothing is given back that was not paid."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bo.core.kernel.errors import BoError
from bo.core.office import context_for, create
from bo.core.orders import rules
from bo.core.orders.records import Fulfilment, Order, Payment, Refund
from bo.core.returns.records import CustomerReturn
from tests.core.orders.desk import LINES, Desk, open_desk

AMOUNTS = st.sampled_from(["0.01", "5.00", "20.00", "37.50", "80.00", "200.00"])
PIECES = st.integers(0, 4)


class Histories(RuleBasedStateMachine):
    """One order, and everything that can be done to it."""

    template: Path | None = None

    def __init__(self) -> None:
        super().__init__()
        if Histories.template is None:
            Histories.template = Path(mkdtemp(prefix="bo-orders-")) / "office"
            create(Histories.template, context_for("US"), operator="li").close()
        self.folder = Path(mkdtemp(prefix="bo-order-"))
        self.desk = Desk(open_desk(Histories.template, self.folder / "office"))
        self.undoable: list[str] = []

    def teardown(self) -> None:
        self.desk.office.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def tried(self, command: str, subject: str | None = None, /, **args: object) -> None:
        """Done, or refused and then nothing has changed."""
        before = self.desk.contents()
        try:
            done = self.desk.do(command, subject, **args)
        except BoError:
            assert self.desk.contents() == before
            return
        if done.status == "applied":
            self.undoable.append(done.operation)

    @initialize(paid=st.sampled_from([None, "30.00", "80.00"]), sent=st.booleans())
    def begin(self, paid: str | None, sent: bool) -> None:
        self.desk.order(captured=paid, sent_at="2026-11-01" if sent else None)

    @rule(amount=AMOUNTS, method=st.sampled_from(["cash", "card"]))
    def pay(self, amount: str, method: str) -> None:
        self.tried("orders.pay", "1001", amount=amount, method=method)

    @rule(amount=AMOUNTS)
    def authorise(self, amount: str) -> None:
        self.tried("orders.authorise", "1001", amount=amount, method="card")

    @precondition(lambda self: self.desk.all(Payment))
    @rule(data=st.data(), command=st.sampled_from(["capture", "void", "charge_back"]), amount=AMOUNTS)
    def turn_payment(self, data: st.DataObject, command: str, amount: str) -> None:
        payment = data.draw(st.sampled_from([item.id for item in self.desk.all(Payment)]))
        told = {"capture": {"amount": amount}, "charge_back": {"amount": amount, "reason": "fraud"}}
        self.tried(f"payments.{command}", payment, **told.get(command, {}))

    @rule(amount=AMOUNTS, shipping=st.sampled_from(["0", "2.00", "5.00"]))
    def grant(self, amount: str, shipping: str) -> None:
        self.tried("orders.refund", "1001", amount=amount, shipping=shipping, reason="torn")

    @precondition(lambda self: self.desk.all(Refund))
    @rule(data=st.data(), command=st.sampled_from(["refunds.execute", "refunds.fail"]))
    def settle(self, data: st.DataObject, command: str) -> None:
        refund = data.draw(st.sampled_from([item.id for item in self.desk.all(Refund)]))
        self.tried(command, refund, **({"reason": "closed"} if command == "refunds.fail" else {}))

    @rule(first=PIECES, second=PIECES)
    def fulfil(self, first: int, second: int) -> None:
        self.tried("orders.fulfil", "1001", lines={"1": first, "2": second})

    @rule()
    def fulfil_the_rest(self) -> None:
        self.tried("orders.fulfil", "1001")

    @precondition(lambda self: self.desk.all(Fulfilment))
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        parcel = data.draw(st.sampled_from([item.id for item in self.desk.all(Fulfilment)]))
        self.tried("fulfilments.take_back", parcel)

    @rule(first=PIECES, late=st.booleans())
    def ask_to_send_back(self, first: int, late: bool) -> None:
        self.tried("returns.request", order="1001", lines={"1": first, "2": 1}, late=late)

    @precondition(lambda self: self.desk.all(CustomerReturn))
    @rule(
        data=st.data(), command=st.sampled_from(["approve", "approve", "receive", "receive", "cancel", "refund"]),
        shipping=st.sampled_from(["0", "5.00"]),
    )  # fmt: skip
    def send_back(self, data: st.DataObject, command: str, shipping: str) -> None:
        back = data.draw(st.sampled_from([item.id for item in self.desk.all(CustomerReturn)]))
        self.tried(f"returns.{command}", back, **({"shipping": shipping} if command == "refund" else {}))

    @rule(held=st.booleans())
    def hold(self, held: bool) -> None:
        self.tried("orders.hold" if held else "orders.release", "1001", **({"reason": "address"} if held else {}))

    @rule()
    def cancel(self) -> None:
        self.tried("orders.cancel", "1001", reason="changed their mind")

    @rule(total=AMOUNTS)
    def edit(self, total: str) -> None:
        self.tried("orders.edit", "1001", total=total)

    @rule(place=st.sampled_from([0, 1]), quantity=PIECES)
    def edit_line(self, place: int, quantity: int) -> None:
        self.tried("order_lines.edit", self.desk.lines("1001")[place].id, quantity=quantity)

    @rule(quantity=PIECES)
    def add_line(self, quantity: int) -> None:
        self.tried("order_lines.add", order="1001", name="Cap", quantity=quantity, price="1.00")

    @rule(captured=AMOUNTS, refunded=AMOUNTS, quantity=PIECES, fulfilled=PIECES, sent=st.booleans())
    def tell_again(self, captured: str, refunded: str, quantity: int, fulfilled: int, sent: bool) -> None:
        told: dict[str, object] = {"captured": captured, "refunded": refunded}
        told["lines"] = [{**LINES[0], "quantity": quantity, "fulfilled": fulfilled}]
        self.tried("orders.record_again", "1001", **told, **({"sent_at": "2026-11-03"} if sent else {}))

    @precondition(lambda self: self.undoable)
    @rule()
    def undo(self) -> None:
        self.desk.office.undo(self.undoable.pop())

    @invariant()
    def is_sound(self) -> None:
        self.desk.assert_sound()

    @invariant()
    def what_came_back_is_what_lines_say(self) -> None:
        came: dict[str, int] = {}
        for back in self.desk.all(CustomerReturn):
            for place, count in back.received.items():
                came[place] = came.get(place, 0) + int(str(count))
        for line in self.desk.lines("1001"):
            assert line.returned == came.get(line.id, 0)

    @invariant()
    def what_happened_to_the_money_comes_to_what_is_left(self) -> None:
        for order in self.desk.all(Order):
            events = self.desk.office.ask("orders.money", order.id)
            left = sum(rules.refundable(item) for item in self.desk.all(Payment, f"order:{order.id}"))
            assert (events[-1].refundable if events else 0) == left
            captured = sum(item.amount for item in events if item.event == "captured")
            gone = sum(item.amount for item in events if item.event in ("refunded", "charged_back"))
            assert (captured, gone) == (order.captured, order.refunded)

    @invariant()
    def what_is_held_was_not_sent_since(self) -> None:
        held = [order for order in self.desk.all(Order) if order.hold_reason is not None]
        for order in held:
            before = self.desk.contents()
            try:
                self.desk.do("orders.fulfil", order.id)
            except BoError:
                assert self.desk.contents() == before
            else:
                raise AssertionError("what is held was sent")


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
