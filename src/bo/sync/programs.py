"""What programs ask of an office, as plain values: commands under idempotency keys, lists, records, histories, queries.

It knows no HTTP. Everything goes through the workspace of the caller, so that rights and sight are decided where they
are decided for everybody; here only what an answer says beside them is held back: changes of rows that are out of
sight, and fields that are hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from bo.core.kernel import journal
from bo.core.kernel.command import Command, Query, Registry
from bo.core.kernel.dispatch import Call, Outcome, absent
from bo.core.kernel.errors import BoError, Refused, ReusedId, UsageError
from bo.core.kernel.ids import operation_id_for_key
from bo.core.kernel.kinds import moment_text
from bo.core.kernel.reader import PAGE, PAGE_MOST, Reader
from bo.core.kernel.record import FieldInfo, RecordInfo, info_of
from bo.core.kernel.unit import Change
from bo.core.kernel.wire import Names, Rows, changed_fields, kinds_of, plain
from bo.sync.central import REFUSED
from bo.sync.protocol import Answer, Problem
from bo.sync.push import answered_before, keep_answer, prove
from bo.sync.transport import error_of

if TYPE_CHECKING:
    from bo.core.kernel.database import Session
    from bo.core.kernel.tx import Actor
    from bo.core.kernel.workspace import Workspace

KEY_LONGEST: Final = 255
SUBJECT_LONGEST: Final = 200
FACT_LONGEST: Final = 500
ALL: Final = "all"


class KeyReused(Refused):
    """An idempotency key that came before with another call."""

    code = "key_reused"


class Wanted(msgspec.Struct, frozen=True):
    """One call as a program sends it. `operation` is the id that its key stands for, blank where it has none."""

    command: str
    subject: str | None = None
    args: Mapping[str, object] = {}
    operation: str = ""


class Result(msgspec.Struct, frozen=True):
    """What became of a call, or the error that it met."""

    said: dict[str, object]
    error: BoError | None = None


class File(msgspec.Struct, frozen=True):
    """An answer that is a file, and the same as fields."""

    name: str
    content: bytes
    fields: dict[str, object]


class Listed(msgspec.Struct, frozen=True):
    """A page of a list: the rows as objects, and where the next one begins (None: this was the last)."""

    rows: list[dict[str, object]]
    after: str | None


def operation_for(organisation: str, operator: str, key: str) -> str:
    """The operation id of an idempotency key. Keys of two operators, or two organisations, never meet. Raises
    UsageError for what is no key."""
    if not key or len(key) > KEY_LONGEST or not key.isprintable():
        raise UsageError("an idempotency key has 1 to {most} printable characters", most=KEY_LONGEST)
    return operation_id_for_key("\n".join(("http", organisation, operator, key)))


# -- commands ----------------------------------------------------------------------------------------------------------


def carry_out(
    ws: Workspace, wanted: Sequence[Wanted], *, atomic: bool = False, dry_run: bool = False, code: str = ""
) -> list[Result]:
    """Run calls in order and in one transaction; each has its own result. `code` is one of the operator's second factor
    for those that want it.

    A call under a key that came before is not run again: it gets the result it had. With `atomic` the first refusal
    undoes all and is raised; its facts name the `place` in the list.

    Raises:
        UsageError: a key occurs twice.
        WrongCode, TooManyTries: nothing was done.
        Busy, StorageFull: nothing was done.
    """
    keys = [item.operation for item in wanted if item.operation]
    if len(set(keys)) != len(keys):
        raise UsageError("an idempotency key occurs twice", hint="Give each call a key of its own.")
    prove(ws, "" if dry_run else code, [(item.operation, item.command) for item in wanted])
    with ws.transaction(dry_run=dry_run) as perform:
        teller = Teller(ws, dry_run=dry_run)
        calls = [_call(ws.registry, item) for item in wanted]
        before = answered_before(perform.session, keys)
        fresh = [made for made in calls if isinstance(made, Call) and made.id not in before]
        outcomes = iter(perform(fresh) if fresh else ())
        results, kept = [], []
        for item, made in zip(wanted, calls, strict=True):
            if isinstance(made, BoError):
                results.append(Result({"status": "refused"}, made))
            elif made.id in before:
                results.append(_again(item, made, *before[made.id]))
            else:
                outcome = next(outcomes)
                results.append(teller.result(outcome, perform.session))
                if item.operation and _is_final(outcome):
                    kept.append(_kept(ws, perform.session, item, outcome))
            if atomic and (error := results[-1].error) is not None:
                error.facts.setdefault("place", len(results) - 1)
                raise error
        if kept:
            perform.session.many("sync:answer:keep", keep_answer, kept)
    return results


def _call(registry: Registry, item: Wanted) -> Call | BoError:
    """The call, its arguments in the order of the signature; or why there is none."""
    try:
        command = registry.command(item.command)
    except UsageError:
        return UsageError("there is no command {name}", hint="openapi.json lists them.", name=item.command[:80])
    if item.subject is not None and len(item.subject) > SUBJECT_LONGEST:
        return _absent(command, item.subject)
    known = [param.name for param in command.params if param.name in item.args]
    names = [*known, *(name for name in item.args if name not in known)]
    args = {name: item.args[name] for name in names}
    return Call(command.name, item.subject, args, item.operation or None)


def _absent(target: Command | Query, text: str) -> BoError:
    """No id is so long: the words of one that is not there, without looking."""
    if target.subject is None or target.subject.record is None:
        return UsageError("{command} takes no subject", command=target.name)
    return absent(info_of(target.subject.record), text[:SUBJECT_LONGEST])


class Teller:
    """Says what became of calls, as far as the caller may see it."""

    def __init__(self, ws: Workspace, *, dry_run: bool) -> None:
        self.ws = ws
        self.actor = ws.who()
        self.dry_run = dry_run

    def result(self, outcome: Outcome, session: Session) -> Result:
        """The result of an outcome; that of one carried out earlier comes from the journal."""
        if outcome.error is not None:
            return Result({"status": "refused"}, _told(outcome))
        changes: Sequence[Change] = outcome.changes
        returned = outcome.returned
        if outcome.status == "repeated":
            changes = journal.changes_of(session, outcome.seq)
            returned = _returned(self.ws.registry.command(outcome.call.name), changes) or outcome.subject
        recorded = outcome.status in ("applied", "repeated") and not self.dry_run
        said: dict[str, object] = {
            "status": outcome.status,
            "operation": outcome.operation if recorded else None,
            "subject": outcome.subject,
            "returned": returned,
            "changes": [self._change(item) for item in changes if _in_sight(self.actor, item)],
        }
        return Result({**said, "dry_run": True} if self.dry_run else said)

    def _change(self, change: Change) -> dict[str, object]:
        info = info_of(self.ws.registry.record(change.noun))
        hidden = {item.name for item in self.actor.withheld(info)}
        changed = changed_fields(change, self.ws.context.currency, hidden)
        return {"noun": change.noun, "id": change.row, "changed": changed}


def _told(outcome: Outcome) -> BoError:
    error = outcome.error
    assert error is not None
    if isinstance(error, ReusedId):
        return KeyReused("this idempotency key was used before for another call", hint="Use another key.")
    return error


def _in_sight(actor: Actor, change: Change) -> bool:
    """Whether the row, where it is now (or was last), is one that they may read."""
    return actor.may(f"{change.noun}.read") and actor.sees(change.scope_after or change.scope_before or "")


def _returned(command: Command, changes: Sequence[Change]) -> str | None:
    """The record that a command made, from what it changed."""
    if command.returns is None:
        return None
    own = [change for change in changes if change.noun == info_of(command.returns).noun]
    return next((change.row for change in (*(item for item in own if item.was is None), *own)), None)


# -- answers that are kept ---------------------------------------------------------------------------------------------


def _is_final(outcome: Outcome) -> bool:
    """Whether the journal does not have it and yet it is to be the answer from now on: nothing to do, or a rule said
    no. What could not be understood, found or allowed can be put right and sent again under the same key."""
    if outcome.error is not None:
        return isinstance(outcome.error, Refused) and not isinstance(_told(outcome), KeyReused)
    return outcome.status == "unchanged"


def _kept(ws: Workspace, session: Session, item: Wanted, outcome: Outcome) -> tuple[object, ...]:
    made = Answer(item.operation, outcome.status)
    if outcome.error is not None:
        error = outcome.error
        facts = {name: str(value)[:FACT_LONGEST] for name, value in error.facts.items()}
        made = Answer(item.operation, "refused", code=error.code, message=error.message, hint=error.hint, facts=facts)
    now = session.moment(ws.clock())
    return (item.operation, "", _digest(item), made.status, msgspec.json.encode(made).decode(), now)


def _again(item: Wanted, call: Call, digest: str, made: Answer) -> Result:
    """The answer that was kept; another call under its key gets none."""
    if digest != _digest(item):
        error: BoError = KeyReused("this idempotency key was used before for another call", hint="Use another key.")
        return Result({"status": "refused"}, error)
    if made.status == "refused":
        facts: dict[str, object] = {**made.facts}
        problem = Problem(f"urn:bo:{made.code}", made.message, REFUSED, made.code, made.hint, facts)
        return Result({"status": "refused"}, error_of(problem))
    subject = call.subject
    return Result({"status": made.status, "operation": None, "subject": subject, "returned": subject, "changes": []})


def _digest(item: Wanted) -> str:
    args = msgspec.json.encode(item.args, order="sorted").decode()
    return sha256("\n".join((item.command, item.subject or "", args)).encode()).hexdigest()[:32]


# -- reading -----------------------------------------------------------------------------------------------------------


def page(
    ws: Workspace, noun: str, filter_text: str, names: Sequence[str], *, limit: int = PAGE, after: str | None = None
) -> Listed:
    """A page of the records that a filter finds. Raises NotAllowed, UsageError, BadValue."""
    if not 0 < limit <= PAGE_MOST:
        raise UsageError("limit is 1 to {most}", most=PAGE_MOST)
    reader = ws.reader()
    reader.require(f"{noun}.read")
    shape = Rows(reader.info(noun), _fields(reader, noun, names), reader.context.currency)
    wanted = tuple(item.name for item in shape.fields)
    found = reader.page(noun, filter_text, fields=wanted, limit=limit, after=after)
    return Listed([dict(zip(shape.names, row, strict=True)) for row in shape.written(found.rows)], found.after)


def show(ws: Workspace, noun: str, text: str, names: Sequence[str]) -> dict[str, object]:
    """A record with what can be done with it now (`can`). Raises NotAllowed, NotFound, Ambiguous."""
    reader = ws.reader()
    reader.require(f"{noun}.read")
    info = reader.info(noun)
    record = reader.get(info.cls, _bounded(info, text))
    shape = Rows(info, _fields(reader, noun, names or (ALL,)), reader.context.currency)
    values = dict(zip(info.field_names, info.row(record, text_moments=True), strict=True))
    (row,) = shape.written([tuple(values[item.name] for item in shape.fields)])
    made = dict(zip(shape.names, row, strict=True))
    return made if names else {**made, "can": offered(ws.registry, reader.actor, info, str(values.get("state", "")))}


def history(ws: Workspace, noun: str, text: str) -> list[dict[str, object]]:
    """What was done to a record, the newest first."""
    reader = ws.reader()
    reader.require(f"{noun}.read")
    info = reader.info(noun)
    record = reader.get(info.cls, _bounded(info, text))
    who, hidden = Names(reader), {item.name for item in reader.actor.withheld(info)}
    return [
        {
            "at": moment_text(item.at),
            "actor": who.of(item.actor),
            "name": item.name,
            "operation": item.id,
            "changed": changed_fields(change, reader.context.currency, hidden),
            "id": change.row,
            "cause": item.cause,
        }
        for item, change in ws.history(record.id)
    ]


def ask(ws: Workspace, query: Query, subject: str | None, args: Mapping[str, object]) -> File | dict[str, object]:
    """The answer of a query: rows, one thing, or a file. Raises what the query raises."""
    if subject is not None and len(subject) > SUBJECT_LONGEST:
        raise _absent(query, subject)
    known = [param.name for param in query.params if param.name in args]
    names = [*known, *(name for name in args if name not in known)]
    answer = ws.ask(query.name, subject, **{name: args[name] for name in names})
    currency = ws.context.currency
    if isinstance(content := getattr(answer, "content", None), bytes):
        return File(str(getattr(answer, "name", "")), content, plain(answer, currency))
    if isinstance(answer, (list, tuple)):
        return {"rows": list(_rows(answer, currency))}
    return plain(answer, currency) if kinds_of(type(answer)) else {"value": msgspec.to_builtins(answer)}


def _rows(answer: Sequence[object], currency: str) -> Iterator[dict[str, object]]:
    for item in answer:
        yield plain(item, currency) if kinds_of(type(item)) else {"id": msgspec.to_builtins(item)}


def offered(registry: Registry, actor: Actor, info: RecordInfo, state: str) -> list[str]:
    """The verbs that a record in this state is offered to this operator."""
    return [
        command.verb
        for command in registry.commands_of(info.noun)
        if command.subject is not None
        and command.subject.record is info.cls
        and (command.moves is None or state in command.moves.sources)
        and actor.may(command.needs)
    ]


def _fields(reader: Reader, noun: str, names: Sequence[str]) -> tuple[FieldInfo, ...]:
    """The named fields, each once; `all` are those that are shown and may be seen."""
    if list(names) != [ALL]:
        return tuple({item.name: item for item in reader.fields(noun, names)}.values())
    info = reader.info(noun)
    hidden = {item.name for item in reader.actor.hidden(info)}
    return tuple(item for item in info.fields if not item.meta.internal and item.name not in hidden)


def _bounded(info: RecordInfo, text: str) -> str:
    if len(text) > SUBJECT_LONGEST:
        raise absent(info, text[:SUBJECT_LONGEST])
    return text
