"""Opening a file of rows: CSV and TSV here, the other formats by their readers.

Everything is read in bounded memory: blocks of bytes are decoded strictly, lines and records have a largest size,
rows come one by one. It refuses what it would have to alter: bytes that are not of the encoding, lines without end,
formats it does not know.
"""

from __future__ import annotations

import codecs
import csv
import os
import re

import msgspec

from bo.core.exchange.containers import NOT_A_TABLE, Content, open_content
from bo.core.exchange.layout import Intake, Sampled, Table, find_layout
from bo.core.exchange.lines import BLOCK_BYTES, OTHER_ENCODING, LineFeeder, TextBlocks, read_block
from bo.core.exchange.sniffing import (
    Dialect,
    Encoding,
    decoded,
    detect_dialect,
    detect_encoding,
    detect_line_end,
    is_text,
    split_lines,
)
from bo.core.exchange.source import FORMATS, WORKBOOKS, Format, Limits, Source
from bo.core.exchange.sql_dump import Choose
from bo.core.kernel.errors import BadFile, UsageError
from bo.core.kernel.text import _

USUAL = Limits()
LOOK_FOR_LETTERS_BYTES = 64 << 20
BLANK_BYTES = b"\r\n\t \0\xef\xbb\xbf\xff\xfe"
DELIMITER_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_ENDINGS: dict[str, Format] = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "sql": "sql",
}
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "utf-8-sig": "utf-8"}


class Request(msgspec.Struct, frozen=True):
    """What the caller says about a text file; the rest is found out."""

    encoding: str | None = None
    format: Format | None = None
    delimiter: str = ""
    header_row: int | None = None
    unescape: bool = False
    limits: Limits = USUAL


def open_source(
    path: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    format: Format | None = None,
    delimiter: str | None = None,
    sheet: str | int | None = None,
    header_row: int | None = None,
    unescape: bool = False,
    choose: Choose | None = None,
    limits: Limits = USUAL,
) -> Source:
    """Open a file, or `-` for standard input, as rows of text.

    What is not given is detected and told in `notes`. `header_row` is the line (in a workbook the row) with the column
    names, 0 for none. `sheet` is a name or a number from 1. `unescape` reads a CSV or TSV that `open_writer` wrote: the
    apostrophes it put in front are taken away. `choose` picks tables of a dump where `sheet` names none. JSON is
    read through once before the first row, for its columns.

    Raises:
        BadFile: it cannot be read as a table; also while iterating.
        UsageError: an option that does not fit the file, or an unknown encoding, format or delimiter.
    """
    if format is not None and format not in FORMATS:
        raise UsageError("{format} is not a format", hint="One of: {known}.", format=format, known=", ".join(FORMATS))
    request = Request(encoding, format, parse_delimiter(delimiter), header_row, unescape, limits)
    content = open_content(path, limits)
    try:
        return source_of(content, request, sheet, choose)
    except BaseException:
        content.close()
        raise


def source_of(
    content: Content, request: Request, sheet: str | int | None = None, choose: Choose | None = None
) -> Source:
    """What is open already as rows of text. Raises as `open_source` does."""
    if content.workbook or request.format in WORKBOOKS:
        return _open_workbook(content, request.format, sheet, request.header_row, request.limits)
    if request.format == "sql" or (request.format is None and content.inner.lower().endswith(".sql")):
        return _open_dump(content, request, sheet, choose)
    if sheet is not None:
        raise UsageError("{name} is no workbook, so it has no sheets", hint="Leave out --sheet.", name=content.name)
    return _open_text(content, request)


def parse_delimiter(text: str | None) -> str:
    """One character, or its name (tab, comma, semicolon, pipe, space); ", " is a comma.

    "" for None. Raises UsageError.
    """
    if text is None:
        return ""
    mark = DELIMITER_NAMES.get(text.lower(), text)
    if len(mark) > 1:
        mark = mark.strip(" ")
    if len(mark) != 1 or mark in '\r\n"\0':
        raise UsageError(
            "{text} cannot be a delimiter",
            hint="Give one character, or: tab, comma, semicolon, pipe, space.",
            text=repr(text),
        )
    return mark


