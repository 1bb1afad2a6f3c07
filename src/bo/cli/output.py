"""Data: the only module that writes stdout. Tables for people on a terminal, else TSV; JSON, JSON Lines, CSV, ids and
templates when asked for.

What is written is the same wherever it goes: a pipe gets no colour, no box and nothing cut off. In a table data is
shown with control and direction characters made visible. In TSV a tab, line end or backslash inside a value is
written `\\t`, `\\n`, `\\r`, `\\\\`; CSV is as exports are, safe to open in a spreadsheet program.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from bo.core.kernel.errors import StorageFull, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from bo.cli.asked import Asked

    Row = Sequence[object]
    Batches = Iterable[Sequence[Row]]

ID: Final = "id"
TSV_MARKS: Final = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"})


class Column:
    """A column of a result: its name for programs, its label for people, and the kind of its values."""

    __slots__ = ("kind", "label", "name")

    def __init__(self, name: str, kind: str = "text", label: str = "") -> None:
        self.name = name
        self.kind = kind
        self.label = label or name.replace("_", " ")


def form_of(asked: Asked) -> str:
    """The format to write: what was asked for, a table on a terminal, else TSV."""
    return asked.form or ("table" if is_terminal() else "tsv")


def is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def rows(asked: Asked, columns: Sequence[Column], batches: Batches, *, zone: str = "") -> int:
    """Write rows as they come, in memory for one batch; how many there were. `zone` is that of the moments in a
    table.
    """
    writer = open_rows(asked, columns, zone=zone)
    count = 0
    for batch in batches:
        if batch:
            writer.batch(batch)
            count += len(batch)
    writer.end()
    return count


def record(asked: Asked, columns: Sequence[Column], values: Row, *, zone: str = "") -> None:
    """Write one thing: in JSON an object and not a list, in a table a line for each of its fields."""
    form = form_of(asked)
    if form == "json":
        json_object(dict(zip((column.name for column in columns), values, strict=True)))
    elif form == "table":
        from bo.cli.table import fields_text

        write(fields_text(columns, values, zone=zone, bold=in_colour(asked)))
    else:
        rows(asked, columns, [[values]], zone=zone)


def open_rows(asked: Asked, columns: Sequence[Column], *, zone: str = "") -> _Writer:
    """A writer for rows that come in pieces: `batch` takes some, `end` completes the document."""
    return _WRITERS[form_of(asked)](asked, columns, zone)


class JsonList:
    """A JSON list that is written value by value."""

    def __init__(self) -> None:
        self.before = b"[\n "

    def add(self, value: object) -> None:
        import msgspec

        _write_bytes(self.before + msgspec.json.encode(value))
        self.before = b",\n "

    def end(self) -> None:
        _write_bytes(b"[]\n" if self.before == b"[\n " else b"\n]\n")


def json_object(value: object) -> None:
    """One JSON value, for people and programs alike."""
    import msgspec

    _write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def json_line(value: object) -> None:
    """One line of JSON, handed on at once."""
    import msgspec

    _write_bytes(msgspec.json.encode(value) + b"\n")


def write(text: str) -> None:
    """Text as it is. A terminal that lacks a letter gets an escape for it; a pipe always gets UTF-8."""
    if is_terminal():
        _write_bytes(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
    else:
        _write_bytes(text.encode("utf-8", "backslashreplace"))


def data(content: bytes) -> None:
    """The bytes of a file, as they are. Raises UsageError for bytes that would garble a terminal."""
    if is_terminal() and b"\0" in content[:8192]:
        raise UsageError("this is not text, and stdout is a terminal", hint="Name a file: --to FILE, or use a pipe.")
    _write_bytes(content)


@contextmanager
def stream() -> Iterator[IO[bytes]]:
    """stdout for bytes, for a block. Raises UsageError where it takes none."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        raise UsageError("stdout takes no bytes here", hint="Name a file.")
    with _trouble_told():
        sys.stdout.flush()
        yield buffer


def flush() -> None:
    """Hand over what is written, so that an error of the reader shows while it can still be told."""
    if sys.stdout is not None:
        with _trouble_told():
            sys.stdout.flush()


def settle() -> bool:
    """Whether everything that was written has been handed over."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        return False
    return True


def encoding() -> str:
    """The encoding of the terminal or pipe."""
    return str(getattr(sys.stdout, "encoding", "") or "")


def forget() -> None:
    """Nobody reads any more: what is left in the buffers must not fail again when Python ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        return


def in_colour(asked: Asked) -> bool:
    """The one decision about colour: flag, then NO_COLOR, then FORCE_COLOR, then whether this is a terminal."""
    wanted = asked.text("color") or os.environ.get("BO_COLOR", "auto")
    if wanted in ("always", "never"):
        return wanted == "always"
    if wanted != "auto":
        raise UsageError("--color is auto, always or never, not {value}", value=wanted)
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal() and os.environ.get("TERM") != "dumb"


