"""Webhooks: what each address is told, and how it knows that it comes from here (https://www.standardwebhooks.com).

The journal is the outbox: an event is an operation as the webhook's operator may see it, so that an address is told no
more than that person would be shown. Secrets are made here, lie in the table `delivery` beside the journal and never
in it, and are in no error and no log.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bo.core.access.records import Webhook
from bo.core.kernel.database import Session
from bo.core.kernel.errors import BoError, Refused
from bo.core.kernel.ids import new_operation_id
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.reader import PAGE_MOST, wire_row
from bo.core.kernel.record import FieldInfo, declared_records, encode_json
from bo.core.kernel.tx import SYSTEM, Actor
from bo.core.kernel.workspace import Workspace
from bo.sync import feed, leases
from bo.sync.effects import PREFIX, Effect, effects_between
from bo.sync.leases import Place
from bo.sync.protocol import Commit, Row

if TYPE_CHECKING:
    from bo.sync.central import Central
    from bo.sync.outside import Answered

BODY_MOST: Final = 256 * 1024
WINDOW: Final = 500  # operations that are looked through at once
WINDOWS_MOST: Final = 20  # in one go
SECRET_PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
OLD_SECRET_FOR: Final = timedelta(hours=24)  # after another was made, both sign
GONE: Final = 410
Send = Callable[[str, Mapping[str, str], bytes], "Answered"]


class SwitchedOff(Refused):
    """A webhook that is not active."""

    code = "switched_off"


class Event(msgspec.Struct, frozen=True):
    """One thing to be told, of operation `seq`; `last` of all that are told of it."""

    id: str
    type: str
    body: bytes
    seq: int
    last: bool = True


class Stretch(msgspec.Struct, frozen=True):
    """The events of a part of the journal: everything up to `upto` is in it. `head` is where the journal ended."""

    events: Sequence[Event]
    upto: int
    head: int


class Status(msgspec.Struct, frozen=True):
    """How one webhook is doing. `state`: ok, waiting (to try again at `next_at`), parked (for a person to resume), off.
    `behind` counts operations, whether or not it is to be told of them."""

    webhook: str
    name: str
    host: str
    operator: str
    state: str
    behind: int
    attempts: int
    next_at: datetime | None
    error: str


class Tried(msgspec.Struct, frozen=True):
    """What became of a test. `status` is 0 where nothing answered."""

    id: str
    ok: bool
    status: int
    text: str
    milliseconds: int


# -- what is told ------------------------------------------------------------------------------------------------------


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns stands for a name: `leads.win`, `leads.*`, or `*` for every operation. Effects are
    asked for by their own names, `effect.…`."""
    for pattern in patterns:
        if pattern == name or (pattern == "*" and not name.startswith(PREFIX)):
            return True
        if pattern.endswith(".*") and name.startswith(pattern[:-1]):
            return True
    return False


def wants_effects(hook: Webhook) -> bool:
    return any(pattern.startswith(PREFIX) for pattern in hook.events)


def read(ws: Workspace, hook: Webhook, after: int, *, most: int) -> Stretch:
    """About `most` events after a place in the journal, as `ws.actor` sees them. Raises NotAllowed for an operator who
    is switched off."""
    ws.registry.load_all()
    writer = _Writer(ws, hook)
    events: list[Event] = []
    upto = after
    with ws.database.reading() as session:
        head = feed.head_of(session).seq
        for _window in range(WINDOWS_MOST):
            if upto >= head:
                break
            end = min(upto + WINDOW, head)
            effects = _by_operation(session, upto, end) if wants_effects(hook) else {}
            for commit in feed.commits_between(session, writer.actor, upto, end):
                asked = effects.get(commit.op.id, ())
                whole = bool(asked) and _sees_all(session, writer.actor, commit.op.seq)
                events += writer.events(commit, asked, whole=whole)
                if len(events) >= most:
                    return Stretch(events, commit.op.seq, head)
            upto = end
    return Stretch(events, upto, head)


def _by_operation(session: Session, after: int, upto: int) -> dict[str, list[Effect]]:
    found: dict[str, list[Effect]] = {}
    for item in effects_between(session, after, upto):
        found.setdefault(item.operation, []).append(item)
    return found


def _sees_all(session: Session, actor: Actor, seq: int) -> bool:
    """Whether an actor sees every row that an operation changed, as it was and as it is."""
    rows = session.rows("sync:webhook:scopes", _scopes_of, {"seq": seq})
    return all(feed.sees(actor, noun, scope) for noun, *scopes in rows for scope in scopes if scope)


