"""What central does with the operations that a device sends: run them again, with authority.

Each gets one of a few answers, and the same one whenever it is sent again. The device's number only orders: who an
operation is, its id says. A fault of ours stops nobody else's work: the operation is kept whole in quarantine.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec

from bo.core.kernel.database import Session
from bo.core.kernel.dispatch import Call, Outcome
from bo.core.kernel.errors import BoError, TooNew, UsageError
from bo.core.kernel.ids import TAIL_LENGTH
from bo.core.kernel.record import encode_json
from bo.core.kernel.unit import PENDING
from bo.core.kernel.workspace import REST_LEAST, Workspace, collector_resting
from bo.sync.protocol import Answer, Push, Pushed, Sent

SKEW_LEAST: Final = timedelta(seconds=5)  # a clock that is off by less is taken at its word
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # nothing was done with bo before
TRIES: Final = 3
FACT_LONGEST: Final = 200
log = logging.getLogger("bo.sync")


class Contact(msgspec.Struct):
    """How far a device has come."""

    device_seq: int = 0
    forks: int = 0


def push(ws: Workspace, device: str, body: Push) -> Pushed:
    """Run a device's operations in the name of the operator who is logged in there (`ws.actor`).

    Raises BadFile for a body that was cut, WrongCode and TooManyTries for its code, and what keeps the whole store from
    working (Busy, StorageFull): then nothing was run, and the device sends again.
    """
    require_whole(body)
    prove(ws, body.code, [(item.id, item.name) for item in body.ops])
    try:
        return _run(ws, device, body)
    except BoError:
        raise
    except Exception:  # a fault of ours in one of them: find it, and let the others through
        log.exception("a push of %s operations failed; running them one by one", len(body.ops))
        return _one_by_one(ws, device, body)


def prove(ws: Workspace, code: str, wanted: Sequence[tuple[str, str]]) -> None:
    """Spend a code of the second factor where one of these (operation id, command) wants it and was not carried out
    yet: whoever had no answer sends the same again, with a code that is used up. Raises WrongCode, TooManyTries."""
    ids = [operation for operation, name in wanted if _steps_up(ws, name)] if code else []
    if not ids:
        return
    with ws.database.reading() as session:
        known = {*answered_before(session, ids), *_known_of(session, ids)}
    if not known.issuperset(ids):
        ws.prove(code)


def _steps_up(ws: Workspace, name: str) -> bool:
    try:
        return ws.registry.command(name).step_up
    except UsageError:  # it is refused by itself
        return False


def require_whole(body: Push) -> None:
    """Raise UsageError where a body is not what it says."""
    if body.n != len(body.ops):
        raise UsageError("the push says {n} operations and has {count}", n=body.n, count=len(body.ops))
    if body.now.tzinfo is None:
        raise UsageError("the push's time has no time zone")
    last = 0
    for item in body.ops:
        if not _is_operation_id(item.id) or not _is_operation_id(item.batch) or not last < item.device_seq < PENDING:
            raise UsageError("operation {id} has no proper id or number", id=item.id[:40])
        if item.at.tzinfo is None or not bytes(item.args).startswith(b"{"):
            raise UsageError("operation {id} has no proper time or arguments", id=item.id)
        last = item.device_seq
    if len({item.id for item in body.ops}) != len(body.ops):
        raise UsageError("an operation occurs twice in one push")


def _is_operation_id(text: str) -> bool:
    return len(text) == TAIL_LENGTH + 3 and text.startswith("op_") and text[3:].isascii() and text[3:].isalnum()


def _run(ws: Workspace, device: str, body: Push) -> Pushed:
    with collector_resting(len(body.ops) >= REST_LEAST), ws.transaction() as perform:
        session = perform.session
        contact = _contact(session, device)
        answered = answered_before(session, [item.id for item in body.ops])
        if _is_fork(session, contact, body.ops, answered):
            contact.forks += 1
            _keep_contact(session, device, contact, body, ws.clock())
            return Pushed((), "forked", contact.device_seq + 1)
        runnable, late = _runnable(ws, body.ops, answered)
        calls = [_call(item, body, device, ws.clock()) for item in runnable]
        outcomes = dict(zip((item.id for item in runnable), perform(calls), strict=True)) if calls else {}
        refused = {item.id for item in runnable if outcomes[item.id].status == "refused"} | {
            name for name, (_digest, made) in answered.items() if made.status != "unchanged"
        }
        results, kept = [], []
        for item in body.ops:
            if item.id in answered:
                results.append(_same(item, *answered[item.id]))
            elif item.id in outcomes:
                made = _answer(item, outcomes[item.id], refused, session)
                results.append(made)
                if made.status not in ("applied",) and made.code != "id_reused":
                    kept.append(
                        (
                            item.id,
                            device,
                            _digest(item),
                            made.status,
                            encode_json(made).decode(),
                            session.moment(ws.clock()),
                        )
                    )
            else:
                results.append(late if item.id == late.id else Answer(item.id, "not_run"))
        if kept:
            session.many("sync:answer:keep", keep_answer, kept)
        ran = [item.device_seq for item in body.ops if item.id in answered or item.id in outcomes]
        contact.device_seq = max(contact.device_seq, *ran) if ran else contact.device_seq
        _keep_contact(session, device, contact, body, ws.clock())
    return Pushed(tuple(results))


def _runnable(ws: Workspace, ops: Sequence[Sent], answered: dict[str, Any]) -> tuple[list[Sent], Answer]:
    """The operations to run: all up to the first that a newer version made. Later ones may depend on it, so they
    wait with it."""
    runnable: list[Sent] = []
    for item in ops:
        if item.id in answered:
            continue
        try:
            command = ws.registry.command(item.name)
        except UsageError:
            command = None
        if command is None or item.version > command.version:
            error = TooNew(
                "{command} {version} is newer than this central store",
                hint="It waits on this device until the central store is upgraded.",
                command=item.name[:80], version=item.version,
            )  # fmt: skip
            return runnable, _told(Answer(item.id, "retry", code="too_new"), error)
        runnable.append(item)
    return runnable, Answer("", "not_run")


def _call(item: Sent, body: Push, device: str, now: datetime) -> Call:
    """The call with central's idea of who and when: the time that it was done by our clock, and never in the future."""
    skew = now - body.now
    try:
        at = item.at + skew if abs(skew) > SKEW_LEAST else item.at
    except OverflowError:
        at = now
    if at - now > SKEW_LEAST or at < EARLIEST:
        at = now
    try:
        args = msgspec.json.decode(item.args, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError("the arguments of {id} cannot be read", id=item.id) from error
    return Call(item.name, item.subject or None, args, item.id, at, None, device, item.batch, item.version)


def _answer(item: Sent, outcome: Outcome, refused: set[str], session: Session) -> Answer:
    if outcome.error is None:
        status = "unchanged" if outcome.status == "unchanged" else "applied"
        return Answer(item.id, status, outcome.seq)
    made = _told(Answer(item.id, "refused", code=outcome.error.code), outcome.error)
    cause = _cause(outcome.error, refused)
    return msgspec.structs.replace(made, caused_by=cause) if cause else made


def _cause(error: BoError, refused: set[str]) -> str:
    """The refused operation that would have made what this one does not find: the first row an operation makes has
    its tail."""
    if error.code != "not_found":
        return ""
    made_by = "op_" + str(error.facts.get("id", ""))[-TAIL_LENGTH:]
    return made_by if made_by in refused else ""


def _told(answer: Answer, error: BoError) -> Answer:
    facts = {name: str(value)[:FACT_LONGEST] for name, value in error.facts.items()}
    return msgspec.structs.replace(answer, message=error.message, hint=error.hint, facts=facts)


def _same(item: Sent, digest: str, made: Answer) -> Answer:
    """The answer that was given before; another operation under the same id gets none of its own."""
    if digest == _digest(item):
        return made
    return Answer(item.id, "refused", code="id_reused", message="this operation id was used before for something else")


def _digest(item: Sent) -> str:
    parts = (item.name, str(item.version), item.subject, bytes(item.args).decode())
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


# -- faults of ours ----------------------------------------------------------------------------------------------------


def _one_by_one(ws: Workspace, device: str, body: Push) -> Pushed:
    results: list[Answer] = []
    for item in body.ops:
        alone = msgspec.structs.replace(body, n=1, ops=(item,))
        made = _tried(ws, device, alone)
        if made.device != "ok":
            return made
        results += made.results
        if made.results[0].status in ("retry", "not_run"):
            results += [Answer(later.id, "not_run") for later in body.ops[len(results) :]]
            break
    return Pushed(tuple(results))


def _tried(ws: Workspace, device: str, alone: Push) -> Pushed:
    reason = ""
    for _time in range(TRIES):
        try:
            return _run(ws, device, alone)
        except BoError:
            raise
        except Exception as error:
            reason = type(error).__name__
    (item,) = alone.ops
    log.error("operation %s of %s is in quarantine: %s", item.id, item.name[:80], reason)
    made = Answer(
        item.id, "quarantined", code="fault", message="central could not carry this out because of a fault of its own",
        hint="It is kept there whole. Once the fault is mended, bo conflicts retry sends it again.",
    )  # fmt: skip
    with ws.transaction() as perform:
        session, now = perform.session, perform.session.moment(ws.clock())
        quarantine(session, item.id, device, ws.actor, reason, encode_json(item).decode(), now)
        kept = (item.id, device, _digest(item), made.status, encode_json(made).decode(), now)
        session.many("sync:answer:keep", keep_answer, [kept])
        contact = _contact(session, device)
        contact.device_seq = max(contact.device_seq, item.device_seq)
        _keep_contact(session, device, contact, alone, ws.clock())
    return Pushed((made,))


def quarantine(session: Session, name: str, device: str, operator: str, reason: str, body: str, now: object) -> None:
    """Keep something whole for a person to look at."""
    session.many("sync:quarantine", lambda: _keep_quarantine(session), [(name, device, operator, reason, body, now)])


def last_words(ws: Workspace, device: str, body: Push) -> bool:
    """A device that is shut out may leave what it has once, for an administrator to read. Whether it was taken."""
    with ws.transaction() as perform:
        session, now = perform.session, perform.session.moment(ws.clock())
        rows = session.rows("sync:last_words", _last_words, {"device": device})
        if rows and rows[0][0]:
            return False
        _keep_contact(session, device, _contact(session, device), body, ws.clock(), last_words=1)
        quarantine(session, f"last_{device}", device, ws.actor, "revoked", encode_json(body).decode(), now)
    return True


# -- what is kept ------------------------------------------------------------------------------------------------------


def _is_fork(session: Session, contact: Contact, ops: Sequence[Sent], answered: dict[str, Any]) -> bool:
    """Whether a number that was used comes with an operation that is not known: two machines count as one, or an older
    copy of the machine goes on."""
    old = [item.id for item in ops if item.device_seq <= contact.device_seq and item.id not in answered]
    if not old:
        return False
    return len(_known_of(session, old)) < len(old)


def _known_of(session: Session, ids: Sequence[str]) -> list[str]:
    """Those of these operations that were carried out."""
    return [str(row[0]) for row in session.rows("sync:known", _known, {"ids": session.array(ids)})]


def answered_before(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, Answer]]:
    if not ids:
        return {}
    rows = session.rows("sync:answers", _answers, {"ids": session.array(ids)})
    return {str(row[0]): (str(row[1]), msgspec.json.decode(row[2], type=Answer)) for row in rows}


