"""JSON as rows: an array of objects, an object that holds one such array, or one object a line.

The file is read twice in bounded memory: once for the names of the fields, which may first appear far down, and once
for the rows. Numbers keep their spelling (12.50 stays 12.50), so that no amount passes through a float. A field that
is a list or an object is given as its JSON text. It refuses what has two meanings: a repeated field, half a
character, NaN.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import cast

import msgspec

from bo.core.exchange.containers import Content
from bo.core.exchange.layout import Intake
from bo.core.exchange.lines import LineFeeder, TextBlocks
from bo.core.exchange.source import Format, Limits, Row, Skipped, Source, distinct_names, shorten
from bo.core.kernel.errors import BadFile, BadInput
from bo.core.kernel.text import _

LINE_HINT = "Look at this line in a text editor; JSON Lines has one whole object on each."

_space = re.compile(r"[ \t\r\n]*").match


class Found(msgspec.Struct, frozen=True, gc=False):
    """A value of the file: where it begins, what it is, and how it is written. `flaw` says why it cannot be read."""

    line: int
    value: object
    text: str
    flaw: str = ""


def open_objects(content: Content, encoding: str, format: Format, notes: list[str], limits: Limits) -> Source:
    """Open JSON or JSON Lines.

    Raises BadFile if it is not well formed, has no objects, or holds several arrays of them.
    """
    skipped = Skipped()

    def values() -> Iterator[Found]:
        blocks = TextBlocks(content, encoding)
        if format == "jsonl":
            return _lines(blocks, limits, content.name, skipped)
        return _Scanner(blocks, limits, content.name).records()

    keys = _keys(values(), limits, content.name)
    if not keys:
        raise BadFile(
            "{name} holds no JSON object",
            hint="An array of objects, or one object on each line, is read.",
            name=content.name,
        )
    columns, doubts = distinct_names(keys)
    notes += doubts
    skipped.blank = 0
    return Source(
        name=content.name,
        format=format,
        columns=columns,
        rows=_rows(values(), keys, skipped, notes),
        encoding=encoding,
        notes=notes,
        skipped=skipped,
        close=content.close,
    )


def _keys(values: Iterator[Found], limits: Limits, name: str) -> list[str]:
    keys: dict[str, None] = {}
    for found in values:
        if isinstance(found.value, dict) and found.value.keys() - keys.keys():
            keys.update(dict.fromkeys(found.value))
            if len(keys) > limits.columns:
                raise BadFile(
                    "{name} has more than {most} fields", hint="Is it a table?", name=name, most=limits.columns
                )
    return list(keys)


def _rows(values: Iterator[Found], keys: list[str], skipped: Skipped, notes: list[str]) -> Iterator[Row]:
    for number, found in enumerate(values, 1):
        if found.flaw or not isinstance(found.value, dict):
            yield Row(number, found.line, [], _unusable(found))
            continue
        if list(found.value) == keys:
            cells = list(found.value.values())
        else:
            cells = [found.value.get(key, _ABSENT) for key in keys]
        if "\\u" in found.text and not _whole_characters(cells):
            yield Row(
                number,
                found.line,
                [],
                _unusable(msgspec.structs.replace(found, flaw="half of a character (a lone surrogate)")),
            )
            continue
        yield Row(number, found.line, _texts(cells, keys, found.text))
    if skipped.blank:
        notes.append(_("blank lines left out: {count}", count=skipped.blank))


_ABSENT = object()


def _texts(cells: list[object], keys: list[str], text: str) -> list[str | None]:
    if all(type(cell) is str for cell in cells):
        return cast(list[str | None], cells)
    texts: list[str | None] = []
    written: dict[str, msgspec.Raw] = {}
    for key, cell in zip(keys, cells, strict=True):
        if isinstance(cell, str):
            texts.append(cell)
        elif cell is _ABSENT:
            texts.append(None)
        elif cell is None:
            texts.append("")
        elif isinstance(cell, bool):
            texts.append("true" if cell else "false")
        else:
            written = written or msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            texts.append(bytes(written[key]).decode())
    return texts


def _whole_characters(cells: Sequence[object]) -> bool:
    try:
        for cell in cells:
            if cell is not _ABSENT:
                json.dumps(cell, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _unusable(found: Found) -> BadInput:
    if found.flaw:
        return BadInput("line {line} is not JSON: {reason}", hint=LINE_HINT, line=found.line, reason=found.flaw)
    return BadInput("line {line} is no JSON object", hint="Each row is an object with named fields.", line=found.line)


def _lines(blocks: TextBlocks, limits: Limits, name: str, skipped: Skipped) -> Iterator[Found]:
    """One value a line; a line that is not JSON spoils only itself."""
    intake = Intake()
    feeder = LineFeeder(blocks, "\n", intake, limits, name)
    for number, line in enumerate(feeder.lines(), 1):
        intake.records += 1
        text = line.strip()
        if not text:
            skipped.blank += 1
            continue
        try:
            yield Found(number, _decoder.decode(text), text)
        except (ValueError, RecursionError) as error:
            yield Found(number, None, "", flaw=_reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (character {error.pos + 1})"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _value in pairs]
        raise ValueError(f"the field {next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return fields


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


_decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_object)


class _Scanner:
    """Reads the values of one JSON text one by one, holding no more than one of them."""

    def __init__(self, blocks: TextBlocks, limits: Limits, name: str) -> None:
        self._blocks = iter(blocks)
        self._most = limits.record_chars
        self._name = name
        self._text = ""
        self._at = 0
        self._line = 1
        self._ended = False

    def records(self) -> Iterator[Found]:
        mark = self._peek()
        if mark == "[":
            yield from self._array()
        elif mark == "{":
            yield from self._wrapped()
        else:
            raise self._broken("an array or an object was expected")
        if self._peek():
            raise self._broken("something follows after the end; is it JSON Lines? Then say --format jsonl")

    def _array(self) -> Iterator[Found]:
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            if self._after(",", "]") == "]":
                return

    def _wrapped(self) -> Iterator[Found]:
        """An object: the one array of objects in it, or, where there is none, itself."""
        self._at += 1
        line, fields, written, arrays = self._line, dict[str, object](), list[str](), list[str]()
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            key = self._key()
            if self._peek() == "[" and self._starts_objects():
                arrays.append(key)
                if len(arrays) > 1:
                    raise self._broken(f"there are several tables: {shorten(arrays)}")
                yield from self._array()
            else:
                found = self._value()
                fields[key] = found.value
                written.append(f"{json.dumps(key)}:{found.text}")
                if sum(map(len, written)) > self._most:
                    raise self._broken("one object is too long")
            if self._after(",", "}") == "}":
                break
        if not arrays:
            yield Found(line, fields, "{" + ",".join(written) + "}")

    def _key(self) -> str:
        found = self._value() if self._peek() == '"' else None
        if found is None or not isinstance(found.value, str):
            raise self._broken("the name of a field was expected")
        self._after(":")
        return found.value

    def _starts_objects(self) -> bool:
        """Whether the array that begins here has an object first."""
        while True:
            after = _space(self._text, self._at + 1)
            assert after is not None
            if after.end() < len(self._text) or not self._more():
                return self._text[after.end() : after.end() + 1] == "{"

    def _after(self, *marks: str) -> str:
        mark = self._peek()
        if mark not in marks:
            raise self._broken(f"{' or '.join(marks)} was expected")
        self._at += 1
        return mark

    def _peek(self) -> str:
        """The next character that is not white space, "" at the end."""
        while True:
            space = _space(self._text, self._at)
            assert space is not None
            self._go_to(space.end())
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _value(self) -> Found:
        self._peek()
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                # It may only be cut off; more text tells.
                if isinstance(error, RecursionError) or len(self._text) - self._at > self._most or not self._more():
                    raise self._broken(_reason(error), getattr(error, "pos", None)) from error
                continue
            if end < len(self._text) or not self._more():
                found = Found(self._line, value, self._text[self._at : end])
                self._go_to(end)
                return found

    def _go_to(self, at: int) -> None:
        """Move on, keeping the line number: `_line` is always that of `_at`."""
        self._line += self._text.count("\n", self._at, at)
        self._at = at

    def _more(self) -> bool:
        """Take in the next block, letting go of what has been read."""
        if self._ended:
            return False
        block = next(self._blocks, "")
        if not block:
            self._ended = True
            return False
        self._text = self._text[self._at :] + block
        self._at = 0
        return True

    def _broken(self, reason: str, at: int | None = None) -> BadFile:
        line = self._line + (0 if at is None else self._text.count("\n", self._at, at))
        return BadFile(
            "{name} is not JSON that holds a table: line {line}: {reason}",
            hint="An array of objects is read, or one object on each line (--format jsonl).",
            name=self._name,
            line=line,
            reason=reason,
        )
