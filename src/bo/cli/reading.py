"""Reading records: list, count and show of any noun. Rows stream from the database to stdout with memory for one
batch.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output, template
from bo.cli.asked import LIMIT_ON_TERMINAL, Asked
from bo.cli.manifest import dashed, offered
from bo.cli.office import opened, require_subjects, subject_words
from bo.cli.output import Column
from bo.cli.pager import paged
from bo.cli.table import is_record_id
from bo.cli.views import apply_view
from bo.core.kernel.errors import BoError, UsageError
from bo.core.kernel.reader import PAGE_MOST, Reader
from bo.core.kernel.text import _
from bo.core.kernel.wire import Rows

if TYPE_CHECKING:
    from bo.core.kernel.reader import Row
    from bo.core.kernel.record import FieldInfo, Record, RecordInfo

OUTPUT_VERSION: Final = "1"


def list_records(asked: Asked) -> int:
    """Write the records that a filter finds."""
    require_output_version(asked)
    with opened(asked) as workspace:
        reader = workspace.reader()
        filter_text = apply_view(asked, workspace)
        shape = Shape(reader, asked)
        limit = asked.whole("limit")
        if limit is None and shape.form == "table" and output.is_terminal() and not pager_of(asked):
            limit = LIMIT_ON_TERMINAL
        pages = Pages(reader, asked.noun, filter_text, shape.names, limit, asked.text("after"))
        with paged(pager_of(asked)), closing(iter(pages)) as batches:
            count = output.rows(asked, shape.columns, map(shape.shown, batches), zone=reader.context.zone)
        if pages.after is not None:
            diagnostics.note(
                asked, "{count} shown, there are more: --after {token}, or --limit N", count=count, token=pages.after
            )
        elif count == 0 and shape.form == "table":
            diagnostics.note(asked, "there are no such {noun}", noun=_(asked.noun.replace("_", " ")))
    return exit_codes.NOT_FOUND if count == 0 and asked.flag("fail_empty") else exit_codes.OK


def count_records(asked: Asked) -> int:
    """Write how many records a filter finds."""
    with opened(asked) as workspace:
        count = workspace.reader().count(asked.noun, " ".join(asked.many("filter")))
    form = asked.form or "plain"
    if form in ("plain", "table", "ids"):
        output.write(f"{count}\n")
    else:
        output.record(asked, [Column("count", "whole")], [count])
    return exit_codes.NOT_FOUND if count == 0 and asked.flag("fail_empty") else exit_codes.OK


def show_records(asked: Asked) -> int:
    """Write whole records, and what can be done with each now."""
    require_output_version(asked)
    texts = require_subjects(asked)
    failures: list[BaseException] = []
    with opened(asked) as workspace:
        reader = workspace.reader()
        reader.require(f"{asked.noun}.read")
        shape = Shape(reader, asked, whole=True)
        cls = reader.registry.record(asked.noun)
        several = len(texts) > 1 or "-" in texts

        def found() -> Iterator[list[list[object]]]:
            for text in subject_words(texts):
                try:
                    record = reader.get(cls, text)
                except BoError as error:
                    if not several:
                        raise
                    failures.append(error)
                    diagnostics.tell(error, command=asked.command, as_json=asked.is_for_programs)
                    continue
                yield [shape.row_of(record)]

        done = _show(asked, shape, found(), several=several, zone=reader.context.zone)
    return exit_codes.code_of_many(done, failures)


def _show(asked: Asked, shape: Shape, found: Iterator[list[list[object]]], *, several: bool, zone: str) -> int:
    if several and shape.form != "table":
        return output.rows(asked, shape.columns, found, zone=zone)
    done = 0
    for batch in found:
        if done:
            output.write("\n")
        output.record(asked, shape.columns, batch[0], zone=zone)
        done += 1
    return done


def can_now(reader: Reader, noun: str, state: str) -> list[str]:
    """The verbs that a record in this state is offered to this operator."""
    from bo.cli.manifest import manifest

    commands = manifest()[noun]["commands"]
    return [dashed(verb) for verb in offered(noun, state) if reader.actor.may(commands[verb]["needs"])]


def require_output_version(asked: Asked) -> None:
    version = asked.text("output_version") or OUTPUT_VERSION
    if version != OUTPUT_VERSION:
        raise UsageError("there is no output version {version}", hint="This bo writes version 1.", version=version)


class Shape:
    """Which fields are read, and how a row of them is shown."""

    def __init__(self, reader: Reader, asked: Asked, *, whole: bool = False) -> None:
        self.form = output.form_of(asked)
        self.info: RecordInfo = reader.info(asked.noun)
        self.currency = reader.context.currency
        self.reader = reader
        self.rows = rows = Rows(self.info, self._fields(asked, whole=whole), self.currency)
        self.fields = rows.fields
        self.names = tuple(item.name for item in rows.fields)
        self.columns = [Column(item.name, item.kind.name, item.label) for item in rows.fields]
        if self.form != "table":
            self.columns += [Column(name) for name in rows.names[len(rows.fields) :]]
        self.with_can = whole and self.form in ("json", "jsonl", "table") and not asked.text("fields")
        if self.with_can:
            self.columns.append(Column("can", "tags", "can now"))
        if self.form == "table" and rows.is_money and not rows.asked_currency and rows.place is not None and not whole:
            self.columns.pop(rows.place)

    def _fields(self, asked: Asked, *, whole: bool) -> tuple[FieldInfo, ...]:
        if self.form == "ids":
            return (self.info.by_name[output.ID],)
        names = list(asked.fields)
        if self.form == "template":
            names = names or template.names(asked.text("template"))
        if names == ["all"] or (whole and not names):
            return tuple(item for item in self.info.fields if not item.meta.internal)
        return self.reader.fields(self.info.noun, names)

    def shown(self, batch: Sequence[Row]) -> list[list[object]]:
        """Rows as they are written: amounts in major units with their currency, references by the key people know in
        a table.
        """
        rows = self.rows.written(batch)
        if self.form != "table" or not rows:
            return rows
        if self.rows.is_money:
            self._put_currency_where_other(rows)
        return self._with_keys(rows)

    def row_of(self, record: Record) -> list[object]:
        """A whole record as a row, with what can be done with it where that is told."""
        values = dict(zip(self.info.field_names, self.info.row(record, text_moments=True), strict=True))
        row = self.shown([tuple(values[name] for name in self.names)])[0]
        return [*row, can_now(self.reader, self.info.noun, str(values.get("state", "")))] if self.with_can else row

    def _put_currency_where_other(self, rows: list[list[object]]) -> None:
        """In a table the currency stands behind an amount, and only where it is not the office's."""
        place = self.rows.place
        for row in rows:
            if place is None:
                row.pop()
            elif row[place] != self.currency:
                for at, item in enumerate(self.fields):
                    if item.kind.name == "amount" and row[at]:
                        row[at] = f"{row[at]} {row[place]}"
        if place is not None and len(self.columns) < len(self.fields):
            for row in rows:
                row.pop(place)

    def _with_keys(self, rows: list[list[object]]) -> list[list[object]]:
        """References as the key of the record they mean, where it has one; operators in texts likewise."""
        for at, column in enumerate(self.columns[: len(rows[0])]):
            if column.kind != "ref":
                continue
            item = self.info.by_name[column.name]
            keys = keys_of(
                self.reader, str(getattr(item.kind, "record", "")), {str(row[at]) for row in rows if row[at]}
            )
            for row in rows:
                row[at] = keys.get(str(row[at]), row[at])
        return self._with_people(rows)

    def _with_people(self, rows: list[list[object]]) -> list[list[object]]:
        places = [at for at, column in enumerate(self.columns[: len(rows[0])]) if column.kind in ("text", "tags")]
        held = {str(part) for row in rows for at in places for part in _parts(row[at]) if is_operator(part)}
        people = keys_of(self.reader, "operators", held)
        for row in rows if people else ():
            for at in places:
                value = row[at]
                named = [people.get(str(part), part) for part in _parts(value)]
                row[at] = named if isinstance(value, (list, tuple)) else named[0]
        return rows


