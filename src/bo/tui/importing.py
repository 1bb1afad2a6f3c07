"""What the import screen knows of a file: its first rows, what its columns are taken for, and the mapping that says so.

It reads the beginning of a file and no more; everything that takes long is done by `bo NOUN import` as a job. The
mapping it writes is the TOML that `--map` takes and that is found by itself for files with the same columns.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct, structs, to_builtins

from bo.core.exchange.mapping import DROP, KEEP, Match, SavedMapping, importable
from bo.core.exchange.report import ImportOptions, Problem, RowOutcome
from bo.core.exchange.source import FORMATS, Row, Source
from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _
from bo.tui.cells import sentence
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.core.exchange.mapping import Binding
    from bo.core.kernel.workspace import Workspace

ROWS_SHOWN: Final = 50
SEEN_WHOLE: Final = (".json", ".jsonl", ".ndjson", ".sql", ".gz", ".bz2", ".zip")
LONG_BYTES: Final = 2 << 20
RECORD_ID: Final = "id"
NO_FILES: Final = (".", "office.db", "bo.toml")  # how the names begin of what is nothing to import


class Reading(Struct, frozen=True):
    """How a file is to be read, in the words of the command line; empty is found out."""

    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: str = ""

    def options(self) -> ImportOptions:
        return ImportOptions(
            format=next((known for known in FORMATS if known == self.format), None),
            encoding=self.encoding or None,
            delimiter=self.delimiter or None,
            sheet=int(self.sheet) if self.sheet.isdigit() else self.sheet or None,
            header_row=int(self.header_row) if self.header_row else None,
        )

    def words(self) -> list[str]:
        said = {name: getattr(self, name) for name in self.__struct_fields__}
        return [word for name, value in said.items() if value for word in (f"--{name.replace('_', '-')}", value)]


class Target(Struct, frozen=True):
    """A field that an import can fill."""

    name: str
    title: str
    required: bool
    help: str


class FileColumn(Struct, frozen=True):
    """One column and what it is taken for: `field` is a field's name, "" to keep it as it is, "-" to leave it out."""

    header: str
    field: str
    sample: str
    settled: bool = False
    """It is what it is by its name and no mapping changes that."""


class Glance(Struct, frozen=True):
    """The beginning of a file as it is read, with the line of each row. `trouble` says why it cannot be read, or not be
    imported as it is.
    """

    path: str
    noun: str
    format: str = ""
    encoding: str = ""
    sheet: str = ""
    headers: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[int, ...] = ()
    columns: tuple[FileColumn, ...] = ()
    targets: tuple[Target, ...] = ()
    mapping: SavedMapping = SavedMapping()
    notes: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def is_shipped(self) -> bool:
        """Whether the mapping is one that comes with bo."""
        from bo.core.exchange.mapping import PRESETS

        return bool(self.mapping.name) and Path(self.mapping.name).parent == PRESETS


class Told(Struct, frozen=True, kw_only=True):
    """The report of `bo NOUN import -o json`."""

    read: int
    created: int
    updated: int
    unchanged: int
    duplicate: int
    rejected: int
    written: bool = False
    operation: str | None = None
    rejects: str | None = None
    notes: list[str] = []
    problems: list[Problem] = []
    rows: list[RowOutcome] = []

    def counts(self) -> Mapping[str, int]:
        """What became of the rows that were read; adds up to them."""
        names = ("created", "updated", "unchanged", "duplicate", "rejected")
        return {name: getattr(self, name) for name in names}


def require_importable(workspace: Workspace, noun: str) -> None:
    """Raises UsageError for records that are not imported, NotAllowed where the operator may not make them."""
    from bo.core.exchange.pipeline import commands_of

    commands_of(workspace, noun)


