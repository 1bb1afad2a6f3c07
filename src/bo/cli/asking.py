"""Queries of the registry: their answers are rows, one thing, a number, a text, or a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from bo.cli import diagnostics, exit_codes, output
from bo.cli.office import opened
from bo.cli.output import Column
from bo.cli.saving import placed
from bo.cli.table import is_record_id
from bo.cli.writing import arguments_of
from bo.core.kernel.errors import UsageError
from bo.core.kernel.wire import item_class, kinds_of, plain

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.kinds import Kind
    from bo.core.kernel.workspace import Workspace


def run(asked: Asked) -> int:
    """Ask, and write the answer."""
    with opened(asked) as workspace:
        answer = workspace.ask(asked.command, asked.text("subjects") or None, **arguments_of(asked))
        if asked.text("to"):
            return _save(asked, answer)
        _write(asked, answer, workspace)
    return exit_codes.OK


def _write(asked: Asked, answer: object, workspace: Workspace) -> None:
    zone, currency = workspace.context.zone, workspace.context.currency
    content = content_of(answer)
    if content is not None and asked.form in ("", "table"):
        output.data(content)
    elif isinstance(answer, (list, tuple)):
        cls = type(answer[0]) if answer else item_class(workspace.registry.query(asked.command).function)
        columns, rows = _table(asked, cls, answer, currency)
        output.rows(asked, columns, [rows], zone=zone)
        if not rows and output.form_of(asked) == "table":
            diagnostics.note(asked, "nothing found")
    elif isinstance(answer, msgspec.Struct) or hasattr(answer, "__dataclass_fields__"):
        columns, rows = _table(asked, type(answer), [answer], currency)
        output.record(asked, columns, rows[0], zone=zone)
    elif asked.form == "json":
        output.json_object(answer)
    elif asked.form == "jsonl":
        output.json_line(answer)
    else:
        output.write(f"{output.cell(msgspec.to_builtins(answer))}\n")


def content_of(answer: object) -> bytes | None:
    """The content where the answer is a file: bytes, a text of several lines, or a thing with a `content`."""
    found = getattr(answer, "content", answer)
    if isinstance(found, bytes):
        return found
    return found.encode() if isinstance(found, str) and (found is not answer or "\n" in found) else None


def _save(asked: Asked, answer: object) -> int:
    from pathlib import Path

    content = content_of(answer)
    if content is None:
        raise UsageError("this answer is rows and not a file", hint="Use -o csv > FILE.")
    path = Path(asked.text("to"))
    with placed(path, content):
        pass
    diagnostics.note(asked, "{name} written, {size} bytes", name=str(path), size=len(content))
    return exit_codes.OK


def _table(asked: Asked, cls: type, answer: Sequence[object], currency: str) -> tuple[list[Column], list[list[object]]]:
    """Typed rows as columns and plain values: amounts in major units of the row's currency. Raises UsageError for a
    field that is not there.
    """
    kinds = kinds_of(cls)
    if not kinds:
        return [Column(output.ID if all(is_record_id(str(item)) for item in answer) else "value")], [
            [item] for item in answer
        ]
    names = asked.fields_of(kinds)
    made = [plain(item, currency) for item in answer]
    rows = [[item[name] for name in names] for item in made]
    return [Column(name, _kind(kinds[name], [row[place] for row in rows])) for place, name in enumerate(names)], rows


def _kind(kind: Kind | None, values: Sequence[object]) -> str:
    """How a column is shown: by its kind, else by what its first value looks like."""
    if kind is not None:
        return kind.name
    value = next((value for value in values if value is not None), None)
    if isinstance(value, str):
        looks_like_moment = len(value) > 19 and value.endswith("Z") and value[10:11] == "T"
        return "id" if is_record_id(value) else "moment" if looks_like_moment else "text"
    return "whole" if isinstance(value, int) and not isinstance(value, bool) else "text"
