"""Random work in the small office: calls that fit, calls that do not, batches, undos, the same from the same seed."""

from __future__ import annotations

from random import Random

from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import BoError
from bo.core.kernel.workspace import Workspace

NUMBERS = tuple(f"T-{number}" for number in range(1, 9))
PHONES = ("13800138000", "+86 138 0013 8001", "139-0013-9000", "13800138000")
NAMES = ("Ann", "王小明", "Zoë O'Neil", "", "  spaced  ", "Ann")
SHOPS = ("west", "east")
LABELS = ("g1", "g2", "g3")


def work(office: Workspace, seed: int, rounds: int = 30) -> None:
    """Do `rounds` random things: single calls, batches, atomic batches, dry runs and undos. Refusals are part of it."""
    chance = Random(seed)
    for code in SHOPS:
        office.do("shops.add", code=code, name=f"Shop {code}")
    for _ in range(rounds):
        calls = [_call(chance) for _ in range(chance.choice((1, 1, 2, 5, 12)))]
        sort = chance.random()
        if sort < 0.2:
            _undo_something(office, chance)
        elif sort < 0.35:
            _tried(office, calls, atomic=True)
        elif sort < 0.45:
            office.run(calls, dry_run=True)
        else:
            done = office.run(calls)
            _repeat_some(office, chance, done)


def _tried(office: Workspace, calls: list[Call], *, atomic: bool) -> None:
    try:
        office.run(calls, atomic=atomic)
    except BoError:
        return


def _undo_something(office: Workspace, chance: Random) -> None:
    operations = [item for item in office.operations(limit=6) if item.name != "shops.add"]
    if operations:
        try:
            office.undo(chance.choice(operations).id)
        except BoError:
            return


def _repeat_some(office: Workspace, chance: Random, done: list[Outcome]) -> None:
    """Send an operation once more under its id, as if the answer got lost. Numbers that moved mean others now."""
    moved = ("tickets.swap", "tickets.renumber")
    applied = [outcome for outcome in done if outcome.status == "applied"]
    applied = [] if any(outcome.call.name in moved for outcome in applied) else applied
    if applied and chance.random() < 0.3:
        earlier = chance.choice(applied)
        call = Call(earlier.call.name, earlier.call.subject, earlier.call.args, id=earlier.operation)
        assert office.run([call])[0].status == "repeated"


def _call(chance: Random) -> Call:
    number, other, shop, label = (chance.choice(names) for names in (NUMBERS, NUMBERS, SHOPS, LABELS))
    choices = (
        Call("tickets.open", None, _ticket(chance, number)),
        Call("tickets.open", None, _ticket(chance, number)),
        Call("tickets.open", None, {"name": chance.choice(NAMES), "phone": chance.choice(PHONES)}),
        Call("tickets.give", number, {"shop": shop, "note": chance.choice(("", "take care"))}),
        Call("tickets.close", number),
        Call("tickets.chase", number),
        Call("tickets.drop", number),
        Call("tickets.swap", number, {"other": other}),
        Call("tickets.reopen", number),
        Call("tickets.renumber", number, {"number": other}),
        Call("tickets.edit", number, {"name": chance.choice(NAMES), "tags": "new,旧", "extra": {"src": "web", "n": 3}}),
        Call(
            "tickets.edit", number, {"phone": chance.choice(("", *PHONES)), "currency": chance.choice(("CNY", "EUR"))}
        ),
        Call("shops.tally", shop, {"among": chance.choice(SHOPS)}),
        Call("shops.count_up", shop),
        Call("shops.edit", shop, {"name": chance.choice(NAMES)}),
        Call("gauges.add", None, {"label": label, "city": chance.choice(("", "Hangzhou", "Café")), "rate": "2.5%"}),
        Call("gauges.read", label, {"heat": chance.choice((1000, 999, 6000)), "at": "2026-11-02 10:00:00.123"}),
        Call("gauges.edit", label, {"colour": chance.choice(("red", "dark green")), "marks": "new", "heat": "1,000"}),
        Call("gauges.edit", label, {"fitted_in": shop, "checked_on": "2026-11-03", "working": "no"}),
    )
    return chance.choice(choices)


def _ticket(chance: Random, number: str) -> dict[str, object]:
    return {
        "number": number,
        "name": chance.choice(NAMES),
        "phone": chance.choice(PHONES),
        "amount": chance.choice(("12.50", 1250, "1,234.5", None)),
        "due": chance.choice(("2026-11-05", "2026年11月6日", "")),
        "tags": chance.choice(("a,b", ["b", "a"], "")),
        "note": chance.choice(("first line\nsecond line", "", "退款 kit")),
    }