def glance(workspace: Workspace, noun: str, path: str, reading: Reading) -> Glance:
    """Read the beginning of a file.

    Raises:
        UsageError: such records are not imported.
        NotAllowed: the operator may not make them.
    """
    from bo.core.exchange.pipeline import bind_columns, commands_of, open_table

    info, create, _edit = commands_of(workspace, noun)
    targets = tuple(
        Target(name, sentence(_(param.label)), param.required, _(param.meta.help) if param.meta.help else "")
        for name, param in importable(create).items()
    )
    empty = Glance(path, noun, targets=targets)
    try:
        with open_table(path, reading.options(), noun) as table:
            binding, trouble = None, ""
            try:
                _source, binding = bind_columns(workspace, info, create, table, reading.options())
            except BoError as error:
                trouble = error_words(error)
            rows = list(islice(table, ROWS_SHOWN))
            return _seen(empty, table, rows, binding, trouble)
    except BoError as error:
        return structs.replace(empty, trouble=error_words(error))


def is_long(path: str) -> bool:
    """Whether the beginning of a file takes long to read, since all of it has to be seen for that."""
    return path.lower().endswith(SEEN_WHOLE) and os.path.getsize(path) > LONG_BYTES


def main() -> None:
    """A glance in a process of its own: `python -m bo.tui.importing NOUN FILE READING`, written as JSON."""
    from bo.core.office import open_office

    noun, path, said = sys.argv[1:]
    office = open_office(Path(os.environ["BO_WORKSPACE"]), operator=os.environ.get("BO_OPERATOR", ""))
    found = glance(office, noun, path, msgspec.json.decode(said, type=Reading))
    sys.stdout.buffer.write(msgspec.json.encode(found))
    office.close()


def _seen(empty: Glance, table: Source, found: Sequence[Row], binding: Binding | None, trouble: str) -> Glance:
    headers = tuple(table.columns)
    rows = tuple(tuple(cell or "" for cell in row.cells) for row in found)
    columns = tuple(
        FileColumn(
            column.header,
            column.field if column.role in ("field", "id") else KEEP if column.role == "extra" else DROP,
            _sample(headers, rows, column.header),
            settled=column.role in ("facts", "read_only"),
        )
        for column in (binding.columns if binding else ())
    )
    return structs.replace(
        empty, format=table.format, encoding=table.encoding, sheet=table.sheet, headers=headers, rows=rows,
        lines=tuple(row.line for row in found),
        columns=columns, mapping=binding.mapping if binding else SavedMapping(),
        notes=(*table.notes, *(binding.notes if binding else ())), trouble=trouble,
    )  # fmt: skip


def _sample(headers: Sequence[str], rows: Sequence[Sequence[str]], header: str) -> str:
    """The first filled cell of a column; of one that is made up from several there is none."""
    if header not in headers:
        return ""
    place = headers.index(header)
    return next((text for row in rows if place < len(row) and (text := " ".join(row[place].split()))), "")


def missing(glanced: Glance, fields: Sequence[str]) -> list[Target]:
    """Fields that every record needs and no column fills."""
    given = {*fields, *glanced.mapping.constants}
    if RECORD_ID in given:
        return []
    return [target for target in glanced.targets if target.required and target.name not in given]


# -- the mapping as a file ---------------------------------------------------------------------------------------------


def save_mapping(glanced: Glance, fields: Sequence[str], folder: Path, kept: str = "") -> Path:
    """Keep what each column is taken for, as a file of the workspace, whole or not at all. One that was found there for
    this file is replaced, since two that fit would be one too many; so is the one `kept` before.

    Raises OSError.
    """
    columns = {
        column.header: field for column, field in zip(glanced.columns, fields, strict=True) if not column.settled
    }
    match = Match(glanced.noun, list(glanced.headers), glanced.mapping.match.tables)
    made = structs.replace(glanced.mapping, match=match, columns=columns, name="")
    folder.mkdir(exist_ok=True)
    path = Path(kept) if kept else _place(glanced, folder)
    part = path.with_name(f".{path.name}.part")
    part.write_text(as_toml(made), "utf-8")
    os.replace(part, path)
    return path


