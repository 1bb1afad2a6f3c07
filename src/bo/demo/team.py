"""The chapters about many machines: a central store, headquarters and two stores, with and without a network.

Told like the rest, by commands alone; the server is a process too. What is told is also counted: at the end the leads
and the rewards of every machine are compared with those of the central store.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from typing import Final

import msgspec

from bo.core.kernel.text import _, width
from bo.demo.server import ORG, Server
from bo.demo.stage import SERVER, Stage

NEEDED: Final = ("argon2", "httptools", "prometheus_client", "pyotp", "starlette", "uvicorn")
PASSWORD: Final = "seven leads by the river"
HQ, WEST, BINJIANG, ANOTHER = "hq", "west", "binjiang", "binjiang-2"
SHOPS: Final = {WEST: "HZ-XIHU", BINJIANG: "HZ-BJ"}
CENTRAL: Final = f"{SERVER}/{ORG}"
REFUSED, UNREACHABLE, SHUT_OUT = 3, 69, 77


class Device(msgspec.Struct):
    id: str
    name: str


class Lead(msgspec.Struct):
    state: str
    store: str | None = None


class Reward(msgspec.Struct):
    amount: Decimal


class Facts(msgspec.Struct):
    """Leads that the story comes back to."""

    patient: str  # asked headquarters to wait, and stood in West Lake's shop
    moving: str  # goes from West Lake to Binjiang
    taken: str  # Binjiang works on it when its laptop is stolen


def tell(stage: Stage) -> None:
    """All of it; without the server's libraries one sentence instead. The server never outlives this."""
    if any(find_spec(name) is None for name in NEEDED):
        stage.chapter(_("Many machines"))
        stage.say(_("Left out: what a central store needs is not installed (pip install 'bo-office[server]')."))
        return
    stage.team.mkdir(exist_ok=True)
    server = Server(stage)
    try:
        set_up(stage, server)
        facts = work_apart(stage, server)
        come_together(stage, server, facts)
        lose_a_laptop(stage, server, facts)
        compare(stage)
    finally:
        server.stop()


def set_up(stage: Stage, server: Server) -> None:
    stage.chapter(
        _("Many machines"),
        _("The office becomes an organisation of a central store. Headquarters and two stores log in from laptops."),
    )
    create = f"bo central org create {ORG} --from OFFICE"
    stage.bo(f"central org create {ORG} --from ..", at=SERVER, shown_as=create, show=2)
    person = f"--role store --store {SHOPS[BINJIANG]} --name '滨江店 Binjiang store'"
    stage.at_once(
        (SERVER, f"central user password {ORG} lin --password-stdin"),
        (SERVER, f"central user password {ORG} {WEST} --password-stdin"),
        (SERVER, f"central user add {ORG} {BINJIANG} {person} --password-stdin"),
        stdin=PASSWORD + "\n",
        show=0,
    )
    server.start(SERVER)
    stage.say(_("Each laptop gets what its operator may see: headquarters everything, a shop its own leads."))
    log_in(stage, server, {HQ: "lin", WEST: WEST, BINJIANG: BINJIANG})


def log_in(stage: Stage, server: Server, logins: dict[str, str]) -> None:
    """Make devices of machines, each in the name of an operator."""
    lines = [
        f"login {server.url} --user {login} --name {machine} --workspace {machine} --token-file {machine}.token"
        for machine, login in logins.items()
    ]
    stage.at_once(
        *((machine, f"{line} --password-stdin") for machine, line in zip(logins, lines, strict=True)),
        stdin=PASSWORD + "\n",
    )


def work_apart(stage: Stage, server: Server) -> Facts:
    """Everybody works while the server is down."""
    stage.chapter(
        _("No network"), _("The central store is switched off. All three work on, each on a file of its own.")
    )
    server.stop()
    stage.bo("sync", at=WEST, expect=UNREACHABLE)
    patient, moving, sold = stage.quiet(
        "leads list 'state:accepted sort:created,number' -o ids --limit 3", at=WEST
    ).lines()
    stage.say(_("Headquarters: a customer rang and wants to wait; another one has moved house, so has the lead."))
    until = datetime.now(UTC).astimezone().date() + timedelta(days=90)
    stage.bo(f"leads hold {patient} --until {until}", at=HQ, show=0)
    stage.bo(f"leads recall {moving} --note 客户搬到滨江 --yes", at=HQ, show=0)
    stage.bo(f"stores edit {SHOPS[BINJIANG]} --capacity 40", at=HQ, show=0)
    stage.bo(f"leads assign {moving} --store {SHOPS[BINJIANG]}", at=HQ, show=0)
    stage.say(_("West Lake sells. And the customer who wanted to wait stands in the shop:"))
    stage.bo(f"leads win {sold} --order-number SO-2001 --amount 56500 --net 50000", at=WEST, show=0)
    stage.bo(f"leads visit {patient}", at=WEST, show=0)
    stage.say(_("Binjiang takes its leads:"))
    taken = stage.bo("leads take --where state:assigned --yes -o ids", at=BINJIANG, show=2).lines()
    stage.bo("sync status -o table", at=BINJIANG)
    return Facts(patient, moving, taken[0])


