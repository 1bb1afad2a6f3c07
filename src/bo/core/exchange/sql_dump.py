"""A MySQL dump as tables of rows: `CREATE TABLE` names the columns, `INSERT INTO … VALUES` holds the rows.

Nothing is run: statements are read as text, in bounded memory, and all but these two are passed over. The file is read
twice, once for its tables and once for the rows. Several tables may be read at once (`--sheet oc_product+oc_image`);
columns are then called `table.column`, and each row fills those of its own table. It refuses a text that is left open
and a row that has other values than its table has columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from bo.core.exchange.containers import Content
from bo.core.exchange.lines import TextBlocks
from bo.core.exchange.source import Limits, Row, Source, distinct_names, shorten
from bo.core.kernel.errors import BadFile, BadInput, UsageError
from bo.core.kernel.text import _

AND: Final = "+"
Choose = Callable[[Sequence[str]], str]
_KEYS: Final = frozenset(("primary", "key", "unique", "constraint", "index", "fulltext", "spatial", "foreign", "check"))
_token: Final = re.compile(
    r"""\s+ | --[^\n]*(?:\n|\Z) | \#[^\n]*(?:\n|\Z) | /\*.*?\*/
    | (?P<text>'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*")
    | (?P<name>`(?:[^`]|``)*`)
    | (?P<word>[\w.+\-$@:]+)
    | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
).match
_escape: Final = re.compile(r"\\(.)|''|\"\"", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}


class _Token(msgspec.Struct, frozen=True, gc=False):
    """`kind` is text, name, word, mark, or "" at the end."""

    kind: str
    text: str
    line: int


class _Statement(msgspec.Struct, frozen=True, gc=False):
    """Columns of a table, or one row of it."""

    table: str
    columns: list[str] | None
    values: list[str | None] | None
    line: int


def open_dump(
    content: Content, encoding: str, sheet: str | int | None, choose: Choose | None, limits: Limits, notes: list[str]
) -> Source:
    """Open tables of a dump: those that `sheet` names with + between, else those that `choose` picks of all, else the
    only one.

    Raises BadFile for a file without rows, or with several tables of which none is chosen.
    """
    tables = _tables(content, encoding, limits)
    filled = [name for name, (_columns, count) in tables.items() if count]
    asked = str(sheet) if sheet is not None else choose(filled) if choose is not None else ""
    if not asked and len(filled) == 1:
        asked = filled[0]
    wanted = [name.strip() for name in asked.split(AND) if name.strip()]
    if not filled:
        raise BadFile("{name} holds no rows", hint="Rows are read from INSERT INTO statements.", name=content.name)
    unknown = [name for name in wanted if name not in tables]
    if unknown or not wanted:
        raise UsageError(
            "say which table of {name} is meant" if not wanted else "{name} has no table {table}",
            hint="Choose with --sheet TABLE, several with + between: {tables}",
            name=content.name, table=", ".join(unknown), tables=shorten(filled, 60),
        )  # fmt: skip
    others = [name for name in filled if name not in wanted]
    if others:
        notes.append(_("table {table}; there are also: {others}", table=asked, others=shorten(others)))
    names = [f"{table}.{column}" if len(wanted) > 1 else column for table in wanted for column in tables[table][0]]
    columns, doubts = distinct_names(names)
    rows = _rows(content, encoding, limits, {name: tables[name][0] for name in wanted})
    return Source(
        name=content.name, format="sql", columns=columns, rows=rows, encoding=encoding, notes=notes + doubts,
        sheet=asked, close=content.close,
    )  # fmt: skip


def _tables(content: Content, encoding: str, limits: Limits) -> dict[str, tuple[list[str], int]]:
    """Columns and number of rows of each table."""
    found: dict[str, tuple[list[str], int]] = {}
    for said in _Reader(TextBlocks(content, encoding), limits, content.name).statements():
        columns, count = found.get(said.table, ([], 0))
        if said.columns is not None:
            columns = [*columns, *(name for name in said.columns if name not in columns)]
        elif not columns:
            columns = [f"column {place}" for place in range(1, len(said.values or ()) + 1)]
        found[said.table] = (columns, count + (said.values is not None))
    return found


def _rows(content: Content, encoding: str, limits: Limits, tables: dict[str, list[str]]) -> Iterator[Row]:
    starts, width = {}, 0
    for name, columns in tables.items():
        starts[name], width = width, width + len(columns)
    current: dict[str, list[str]] = {}
    number = 0
    for said in _Reader(TextBlocks(content, encoding), limits, content.name).statements():
        if said.table not in tables:
            continue
        if said.columns is not None:
            current[said.table] = said.columns
        if said.values is None:
            continue
        number += 1
        named = current.get(said.table, tables[said.table])
        if len(named) != len(said.values):
            yield Row(number, said.line, said.values, _ragged(said, len(named)))
            continue
        cells: list[str | None] = [None] * width
        known = tables[said.table]
        for name, value in zip(named, said.values, strict=True):
            cells[starts[said.table] + known.index(name)] = value
        yield Row(number, said.line, cells)


def _ragged(said: _Statement, expected: int) -> BadInput:
    return BadInput(
        "line {line}: a row of {table} has {found} values for {expected} columns",
        hint="Look at this statement in a text editor.",
        line=said.line, table=said.table, found=len(said.values or ()), expected=expected,
    )  # fmt: skip


class _Reader:
    """Reads statements out of blocks of text, holding no more than a token and a row."""

    def __init__(self, blocks: TextBlocks, limits: Limits, name: str) -> None:
        self._blocks = iter(blocks)
        self._most = limits.record_chars
        self._name = name
        self._text, self._at, self._line, self._ended = "", 0, 1, False

    def statements(self) -> Iterator[_Statement]:
        while (token := self._next()).kind:
            word = token.text.lower() if token.kind == "word" else ""
            if word in ("insert", "replace"):
                yield from self._insert()
            elif word == "create":
                yield from self._create()
            elif token.text != ";" or token.kind != "mark":
                self._pass()

    # -- statements ----------------------------------------------------------------------------------------------------

    def _insert(self) -> Iterator[_Statement]:
        token = self._next()
        while token.kind == "word" and token.text.lower() in ("into", "ignore", "delayed", "low_priority"):
            token = self._next()
        table, token = self._table(token)
        if token.text == "(":
            names = []
            while (token := self._next()).kind and token.text != ")":
                if token.kind in ("name", "word"):
                    names.append(_plain(token))
            yield _Statement(table, names, None, token.line)
            token = self._next()
        if token.kind != "word" or token.text.lower() not in ("values", "value"):
            self._pass(token)  # INSERT … SELECT
            return
        while (token := self._next()).kind:
            if token.kind == "mark" and token.text == "(":
                yield _Statement(table, None, self._values(), token.line)
            elif token.kind == "mark" and token.text == ",":
                continue
            else:
                self._pass(token)
                return

    def _values(self) -> list[str | None]:
        """The values of one row: NULL is none; what is to be worked out (NOW()) is given as it is written."""
        values: list[str | None] = []
        parts: list[_Token] = []
        depth = 0
        while (token := self._next()).kind:
            if token.kind == "mark" and not depth and token.text in ",)":
                values.append(_value(parts))
                parts = []
                if token.text == ")":
                    return values
                continue
            if token.kind == "mark":
                depth += (token.text == "(") - (token.text == ")")
            parts.append(token)
        raise self._broken("a row is not closed")

    def _create(self) -> Iterator[_Statement]:
        token = self._next()
        while token.kind == "word" and token.text.lower() == "temporary":
            token = self._next()
        if token.text.lower() != "table":
            self._pass(token)
            return
        token = self._next()
        while token.kind == "word" and token.text.lower() in ("if", "not", "exists"):
            token = self._next()
        table, token = self._table(token)
        names, depth, first = [], int(token.text == "("), True
        while depth and (token := self._next()).kind:
            if token.kind == "mark":
                depth += (token.text == "(") - (token.text == ")")
                first = depth == 1 and token.text == ","
                continue
            if first and depth == 1 and (token.kind == "name" or token.text.lower() not in _KEYS):
                names.append(_plain(token))
            first = False
        self._pass()
        yield _Statement(table, names, None, token.line)

    def _table(self, token: _Token) -> tuple[str, _Token]:
        """The name of a table, without its database, and what follows it."""
        name, after = _plain(token), self._next()
        while after.text in (".",) or (after.kind == "word" and after.text.startswith(".")):
            token = self._next() if after.text == "." else after
            name, after = _plain(token).lstrip("."), self._next()
        return name.rpartition(".")[2], after

    def _pass(self, token: _Token | None = None) -> None:
        """Go on to the end of the statement."""
        token = token or self._next()
        while token.kind and not (token.kind == "mark" and token.text == ";"):
            token = self._next()

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _next(self) -> _Token:
        while True:
            found = _token(self._text, self._at)
            if found is None or found.end() == len(self._text) or self._is_open(found):
                if self._more():
                    continue
                if found is None:
                    return _Token("", "", self._line)
            if self._is_open(found):
                raise self._broken("a text or a comment is opened and not closed")
            line, text = self._line, found[0]
            self._line += text.count("\n")
            self._at = found.end()
            if found.lastgroup is not None:
                return _Token(found.lastgroup, text, line)

    @staticmethod
    def _is_open(found: re.Match[str]) -> bool:
        """Whether a text, a name or a comment begins here that does not end in what has been read."""
        text = found[0]
        return found.lastgroup == "mark" and (
            text in "'\"`" or (text == "/" and found.string[found.end() :][:1] == "*")
        )

    def _more(self) -> bool:
        """Take in the next block, letting go of what has been read."""
        if self._ended:
            return False
        if len(self._text) - self._at > self._most + (1 << 20):
            raise self._broken("one text is too long")
        block = next(self._blocks, "")
        if not block:
            self._ended = True
            return False
        self._text, self._at = self._text[self._at :] + block, 0
        return True

    def _broken(self, reason: str) -> BadFile:
        return BadFile(
            "{name} is no dump that can be read: line {line}: {reason}",
            hint="Write it anew, with mysqldump for example.",
            name=self._name, line=self._line, reason=reason,
        )  # fmt: skip


def _plain(token: _Token) -> str:
    return token.text[1:-1].replace("``", "`") if token.kind == "name" else token.text.strip("\"'")


def _value(parts: Sequence[_Token]) -> str | None:
    if len(parts) == 1:
        token = parts[0]
        if token.kind == "text":
            return (
                _escape.sub(_unescaped, token.text[1:-1])
                if "\\" in token.text or token.text.count(token.text[0]) > 2
                else token.text[1:-1]
            )
        return None if token.text.lower() == "null" else token.text
    if (
        len(parts) == 2
        and parts[0].kind == "word"
        and parts[0].text[:1] in ("_", "N", "b", "x")
        and parts[1].kind == "text"
    ):
        return _value(parts[1:])
    return "".join(token.text for token in parts)


def _unescaped(found: re.Match[str]) -> str:
    letter = found[1]
    return found[0][0] if letter is None else _ESCAPED.get(letter, letter)