def cell(value: object) -> str:
    """A value as the text of a CSV or TSV cell."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, (list, tuple, dict)):
        import msgspec

        return msgspec.json.encode(value).decode()
    return str(value)


# -- one class for each format -----------------------------------------------------------------------------------------


class _Writer:
    """Takes batches of rows; `end` completes the document."""

    def __init__(self, asked: Asked, columns: Sequence[Column], zone: str) -> None:
        self.asked = asked
        self.columns = columns
        self.names = [column.name for column in columns]
        self.zone = zone

    def batch(self, batch: Sequence[Row]) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """Nothing to complete."""


class _Table(_Writer):
    def __init__(self, asked: Asked, columns: Sequence[Column], zone: str) -> None:
        super().__init__(asked, columns, zone)
        from bo.cli.table import Layout

        width = _terminal_width() if is_terminal() else None
        self.layout = Layout(columns, zone=zone, width=width, bold=in_colour(asked))

    def batch(self, batch: Sequence[Row]) -> None:
        write(self.layout.lines(batch))


class _JsonLines(_Writer):
    def __init__(self, asked: Asked, columns: Sequence[Column], zone: str) -> None:
        super().__init__(asked, columns, zone)
        import msgspec

        self.encode = msgspec.json.Encoder().encode_lines

    def batch(self, batch: Sequence[Row]) -> None:
        names = self.names
        _write_bytes(self.encode([dict(zip(names, row, strict=True)) for row in batch]))


class _Json(_Writer):
    def __init__(self, asked: Asked, columns: Sequence[Column], zone: str) -> None:
        super().__init__(asked, columns, zone)
        import msgspec

        self.encode = msgspec.json.Encoder().encode
        self.before = b"[\n "

    def batch(self, batch: Sequence[Row]) -> None:
        names, encode = self.names, self.encode
        _write_bytes(self.before + b",\n ".join([encode(dict(zip(names, row, strict=True))) for row in batch]))
        self.before = b",\n "

    def end(self) -> None:
        _write_bytes(b"[]\n" if self.before == b"[\n " else b"\n]\n")


class _Tsv(_Writer):
    def __init__(self, asked: Asked, columns: Sequence[Column], zone: str) -> None:
        super().__init__(asked, columns, zone)
        self.head = "\t".join(self.names) + "\n"

    def batch(self, batch: Sequence[Row]) -> None:
        lines = ["\t".join([_tsv(value) for value in row]) for row in batch]
        _write_bytes((self.head + "\n".join(lines) + "\n").encode("utf-8", "backslashreplace"))
        self.head = ""

    def end(self) -> None:
        _write_bytes(self.head.encode())


class _Csv(_Writer):
    def __init__(self, asked: Asked, columns: Sequence[Column], zone: str) -> None:
        super().__init__(asked, columns, zone)
        import csv

        from bo.core.exchange.escaping import FIRST, escape

        self.first, self.escape = FIRST, escape
        self.waiting: list[str] = []
        self.writerow = csv.writer(self, lineterminator="\n").writerow
        self.writerow(self.names)

    def write(self, line: str) -> None:
        """What the csv module calls for each line."""
        self.waiting.append(line)

    def batch(self, batch: Sequence[Row]) -> None:
        first, escape = self.first, self.escape
        for row in batch:
            cells = [value if type(value) is str else cell(value) for value in row]
            self.writerow([escape(text) if text and text[0] in first else text for text in cells])
        self.end()

    def end(self) -> None:
        _write_bytes("".join(self.waiting).encode("utf-8", "backslashreplace"))
        self.waiting.clear()


class _Ids(_Writer):
    def batch(self, batch: Sequence[Row]) -> None:
        place = self.names.index(ID)
        _write_bytes("".join([f"{row[place]}\n" for row in batch]).encode())


class _Template(_Writer):
    def __init__(self, asked: Asked, columns: Sequence[Column], zone: str) -> None:
        super().__init__(asked, columns, zone)
        from bo.cli import template

        self.parts = template.parts(asked.text("template"))
        missing = [name for name in template.names(asked.text("template")) if name not in self.names]
        if missing:
            raise UsageError(
                "the template names {field}, which is not there",
                hint="Fields: {names}",
                field=missing[0],
                names=", ".join(self.names),
            )

    def batch(self, batch: Sequence[Row]) -> None:
        places = {name: place for place, name in enumerate(self.names)}
        lines = [
            "".join([cell(row[places[part]]) if is_name else part for part, is_name in self.parts]) for row in batch
        ]
        write("\n".join(lines) + "\n")


_WRITERS: Final[dict[str, Callable[[Asked, Sequence[Column], str], _Writer]]] = {
    "table": _Table,
    "json": _Json,
    "jsonl": _JsonLines,
    "csv": _Csv,
    "tsv": _Tsv,
    "ids": _Ids,
    "template": _Template,
}


def _tsv(value: object) -> str:
    text = value if type(value) is str else cell(value)
    return text if text.isascii() and text.isprintable() and "\\" not in text else text.translate(TSV_MARKS)


def _terminal_width() -> int:
    from shutil import get_terminal_size

    return get_terminal_size().columns


# -- stdout ------------------------------------------------------------------------------------------------------------


class _trouble_told:  # noqa: N801 - reads as a statement
    """A full disk behind stdout is an error that can be told; a closed pipe is not one."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError) and error.errno in (
            errno.ENOSPC,
            getattr(errno, "EDQUOT", errno.ENOSPC),
            errno.EFBIG,
        ):
            forget()
            raise StorageFull("there is no room where the output goes", hint="Free some space.") from error
        if isinstance(error, OSError) and error.errno == errno.EINVAL and os.name == "nt":
            raise BrokenPipeError from error  # how a closed pipe shows on Windows


def _write_bytes(content: bytes) -> None:
    stream = sys.stdout
    if stream is None or not content:
        return
    with _trouble_told():
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            stream.write(content.decode("utf-8", "replace"))
            return
        stream.flush()
        buffer.write(content)
        if stream.isatty():
            buffer.flush()