def _open_workbook(
    content: Content, format: Format | None, sheet: str | int | None, header_row: int | None, limits: Limits
) -> Source:
    if not content.workbook:
        raise BadFile(
            "{name} is not {format}",
            hint="Leave out --format, or " + NOT_A_TABLE.lower(),
            name=content.name,
            format=format,
        )
    from bo.core.exchange.workbook import open_workbook

    source = open_workbook(content, sheet=sheet, header_row=header_row, limits=limits)
    if format is not None and format != source.format:
        source.notes.insert(0, _("the file is really {format}", format=source.format))
    return source


def _open_dump(content: Content, request: Request, sheet: str | int | None, choose: Choose | None) -> Source:
    from bo.core.exchange.sql_dump import open_dump

    if request.header_row is not None:
        raise UsageError(
            "{name} is a dump, which has no header line", hint="Leave out --header-row.", name=content.name
        )
    sample, complete = _sample(content, request.limits)
    notes: list[str] = []
    if content.packing:
        notes.append(_("unpacked from {packing}: {inner}", packing=content.packing, inner=content.inner))
    encoding = _encoding(content, request, sample, complete)
    return open_dump(content, encoding.name, sheet, choose, request.limits, notes)


def _open_text(content: Content, request: Request) -> Source:
    sample, complete = _sample(content, request.limits)
    if not sample.strip(BLANK_BYTES):
        raise BadFile("{name} is empty", hint=EMPTY, name=content.name)
    found = _encoding(content, request, sample, complete)
    notes = []
    if found.guessed:
        notes.append(_("encoding guessed: {encoding}; if letters look wrong, say --encoding", encoding=found.name))
    if content.packing:
        notes.append(_("unpacked from {packing}: {inner}", packing=content.packing, inner=content.inner))
    text = "".join(TextBlocks(content, found.name, None if complete else len(sample)))
    if not request.unescape and not is_text(text):
        raise BadFile(NO_TEXT, hint=OTHER_ENCODING, name=content.name)
    chosen = request.format or _text_format(content, text, notes)
    if chosen == "csv" or chosen == "tsv":
        return _open_delimited(content, TextBlocks(content, found.name), request, chosen, text, complete, notes)
    if request.header_row is not None:
        raise UsageError("{name} is JSON, which has no header line", hint="Leave out --header-row.", name=content.name)
    from bo.core.exchange.objects import open_objects

    return open_objects(content, found.name, chosen, notes, request.limits)


def text_of(content: Content, request: Request) -> tuple[str, TextBlocks]:
    """The beginning of a text, and all of it as blocks. Raises BadFile for what is empty or no text."""
    sample, complete = _sample(content, request.limits)
    if not sample.strip(BLANK_BYTES):
        raise BadFile("{name} is empty", hint=EMPTY, name=content.name)
    found = _encoding(content, request, sample, complete)
    return "".join(TextBlocks(content, found.name, None if complete else len(sample))), TextBlocks(content, found.name)


def _encoding(content: Content, request: Request, sample: bytes, complete: bool) -> Encoding:
    if request.encoding:
        return _known_encoding(request.encoding)
    if request.unescape and decoded(sample, "utf-8", complete=complete) is not None:
        return Encoding("utf-8")
    return _detect(content, sample, complete, request.limits)


def _sample(content: Content, limits: Limits) -> tuple[bytes, bool]:
    source, data = content.open(), b""
    while len(data) < limits.sample_bytes:
        block = read_block(source, limits.sample_bytes - len(data), content.name)
        if not block:
            return data, True
        data += block
    return data, False


def _known_encoding(name: str) -> Encoding:
    try:
        codec = codecs.lookup(name.strip())
    except (LookupError, ValueError) as error:
        raise UsageError(
            "{encoding} is not an encoding", hint="For example: utf-8, gb18030, utf-16-le, cp1252.", encoding=name
        ) from error
    if not getattr(codec, "_is_text_encoding", True) or codec.name in (
        "idna",
        "punycode",
        "unicode_escape",
        "raw_unicode_escape",
    ):
        raise UsageError(
            "{encoding} is not an encoding of text",
            hint="For example: utf-8, gb18030, utf-16-le, cp1252.",
            encoding=name,
        )
    return Encoding(_SUPERSETS.get(codec.name, codec.name))