def _parts(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else (value,)


def is_operator(value: object) -> bool:
    return isinstance(value, str) and value.startswith("oper_") and is_record_id(value)


def keys_of(reader: Reader, noun: str, ids: set[str]) -> dict[str, str]:
    """The natural keys of records by id, of those that this operator may see and that have one; of others what they are
    called, where that is for everybody."""
    if not ids or not noun:
        return {}
    if not reader.actor.may(f"{noun}.read"):
        return reader.called(noun, ids)
    info = reader.info(noun)
    if not info.key:
        return {}
    page = reader.page(
        noun, "id:" + ",".join(sorted(ids)[:PAGE_MOST]), fields=(output.ID, info.key[0]), limit=PAGE_MOST
    )
    return reader.called(noun, ids) | {str(row[0]): str(row[1]) for row in page.rows if row[1]}


class Pages:
    """The rows of a filter in batches: all of them from one statement, or up to a limit by pages. `after` is where
    the next page begins.
    """

    def __init__(
        self, reader: Reader, noun: str, filter_text: str, names: Sequence[str], limit: int | None, after: str
    ) -> None:
        self.reader = reader
        self.noun = noun
        self.filter_text = filter_text
        self.names = names
        self.limit = limit
        self.after: str | None = after or None

    def __iter__(self) -> Generator[Sequence[Row]]:
        if self.limit is None and self.after is None:
            _fields, batches = self.reader.stream(self.noun, self.filter_text, fields=self.names)
            yield from batches
            return
        left = self.limit if self.limit is not None else 2**62
        while left > 0:
            size = min(left, PAGE_MOST)
            page = self.reader.page(self.noun, self.filter_text, fields=self.names, limit=size, after=self.after)
            yield page.rows
            left -= len(page.rows)
            self.after = page.after
            if page.after is None:
                return


def pager_of(asked: Asked) -> str:
    return asked.text("pager") or os.environ.get("BO_PAGER", "")