class _Writer:
    """Writes events for one webhook."""

    def __init__(self, ws: Workspace, hook: Webhook) -> None:
        self.actor: Actor = ws.who()
        self.hook = hook
        self.currency = ws.context.currency
        self._shapes: dict[str, tuple[tuple[FieldInfo, ...], Any]] = {}

    def events(self, commit: Commit, effects: Sequence[Effect], *, whole: bool) -> list[Event]:
        """The operation, if it is wanted, and then its effects, each as an event of its own. `whole`: this operator
        sees all that the operation did."""
        found: list[tuple[str, str, Effect | None]] = []
        if matches(self.hook.events, commit.op.name):
            found.append((commit.op.id, commit.op.name, None))
        for item in effects:
            name = PREFIX + item.name
            if matches(self.hook.events, name) and (whole or self._names_nothing_new(commit, item)):
                found.append((item.id.replace(".", "_"), name, item))
        last = len(found) - 1
        return [
            Event(name, kind, self._body(name, kind, commit, item), commit.op.seq, place == last)
            for place, (name, kind, item) in enumerate(found)
        ]

    def _body(self, name: str, kind: str, commit: Commit, effect: Effect | None) -> bytes:
        done = commit.op
        rows, left_out = self._rows(commit.rows)
        data: dict[str, object] = {
            "operation": done.id, "subject": done.subject or None, "actor": done.actor, "rows": rows,
        }  # fmt: skip
        if left_out:
            data["left_out"] = left_out
        if done.cause:
            data["cause"] = done.cause
        if effect is not None:
            data["effect"] = self._payload(effect)
        return body_of(name, kind, done.at, data)

    def _rows(self, rows: Sequence[Row]) -> tuple[list[msgspec.Raw], int]:
        """The rows that fit, in the order they were changed, and how many do not."""
        made: list[msgspec.Raw] = []
        size = 0
        for row in rows:
            text = encode_json({"noun": row.noun, "id": row.id, "row": self._row(row)})
            size += len(text)
            if size > BODY_MOST:
                break
            made.append(msgspec.Raw(text))
        return made, len(rows) - len(made)

    def _row(self, row: Row) -> dict[str, object] | None:
        """A row as every list shows it: amounts in major units, every field that may be seen."""
        if row.image is None:
            return None
        info = declared_records()[row.noun]
        if row.noun not in self._shapes:
            hidden = {item.name for item in self.actor.withheld(info)} | {"scope"}
            fields = tuple(item for item in info.fields if item.name not in hidden)
            self._shapes[row.noun] = fields, wire_row(fields, self.currency)
        fields, convert = self._shapes[row.noun]
        values = dict(zip(info.field_names, info.row(info.decoder.decode(row.image), text_moments=True), strict=True))
        return dict(zip((item.name for item in fields), convert([values[item.name] for item in fields]), strict=True))

    def _names_nothing_new(self, commit: Commit, effect: Effect) -> bool:
        """A payload belongs to no row, so who does not see all that the operation did is told only of what they know
        already: rows that they see, and their own shop."""
        known = {row.id for row in commit.rows if row.image is not None}
        known |= {scope.partition(":")[2] for scope in self.actor.scopes or ()}
        return all(isinstance(value, str) and value in known for value in self._payload(effect).values())

    def _payload(self, effect: Effect) -> dict[str, object]:
        """What the command said, without what this operator may not see of any record."""
        hidden = {item.name for info in declared_records().values() for item in self.actor.withheld(info)}
        said = msgspec.json.decode(effect.payload)
        values = said if isinstance(said, dict) else {"value": said}
        return {name: value for name, value in values.items() if name not in hidden}


def body_of(name: str, kind: str, at: datetime, data: Mapping[str, object]) -> bytes:
    return encode_json({"id": name, "type": kind, "timestamp": moment_text(at), "data": data})


# -- how it is known to come from here ---------------------------------------------------------------------------------