def _detect(content: Content, sample: bytes, complete: bool, limits: Limits) -> Encoding:
    """By the sample; where that is plain ASCII, by the first part of the file that is not: a late umlaut counts too."""
    if sample.isascii() and b"\0" not in sample and not complete:
        source, seen = content.open(), 0
        while seen < LOOK_FOR_LETTERS_BYTES and (block := read_block(source, BLOCK_BYTES, content.name)):
            seen += len(block)
            if not block.isascii():
                first = next(index for index, byte in enumerate(block) if byte > 0x7F)
                tail = block[first : first + limits.sample_bytes]
                late = detect_encoding(tail, complete=False)
                return late if late and not late.name.startswith("utf-16") else Encoding("utf-8")
    found = detect_encoding(sample, complete=complete)
    if found is None:
        raise BadFile(
            NO_TEXT,
            hint="Say --encoding if you know it. " + NOT_A_TABLE,
            name=content.name,
        )
    return found


def _text_format(content: Content, text: str, notes: list[str]) -> Format:
    """By the ending; a table that calls itself a workbook, and input without a name, by what it looks like."""
    ending = content.inner.lower().rsplit(".", 1)[-1]
    start = text[:4096].lstrip()
    if re.match(r"<[!?A-Za-z][^,;\t|]*>", start):
        raise BadFile(
            "{name} is a web page or XML, whatever its name says",
            hint="Open it in a spreadsheet program and save it as XLSX or CSV.",
            name=content.name,
        )
    known = _ENDINGS.get(ending)
    if known == "csv" or known == "tsv":
        return known
    if known or re.match(r'\{\s*["}]|\[\s*[\]{]', start):
        looks: Format = "jsonl" if re.match(r"\{.*\}[ \t]*\r?\n\s*\{", start) else "json"
        return "jsonl" if known == "jsonl" else looks
    if ending in WORKBOOKS:
        notes.append(_("the file is named .{ending} and is really text", ending=ending))
    return "csv"


def _open_delimited(
    content: Content,
    blocks: TextBlocks,
    request: Request,
    format: Format,
    text: str,
    complete: bool,
    notes: list[str],
) -> Source:
    own, limits = request.unescape, request.limits
    given = request.delimiter or ("\t" if format == "tsv" else "")
    line_end = detect_line_end(text)
    dialect = detect_dialect(text, line_end=line_end, complete=complete, delimiter=given, quotes=not own)
    notes += _dialect_notes(dialect, given=bool(given))
    layout = find_layout(_sampled(dialect, text, line_end), header_row=request.header_row, plain=own)
    if layout is None:
        raise BadFile("{name} has nothing but blank lines", hint=EMPTY, name=content.name)
    # The limit of the csv module is one for all and counts fields; ours, on records, is to be met first.
    csv.field_size_limit(max(csv.field_size_limit(), limits.record_chars + 4 * BLOCK_BYTES))
    intake = Intake()
    lines = LineFeeder(blocks, line_end, intake, limits, content.name)
    table = Table(dialect.reader(lines.lines()), layout, intake, limits, notes=notes, unescape=own)
    return Source(
        name=content.name,
        format="tsv" if dialect.delimiter == "\t" else "csv",
        columns=table.columns,
        rows=table.rows(),
        encoding=blocks.encoding,
        notes=notes,
        skipped=table.skipped,
        close=content.close,
    )


def _sampled(dialect: Dialect, text: str, line_end: str) -> list[Sampled]:
    reader = dialect.reader(split_lines(text, line_end))
    sample: list[Sampled] = []
    while len(sample) < 200:
        line = reader.line_num + 1
        try:
            sample.append(Sampled(line, next(reader)))
        except StopIteration:
            break
        except csv.Error:
            sample.append(Sampled(line, None))
    return sample


def _dialect_notes(dialect: Dialect, *, given: bool) -> list[str]:
    notes = []
    if not given and dialect.delimiter != ",":
        notes.append(_("cells are parted by {mark}", mark=repr(dialect.delimiter)))
    if dialect.quote != '"':
        notes.append(
            _("cells are quoted with {mark}", mark=dialect.quote)
            if dialect.quote
            else _("quotation marks are part of the text")
        )
    if dialect.escape:
        notes.append(_("quotation marks are escaped with {mark}", mark=repr(dialect.escape)))
    if dialect.drop_space:
        notes.append(_("blanks after a closing quotation mark are left out"))
    if dialect.skip_space:
        notes.append(_("blanks after the delimiter are left out"))
    return notes


EMPTY = "Check that the right file was written."
NO_TEXT = "{name} is not text in any encoding that is known here"
