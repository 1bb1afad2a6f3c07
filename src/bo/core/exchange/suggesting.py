"""A mapping to begin with: what the columns of a file could be, with the reasons, as a TOML file for people to finish.

What a header says by itself is written down; what is only alike is a comment, for a guess must not import anything.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final
from unicodedata import normalize

from bo.core.exchange.mapping import Binding, Column, SavedMapping, bind, importable
from bo.core.exchange.pipeline import STANDARD_OPTIONS, commands_of, open_table
from bo.core.exchange.report import ImportOptions
from bo.core.exchange.source import Row, plain_name
from bo.core.kernel.command import Param
from bo.core.kernel.errors import BadValue
from bo.core.kernel.kinds import AmountKind, ChoiceKind, DayKind, Kind, MomentKind
from bo.core.kernel.parsing import parse_amount, parse_moment
from bo.core.kernel.record import RecordInfo
from bo.core.kernel.text import _
from bo.core.kernel.workspace import Workspace

SAMPLED_ROWS: Final = 1000
SHOWN_VALUES: Final = 3
SHOWN_CHARS: Final = 24
LIKENESS_LEAST: Final = 80
VALUES_MOST: Final = 20
NULL_WORDS: Final = frozenset(
    ("select", "n/a", "na", "null", "none", "nil", "-", "--", "#n/a", "unknown", "未知", "无", "请选择")
)


def suggest_mapping(
    workspace: Workspace, noun: str, path: str | os.PathLike[str], options: ImportOptions = STANDARD_OPTIONS
) -> str:
    """A mapping of a file's columns as TOML, with samples and likely fields as comments.

    Raises:
        BadFile: the file cannot be read as a table.
        UsageError: a noun that is not imported.
    """
    info, create, _edit = commands_of(workspace, noun)
    with open_table(path, options, noun) as source:
        binding = bind(info, create, source.columns, SavedMapping())
        rows = [row for row in islice(source, SAMPLED_ROWS) if row.problem is None]
    params = importable(create)
    lines = [
        "# "
        + _(
            "{file} as {noun}. Save it, finish it, and give it with --map; in the folder mappings of the workspace",
            file=os.path.basename(source.name),
            noun=noun,
        ),
        "# " + _("it is found by itself for files with these columns."),
        "[match]",
        f"noun = {_quoted(noun)}",
        f"columns = [{', '.join(_quoted(column.header) for column in binding.columns)}]",
        "",
        "# " + _('a field, "" to keep the column as it is, "-" to leave it out'),
        "# " + _("fields: {names}", names=", ".join(params)),
        "[columns]",
        *_column_lines(info, params, binding, rows),
        *_value_lines(params, binding, rows),
    ]
    general = list(_general_lines(params, binding, rows))
    # Keys of the whole file stand before its first table.
    return "\n".join([*lines[:2], *general, *lines[2:]]) + "\n"


def _column_lines(
    info: RecordInfo, params: Mapping[str, Param], binding: Binding, rows: Sequence[Row]
) -> Iterator[str]:
    taken = {column.field for column in binding.of("field")}
    for column in binding.columns:
        samples = _samples(column, rows)
        said = _("e.g. {samples}", samples=" | ".join(samples)) if samples else _("always blank")
        meant = column.field if column.role in ("field", "id") else ""
        guess = "" if meant else _guess(info, params, column.header, taken)
        yield f"{_quoted(column.header)} = {_quoted(meant)}  # {guess}{said}"


def _guess(info: RecordInfo, params: Mapping[str, Param], header: str, taken: set[str]) -> str:
    """The field whose names are most like the header, with the likeness in percent."""
    from rapidfuzz import fuzz

    best, most = "", 0.0
    for name, param in params.items():
        if name in taken:
            continue
        known = info.by_name.get(name)
        names = (name, param.label, *param.meta.aliases, *(known.meta.aliases if known else ()))
        # Half for words that are the same, half for nothing else being there: "Do not email" is not an address.
        score = max(
            (fuzz.token_set_ratio(_words(header), word) + fuzz.token_sort_ratio(_words(header), word)) / 2
            for word in map(_words, names)
        )
        if score > most:
            best, most = name, score
    return _("perhaps {field} ({percent} %); ", field=best, percent=round(most)) if most >= LIKENESS_LEAST else ""


def _samples(column: Column, rows: Sequence[Row]) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        text = " ".join((row.cells[column.place] or "").split())
        if text:
            found[text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"] = None
        if len(found) == SHOWN_VALUES:
            break
    return [_plain(text) for text in found]


def _general_lines(params: Mapping[str, Param], binding: Binding, rows: Sequence[Row]) -> Iterator[str]:
    """Words that seem to mean nothing, and readings that the file leaves open."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(text for cell in row.cells if cell and (text := cell.strip()).lower() in NULL_WORDS)
    if counts:
        words = ", ".join(_quoted(word) for word in counts)
        yield f"# null = [{words}]  # " + _("words that may mean blank, found {count} times", count=counts.total())
    if _left_open(params, binding, rows, (DayKind, MomentKind), parse_moment):
        yield '# day_order = "dmy"  # ' + _("or mdy: some days can be read in two ways")
    if _left_open(params, binding, rows, (AmountKind,), parse_amount):
        yield '# decimal = ","  # ' + _('or ".": some amounts can be read in two ways')


def _left_open(
    params: Mapping[str, Param],
    binding: Binding,
    rows: Sequence[Row],
    kinds: tuple[type[Kind], ...],
    parse: Callable[[str], object],
) -> bool:
    """Whether the file has cells of these kinds that can be read in two ways."""
    columns = [column for column in binding.of("field") if isinstance(params[column.field].kind, kinds)]
    texts = (row.cells[column.place] for column in columns for row in rows)
    return any(_is_open(text, parse) for text in texts if text)


def _is_open(text: str, parse: Callable[[str], object]) -> bool:
    try:
        parse(text)
    except BadValue as error:
        return "two" in error.message
    return False


def _value_lines(params: Mapping[str, Param], binding: Binding, rows: Sequence[Row]) -> Iterator[str]:
    """For fields of a few words, what the file's words could mean."""
    for column in binding.of("field"):
        kind = params[column.field].kind
        if not isinstance(kind, ChoiceKind):
            continue
        words = {text for row in rows if (text := (row.cells[column.place] or "").strip())}
        strange = sorted(word for word in words if word.lower().replace(" ", "_").replace("-", "_") not in kind.options)
        if strange:
            yield ""
            yield f"[values.{column.field}]  # " + _("one of: {options}", options=", ".join(kind.options))
            yield from (f"# {_quoted(word)} = {_quoted(_likest(word, kind.options))}" for word in strange[:VALUES_MOST])


def _likest(word: str, options: Sequence[str]) -> str:
    from rapidfuzz import process

    return str(process.extractOne(word, options)[0])


def _words(name: str) -> str:
    """A name in comparable form: its words, or its characters where it is Chinese."""
    plain = re.sub(r"[\W_]+", " ", normalize("NFKC", name)).strip()
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).casefold() if plain.isascii() else " ".join(plain_name(name))


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