def _place(glanced: Glance, folder: Path) -> Path:
    found = Path(glanced.mapping.name) if glanced.mapping.name else None
    if found is not None and found.parent.resolve() == folder.resolve():
        return found
    stem = re.sub(r"[^\w-]+", "-", Path(glanced.path).stem).strip("-") or "file"
    names = (f"{glanced.noun}-{stem}{f'-{number}' if number > 1 else ''}.toml" for number in range(1, 1000))
    return next(path for name in names if not (path := folder / name).exists())


def as_toml(mapping: SavedMapping) -> str:
    """A mapping as the text of its file."""
    table = {name: value for name, value in to_builtins(mapping).items() if value and name != "name"}
    return "\n".join(_lines(table, ())).strip() + "\n"


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> Iterator[str]:
    """Plain values first, since what stands behind a table's head belongs to that table."""
    plain = {name: value for name, value in table.items() if not isinstance(value, dict)}
    inner = {name: value for name, value in table.items() if isinstance(value, dict) and value}
    if path and (plain or not inner):
        yield ""
        yield f"[{'.'.join(map(_quoted, path))}]"
    for name, value in plain.items():
        if value is not None and value != []:
            yield f"{_quoted(name)} = {_value(value)}"
    for name, value in inner.items():
        yield from _lines(value, (*path, name))


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


# -- files to choose from ----------------------------------------------------------------------------------------------


class Listed(Struct, frozen=True):
    """One entry of a folder. `bytes` is 0 for a folder, `changed` seconds since 1970."""

    name: str
    is_folder: bool
    bytes: int
    changed: float


def listing(folder: Path, most: int = 2000) -> list[Listed]:
    """What is in a folder: folders by name, then files, the newest first. Hidden files, and those that an office
    itself consists of, are left out. Raises OSError."""
    found = []
    with os.scandir(folder) as entries:
        for entry in islice((entry for entry in entries if not entry.name.startswith(NO_FILES)), most):
            try:
                about, inside = entry.stat(), entry.is_dir()
            except OSError:  # gone meanwhile, or a link to nowhere
                continue
            found.append(Listed(entry.name, inside, 0 if inside else about.st_size, about.st_mtime))
    return sorted(
        found, key=lambda item: (not item.is_folder, item.name.casefold() if item.is_folder else -item.changed)
    )


def meant(text: str) -> str:
    """The path in what was typed: whoever types a whole one behind that which stood there means the last."""
    return text[max(text.rfind("//", 1), text.rfind("/~", 1)) + 1 :]


def completed(text: str) -> tuple[str, list[str]]:
    """A path typed so far as far as it is certain, and the names it could go on with."""
    typed = Path(text).expanduser()
    folder, begun = (typed, "") if text.endswith(("/", os.sep)) or not text else (typed.parent, typed.name)
    try:
        fitting = [item for item in listing(folder) if item.name.startswith(begun)]
    except OSError:
        return text, []
    if not fitting:
        return text, []
    common = os.path.commonprefix([item.name for item in fitting])  # noqa: RUF071 - names, not paths
    only = len(fitting) == 1 and fitting[0].is_folder
    return str(folder / common) + (os.sep if only else ""), [item.name for item in fitting]


def rejects_beside(path: str) -> str:
    """A name for the file of rejected rows that is not taken yet: next to the file, or where one may write."""
    source = Path(path)
    folder = source.parent if os.access(source.parent, os.W_OK) else Path.cwd()
    stem = re.sub(r"-rejects(-\d+)?$", "", source.name.partition(".")[0])
    names = (f"{stem}-rejects{f'-{number}' if number > 1 else ''}.csv" for number in range(1, 1000))
    return str(next(place for name in names if not (place := folder / name).exists()))


if __name__ == "__main__":
    main()