def come_together(stage: Stage, server: Server, facts: Facts) -> None:
    """The network is back: what each did meets, and what does not fit is settled by a person."""
    stage.chapter(
        _("Together again"),
        _("Everybody sends what was done and receives what the others did. The first at the central store is right."),
    )
    server.start(SERVER)
    stage.bo("sync", at=HQ)
    stage.bo("sync", at=BINJIANG)
    stage.bo("sync", at=WEST, expect=REFUSED)
    stage.say(_("The sale stands. The visit does not fit: nothing is lost, nothing is merged in silence."))
    refused = stage.bo("conflicts list -o table", at=WEST).out.splitlines()[1:]
    stage.require(len(refused) == 1, "one thing was refused, and no other")
    conflict = refused[0].split()[0]
    stage.bo(f"conflicts show {conflict} -o table", at=WEST, show=16)
    stage.say(_("West Lake knows better than the telephone: the lead goes on, then the visit is written down again."))
    stage.bo(f"leads resume {facts.patient}", at=WEST, show=0)
    stage.bo(f"conflicts retry {conflict}", at=WEST, show=0)
    stage.bo("sync", at=WEST)
    stage.say(_("The lead that moved has left West Lake's laptop and is at Binjiang:"))
    gone = stage.bo(f"leads count id:{facts.moving}", at=WEST).out.strip()
    here = stage.bo(f"leads count id:{facts.moving}", at=BINJIANG).out.strip()
    stage.require((gone, here) == ("0", "1"), "the lead is at its new store alone")


def lose_a_laptop(stage: Stage, server: Server, facts: Facts) -> None:
    """One laptop is gone, with work on it that nobody had sent."""
    stage.chapter(
        _("A laptop is stolen"),
        _("It is shut out at once. What it had not sent it may leave for an administrator to read, and no more."),
    )
    stage.bo(f"leads follow-up {facts.taken} --outcome reached --note 约周日量尺", at=BINJIANG, show=0)
    devices = stage.bo(f"central device list {ORG} --fields id,name,operator,state -o jsonl", at=SERVER).rows(Device)
    (stolen,) = (device.id for device in devices if device.name == BINJIANG)
    stage.bo(f"central device revoke {ORG} {stolen} --reason stolen --yes", at=SERVER, show=0)
    stage.bo("sync", at=BINJIANG, expect=SHUT_OUT)
    stage.bo(f"central quarantine list {ORG} -o table", at=SERVER)
    stage.say(_("Binjiang goes on with another one:"))
    log_in(stage, server, {ANOTHER: BINJIANG})


# -- what everybody has ------------------------------------------------------------------------------------------------


def compare(stage: Stage) -> None:
    """Count leads and rewards at every machine and at the central store, show both, and hold them to be the same."""
    stage.chapter(_("The same everywhere"), _("Leads by state and the sum of rewards, as each machine counts them:"))
    stage.quiet("sync", at=HQ)
    with ThreadPoolExecutor(2) as several:
        central, hq, *shops = several.map(lambda machine: _leads(stage, machine), (CENTRAL, HQ, WEST, ANOTHER))
        paid_at_central, paid_at_hq = several.map(lambda machine: _rewards(stage, machine), (CENTRAL, HQ))
    columns = [(_("central store"), Counter(lead.state for lead in central)), (HQ, Counter(lead.state for lead in hq))]
    for machine, login, own in zip((WEST, ANOTHER), (WEST, BINJIANG), shops, strict=True):
        (store,) = {lead.store for lead in own}
        there = Counter(lead.state for lead in central if lead.store == store)
        here = Counter(lead.state for lead in own)
        columns += [(_("of {store}", store=SHOPS[login]), there), (machine, here)]
        stage.require(there == here, "a shop has its own leads, all of them and no other")
    stage.require(columns[0][1] == columns[1][1], "headquarters has what the central store has")
    stage.require(paid_at_central == paid_at_hq, "rewards are the same everywhere")
    states = sorted({state for _name, counts in columns for state in counts})
    rows = [["", *(name for name, _counts in columns)]]
    rows += [[state, *(str(counts[state]) for _name, counts in columns)] for state in states]
    rows += [[_("leads"), *(str(counts.total()) for _name, counts in columns)]]
    rows += [[_("rewards"), f"{paid_at_central:,}", f"{paid_at_hq:,}", *("-" for _column in columns[2:])]]
    stage.say(_table(rows))


def _leads(stage: Stage, machine: str) -> list[Lead]:
    return stage.quiet("leads list -o jsonl --fields state,store", who=_who(machine), at=machine).rows(Lead)


def _rewards(stage: Stage, machine: str) -> Decimal:
    answer = stage.quiet("rewards list -o jsonl --fields amount", who=_who(machine), at=machine)
    return sum((reward.amount for reward in answer.rows(Reward)), Decimal(0))


def _who(machine: str) -> str:
    """A laptop knows whose it is; at the central store it is to be said."""
    return "lin" if machine == CENTRAL else ""


def _table(rows: list[list[str]]) -> str:
    """Lines in even columns: names to the left, numbers to the right."""
    wide = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [first + " " * (wide[0] - width(first))]
        cells += [" " * (room - width(cell)) + cell for cell, room in zip(others, wide[1:], strict=True)]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)