def new_secret() -> str:
    import secrets

    return SECRET_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers_for(event: Event, held: Place, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks. While a secret is being changed, the old one signs too."""
    from bo import __version__

    moment = int(now.timestamp())
    signed = f"{event.id}.{moment}.".encode() + event.body
    return {
        "content-type": "application/json",
        "user-agent": f"bo/{__version__}",
        "webhook-id": event.id,
        "webhook-timestamp": str(moment),
        "webhook-signature": " ".join(signature(secret, signed) for secret in good_secrets(held.secret, now)),
    }


def signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + b64encode(hmac.digest(key, signed, sha256)).decode()


def good_secrets(text: str, now: datetime) -> list[str]:
    """The secrets that are good now, the newest first. They lie as `new`, or as `new old until`."""
    newest, *older = text.split()
    return [newest, older[0]] if len(older) == 2 and now < datetime.fromisoformat(older[1]) else [newest]


def without_secrets(text: str, hook: Webhook, held: Place) -> str:
    """A text from outside without what only sender and receiver know, in case it was sent back."""
    path = hook.url.partition("://")[2].partition("/")[2]
    known = [word for word in held.secret.split() if word.startswith(SECRET_PREFIX)]
    for word in [*known, *(word.removeprefix(SECRET_PREFIX) for word in known), hook.url, path]:
        if len(word) > 7:
            text = text.replace(word, "…")
    return text


# -- what a person does ------------------------------------------------------------------------------------------------


def hooks_of(ws: Workspace) -> list[Webhook]:
    return ws.reader().records(Webhook, limit=PAGE_MOST)


def reader_of(session: Session, hook: Webhook) -> Place:
    """How far a webhook has come; one that is new begins with what happened after it was added."""
    held = leases.place(session, hook.id)
    return held or leases.make(session, hook.id, _added_at(session, hook.id), new_secret())


def status(central: Central) -> list[Status]:
    """How each webhook is doing, by name."""
    with central.workspace() as ws:
        head, now = ws.data_version(), ws.clock()
        known = leases.places(ws.database.session)
        found = [(hook, known.get(hook.id)) for hook in hooks_of(ws)]
    return sorted((_status(hook, held, head, now) for hook, held in found), key=lambda item: item.name)


def _status(hook: Webhook, held: Place | None, head: int, now: datetime) -> Status:
    state, next_at = "ok", None
    if not hook.active:
        state = "off"
    elif held is not None and held.is_parked:
        state = "parked"
    elif held is not None and held.attempts:
        state, next_at = "waiting", max(held.next_at, now)
    return Status(
        hook.id, hook.name, host_of(hook.url), hook.operator, state, head - held.seq if held is not None else 0,
        held.attempts if held is not None else 0, next_at, held.error if held is not None else "",
    )  # fmt: skip


def resume(central: Central, webhook: str, *, from_now: bool = False) -> None:
    """Let a webhook that was parked, or waits, go on at once; with `from_now` it is not told what happened so far.

    Raises NotFound, SwitchedOff.
    """
    with central.workspace() as ws:
        hook = ws.reader().get(Webhook, webhook)
        if not hook.active:
            raise SwitchedOff("webhook {name} is switched off", hint="bo webhooks edit {name} --active", name=hook.name)
        session = ws.database.session
        reader_of(session, hook)
        leases.resume(session, hook.id, ws.clock(), seq=ws.data_version() if from_now else None)


def secret_of(central: Central, webhook: str) -> str:
    """The secret that a receiver needs to know who speaks. Raises NotFound."""
    with central.workspace() as ws:
        return reader_of(ws.database.session, ws.reader().get(Webhook, webhook)).secret.split()[0]


def rotate_secret(central: Central, webhook: str) -> str:
    """A new secret. For a day the one before signs as well, so that a receiver can change over without a gap.

    Raises NotFound, Refused where somebody else has changed it in this very moment.
    """
    with central.workspace() as ws:
        session, hook = ws.database.session, ws.reader().get(Webhook, webhook)
        held, made = reader_of(session, hook), new_secret()
        until = (ws.clock() + OLD_SECRET_FOR).isoformat()
        if not leases.change_secret(session, hook.id, held.secret, f"{made} {held.secret.split()[0]} {until}"):
            raise Refused("somebody else has just changed this secret", hint="Look it up, and then try again.")
    return made


def send_test(central: Central, webhook: str, *, send: Send | None = None) -> Tried:
    """Send a `webhooks.test` event at once, whatever waits. Nothing moves. Raises NotFound."""
    with central.workspace() as ws:
        hook, now = ws.reader().get(Webhook, webhook), ws.clock()
        held = reader_of(ws.database.session, hook)
    name = new_operation_id().replace("op_", "test_")
    data = {"operation": name, "subject": hook.id, "actor": SYSTEM.id, "rows": []}
    event = Event(name, "webhooks.test", body_of(name, "webhooks.test", now, data), 0)
    began = perf_counter()
    status_code, text = 0, ""
    try:
        answer = _sent(send, hook.url, headers_for(event, held, now), event.body)
        status_code, text = answer.status, answer.text
    except BoError as error:
        text = str(error)
    took = int((perf_counter() - began) * 1000)
    return Tried(name, 200 <= status_code < 300, status_code, without_secrets(text, hook, held), took)


def _sent(send: Send | None, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
    if send is not None:
        return send(url, headers, body)
    from bo.sync.outside import Outside

    outside = Outside()
    try:
        return outside.post(url, headers, body)
    finally:
        outside.close()


def host_of(url: str) -> str:
    """The part of an address that may be shown: what follows it is often a secret."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2][:200]


def _added_at(session: Session, hook: str) -> int:
    rows = session.rows("sync:webhook:added", _first_change, {"row": hook})
    return int(rows[0][0]) if rows and rows[0][0] is not None else feed.head_of(session).seq


def _scopes_of() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change

    columns = (change.c.noun, change.c.scope_before, change.c.scope_after)
    return sa.select(*columns).where(change.c.seq == sa.bindparam("seq"))


def _first_change() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import change

    return sa.select(sa.func.min(change.c.seq)).where(change.c.row == sa.bindparam("row"))