def _contact(session: Session, device: str) -> Contact:
    rows = session.rows("sync:contact", _contact_of, {"device": device})
    return Contact(int(rows[0][0]), int(rows[0][1])) if rows else Contact()


def device_seq_of(session: Session, device: str) -> int:
    """The highest number that a device has used here."""
    return _contact(session, device).device_seq


def _keep_contact(
    session: Session, device: str, contact: Contact, body: Push, now: datetime, *, last_words: int = 0
) -> None:
    skew = max(-(2**52), min(2**52, int((now - body.now) / timedelta(milliseconds=1))))
    row = (device, contact.device_seq, 0, contact.forks, skew, last_words, session.moment(now))
    session.many("sync:contact:keep", lambda: _keep_contact_row(session), [row])


def _answers() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list
    from bo.sync.tables import answer

    return sa.select(answer.c.id, answer.c.digest, answer.c.answer).where(in_list(answer.c.id, sa.bindparam("ids")))


def _known() -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.tables import in_list, operation

    return sa.select(operation.c.id).where(in_list(operation.c.id, sa.bindparam("ids")))


def _contact_of() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import contact

    return sa.select(contact.c.device_seq, contact.c.forks).where(contact.c.device == sa.bindparam("device"))


def _last_words() -> Any:
    import sqlalchemy as sa

    from bo.sync.tables import contact

    return sa.select(contact.c.last_words).where(contact.c.device == sa.bindparam("device"))


def keep_answer() -> Any:
    from bo.sync.tables import answer

    return answer.insert()


def _keep_quarantine(session: Session) -> Any:
    from bo.core.kernel.tables import upsert
    from bo.sync.tables import quarantine

    return upsert(quarantine, "id", sqlite=session.is_sqlite)


def _keep_contact_row(session: Session) -> Any:
    from bo.core.kernel.tables import upsert
    from bo.sync.tables import contact

    names = ("device_seq", "forks", "skew_ms", "last_words", "at")
    return upsert(contact, "device", *names, sqlite=session.is_sqlite)
