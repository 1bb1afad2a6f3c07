"""The wire form of every command, query and record, read off the registry; what `src/bo/cli/manifest.json` is written
from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from bo.core.kernel.command import Command, Param, Query, Registry
from bo.core.kernel.kinds import Field, Kind
from bo.core.kernel.record import FieldInfo, RecordInfo, declared_records

Entry = dict[str, object]
HIDDEN: Final = frozenset(("op.undo",))  # reached by `bo undo`, which says first what it would undo


def wire_form(registry: Registry) -> dict[str, Entry]:
    """Every noun of the registry's modules, in the order of the modules."""
    registry.load_all()
    nouns: dict[str, Entry] = {}
    for noun, info in declared_records().items():
        if info.cls.__module__.rpartition(".")[0] in registry.modules:
            nouns[noun] = _noun(info)
    for command in registry.commands.values():
        if command.name not in HIDDEN:
            _owner(nouns, command.noun)["commands"][command.verb] = _command(command)  # type: ignore[index]
    for query in registry.queries.values():
        _owner(nouns, query.noun)["queries"][query.verb] = _query(query)  # type: ignore[index]
    order = [*registry.nouns, *nouns]
    return {noun: nouns[noun] for noun in dict.fromkeys(order) if noun in nouns}


def written(nouns: Mapping[str, object]) -> str:
    """The wire form as text: a line for each parameter and field, so that a difference reads as one."""
    return _lines(nouns, 0) + "\n"


def _owner(nouns: dict[str, Entry], noun: str) -> Entry:
    return nouns.setdefault(noun, {"summary": "", "commands": {}, "queries": {}})


def _noun(info: RecordInfo) -> Entry:
    entry: Entry = {
        "summary": " ".join((info.cls.__doc__ or "").split("\n\n")[0].split()),
        "one": info.name,
        "prefix": info.prefix,
    }
    _put(entry, key=list(info.key), states=[str(state) for state in info.states], columns=list(info.columns))
    _put(entry, create=info.create, edit=info.edit, final=info.append_only)
    entry["fields"] = {item.name: _field(item) for item in info.fields}
    return {**entry, "commands": {}, "queries": {}}


def _field(item: FieldInfo) -> Entry:
    entry = _described(item.kind, item.meta)
    _put(entry, optional=item.optional, search=item.meta.search, unique=item.meta.unique, internal=item.meta.internal)
    return entry


def _described(kind: Kind, meta: Field) -> Entry:
    entry = kind.describe()
    entry.pop("labels", None)
    _put(entry, label=meta.label, help=meta.help)
    return entry


def _command(command: Command) -> Entry:
    entry: Entry = {"summary": command.summary}
    _put(entry, doc=_rest(command.doc))
    entry |= {"needs": command.needs, "version": command.version}
    _put(entry, subject=_subject(command.subject))
    if command.moves is not None:
        target = command.moves.target
        entry["moves"] = {
            "from": [str(state) for state in command.moves.sources],
            "to": str(target) if target else None,
        }
    if command.where != "anywhere":
        entry["where"] = command.where
    returns = command.returns
    noun = next((noun for noun, info in declared_records().items() if info.cls is returns), "")
    _put(entry, confirm=command.confirm, step_up=command.step_up, returns=noun)
    entry["params"] = {param.name: _param(param) for param in command.params}
    return entry


def _query(query: Query) -> Entry:
    entry: Entry = {"summary": query.summary}
    _put(entry, doc=_rest(query.doc))
    entry["needs"] = query.needs
    _put(entry, subject=_subject(query.subject))
    entry["params"] = {param.name: _param(param) for param in query.params}
    return entry


def _subject(param: Param | None) -> str:
    return str(getattr(param.kind, "record", "")) if param is not None else ""


def _param(param: Param) -> Entry:
    entry = _described(param.kind, param.meta)
    _put(entry, required=param.required)
    if not param.required and param.default not in (None, "", (), False):
        entry["default"] = _plain(param.default)
    return entry


def _plain(value: object) -> object:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value


def _rest(doc: str) -> str:
    return doc.partition("\n\n")[2].strip()


def _put(entry: Entry, **values: object) -> None:
    """Only what says something: a manifest of defaults hides the rest."""
    entry |= {name: value for name, value in values.items() if value}


def _lines(value: object, depth: int) -> str:
    """Nested objects on lines of their own down to single parameters, which are one line each."""
    flat = (
        not isinstance(value, Mapping)
        or not value
        or (depth >= 3 and not any(isinstance(item, Mapping) for item in value.values()))
    )
    if flat or (isinstance(value, Mapping) and set(value) == {"from", "to"}):
        return json.dumps(value, ensure_ascii=False)
    assert isinstance(value, Mapping)
    inner = ",\n".join(
        f"{' ' * (depth + 1)}{json.dumps(name)}: {_lines(item, depth + 1)}" for name, item in value.items()
    )
    return "{\n" + inner + "\n" + " " * depth + "}"
