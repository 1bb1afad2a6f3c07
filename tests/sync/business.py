"""Random work of an office: the calls that people at headquarters and in shops make, most of them fitting.

A call depends on the chance that is given and on what the office at hand holds, and on nothing else.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any, Final, TypeVar

from bo.core.access.records import Device as Machine
from bo.core.access.records import Operator, Role
from bo.core.customers.records import Customer
from bo.core.kernel.dispatch import Call
from bo.core.kernel.record import Record, RecordInfo
from bo.core.kernel.workspace import Workspace
from bo.core.leads.records import Appeal, Lead
from bo.core.referrers.records import Referrer
from bo.core.stores.records import Store, Territory
from tests.sync.stage import office_records

R = TypeVar("R", bound=Record)
NAMES: Final = ("李雷", "韩梅梅", "Zoë O'Neil", "王小明", "Ann", "  ")
CITIES: Final = ("上海", "北京")
AT_STORE: Final = ("take", "follow_up", "book_visit", "visit", "quote", "win", "lose", "hold", "decline")
# What people do with a lead in each state.
FITTING: Final[dict[str, tuple[str, ...]]] = {
    "pending_review": ("accept", "accept", "accept", "reject", "request_info", "edit", "mark_duplicate", "breach_due"),
    "needs_info": ("info_received", "info_received", "reject", "edit", "breach_due"),
    "duplicate": ("not_duplicate", "appeal", "edit"),
    "invalid": ("appeal", "edit"),
    "valid": ("assign", "assign", "assign", "assign_by_rule", "edit", "correct"),
    "assigned": ("take", "take", "take", "decline", "recall", "recall", "edit", "breach_due", "correct"),
    "accepted": ("follow_up", "visit", "book_visit", "quote", "recall", "hold", "lose", "win", "edit"),
    "contacted": ("follow_up", "visit", "book_visit", "quote", "recall", "win", "lose"),
    "visit_booked": ("visit", "follow_up", "recall", "win", "hold"),
    "visited": ("quote", "win", "win", "lose", "follow_up", "recall"),
    "quoted": ("win", "win", "lose", "quote", "recall", "hold"),
    "on_hold": ("resume", "resume", "win", "lose", "recall", "breach_due"),
    "won": ("refund", "refund", "reverse", "edit"),
    "lost": ("reopen", "reopen", "correct", "edit"),
    "reversed": ("edit",),
}
EVERYTHING: Final = tuple(sorted({name for names in FITTING.values() for name in names}))


class Desk:
    """Somebody at work with an office: makes up the next call."""

    def __init__(self, ws: Workspace, chance: Random, *, asks: bool = False) -> None:
        self.ws = ws
        self.chance = chance
        self.asks = asks  # also for what central alone decides

    def call(self) -> Call:
        sort = self.chance.random()
        if self.asks and sort < 0.35:
            return self._request()
        if sort < 0.62:
            return self._lead()
        if sort < 0.80:
            return self._report()
        if sort < 0.88:
            return self._undo()
        return self._other()

    # -- leads ---------------------------------------------------------------------------------------------------------

    def _report(self) -> Call:
        chance, place = self.chance, self.chance.randrange(40)
        args: dict[str, object] = {"name": chance.choice(NAMES), "city": chance.choice(CITIES)}
        if chance.random() < 0.8:
            args["phone"] = f"139001390{place:02}"
        if chance.random() < 0.3:
            args["number"] = f"N-{chance.randrange(30)}"
        if chance.random() < 0.3:
            args |= {"community": "翠湖", "district": "浦东", "room": f"{place}"}
        if chance.random() < 0.5 and (referrer := self._some(Referrer)) is not None:
            args["referrer"] = referrer.id
        return Call("leads.report", None, args)

    def _lead(self) -> Call:
        lead = self._some(Lead)
        if lead is None or self.chance.random() < 0.03:
            return Call("leads.take", f"lead_{self.chance.randrange(10**26):026}")
        names = FITTING[lead.state] if self.chance.random() < 0.9 else EVERYTHING
        name = self.chance.choice(names)
        return Call(f"leads.{name}", lead.id, self._args(name, lead))

    def _args(self, name: str, lead: Lead) -> dict[str, object]:
        chance, later = self.chance, self.ws.clock() + timedelta(hours=self.chance.randrange(1, 90))
        amount = chance.choice((100, 250, 1000))
        number, outcome = f"B-{chance.randrange(60)}", chance.choice(("reached", "no_answer", "interested", "visited"))
        other = self._some(Lead)
        edits = (
            ("note", f"note {chance.randrange(100)}"), ("name", chance.choice(NAMES[:4])),
            ("number", number), ("phone", f"139001390{chance.randrange(40):02}"),
        )  # fmt: skip
        found: dict[str, dict[str, object]] = {
            "reject": {"reason": chance.choice(("no_intent", "test_data", "wrong_number")), "note": "called"},
            "request_info": {"note": "which room?"},
            "mark_duplicate": {"of": other.id if other else lead.id},
            "appeal": {"reason": "they did ask"},
            "assign": {"store": chance.choice(("S1", "S2", "S3"))},
            "assign_by_rule": {"method": chance.choice(("round_robin", "least_open"))},
            "recall": {"note": chance.choice(("another shop is nearer", ""))},
            "decline": {"reason": "no_capacity"},
            "follow_up": {"outcome": outcome, "note": f"call {chance.randrange(1000)}"},
            "book_visit": {"at": later.isoformat()},
            "quote": {"amount": amount * 100},
            "hold": {"until": later.date().isoformat()},
            "win": {"order_number": number, "amount": amount * 100, "net": amount * 90},
            "lose": {"reason": chance.choice(("price", "no_need"))},
            "refund": {"amount": chance.choice((1000, 5000, amount * 100)), "reason": "sent back"},
            "reverse": {"reason": "cancelled"},
            "edit": dict([chance.choice(edits)]),
            "correct": {"reason": "the form was wrong", "referrer": getattr(self._some(Referrer), "id", None)},
        }  # fmt: skip
        return found.get(name, {})

    # -- everything else -----------------------------------------------------------------------------------------------

    def _undo(self) -> Call:
        recent = self.ws.operations(limit=12)
        wanted = self.chance.choice(recent).id if recent else "op_" + "0" * 26
        return Call("op.undo", None, {"operation": wanted})

    def _other(self) -> Call:
        chance, number = self.chance, self.chance.randrange(20)
        customer, store, appeal = self._some(Customer), self._some(Store), self._some(Appeal)
        territory, referrer = self._some(Territory), self._some(Referrer)
        calls = [
            Call("customers.add", None, {"name": chance.choice(NAMES[:4]), "phone": f"139001390{number:02}",
                                         "number": f"C-{number}", "store": store.id if store else None}),
            Call("referrers.register", None, {"code": f"R-{number}", "name": chance.choice(NAMES[:4])}),
        ]  # fmt: skip
        if customer is not None:
            moved = {"store": store.id} if store and chance.random() < 0.4 else {"note": f"note {number}"}
            calls += 2 * [Call("customers.edit", customer.id, moved)]
        if store is not None:
            calls += [
                Call("stores.edit", store.id, {"capacity": chance.choice((0, 3, 10))}),
                Call("stores.pause", store.id) if store.state == "open" else Call("stores.resume", store.id),
                Call(
                    "territories.add", None, {"code": f"T-{number}", "store": store.id, "city": chance.choice(CITIES)}
                ),
            ]
        if territory is not None:
            calls.append(Call("territories.remove", territory.id))
        if referrer is not None:
            calls.append(Call("referrers.edit", referrer.id, {"code": f"R-{chance.randrange(20)}"}))
        if appeal is not None:
            verb = chance.choice(("uphold", "reject", "withdraw"))
            calls.append(Call(f"appeals.{verb}", appeal.id, {} if verb == "withdraw" else {"decision": "looked again"}))
        return chance.choice(calls)

    def _request(self) -> Call:
        chance, number = self.chance, self.chance.randrange(12)
        operator, role, machine = self._some(Operator), self._some(Role), self._some(Machine)
        calls = [Call("operators.add", None, {"login": f"new{number}", "roles": "store", "store": "S1"})]
        if operator is not None and operator.login not in ("boss",):
            calls.append(Call("operators.edit", operator.id, {"name": f"name {number}"}))
        if role is not None:
            calls.append(Call("roles.edit", role.id, {"note": f"note {number}"}))
        if machine is not None:
            calls.append(Call("devices.rename", machine.id, {"name": f"laptop {number}"}))
        return chance.choice(calls)

    def _some(self, cls: type[R]) -> R | None:
        """Any record of that sort that this office holds; one of the newest."""
        (info,) = (info for info in office_records(self.ws) if info.cls is cls)
        session = self.ws.database.session
        session.cursor.execute(f'SELECT id FROM "{info.name}" ORDER BY created_at DESC, id LIMIT 12')
        ids = [str(row[0]) for row in session.cursor.fetchall()]
        if not ids:
            return None
        values = {"wanted": self.chance.choice(ids)}
        (row,) = session.rows(f"{info.fingerprint}:desk", lambda: _by_id(info), values)
        found = info.load(row[1:])
        assert isinstance(found, cls)
        return found


def _by_id(info: RecordInfo) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import table

    made = table(info)
    return made.select().where(made.c.id == sa.bindparam("wanted"))
