"""What a text file is: its encoding, its line ends, how its cells are parted and quoted.

Pure functions over a bounded sample. They refuse nothing except bytes that are no text; a doubtful answer is the
caller's to note.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import Protocol

import msgspec

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
GUESSES = (
    "gb18030",
    "big5",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "iso8859_15",
)
SAMPLE_RECORDS = 200

_controls = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")


class Encoding(msgspec.Struct, frozen=True):
    """`guessed` is False where the bytes leave no doubt (a byte order mark, valid UTF-8)."""

    name: str
    guessed: bool = False


def detect_encoding(sample: bytes, *, complete: bool) -> Encoding | None:
    """The encoding of a sample from the start of a file, or None for bytes that are no text."""
    for bom, name in BOMS:
        if sample.startswith(bom):
            return Encoding(name)
    wide = _wide_encoding(sample)
    if wide:
        return Encoding(wide, guessed=True)
    text = decoded(sample, "utf-8", complete=complete)
    if text is not None:
        return Encoding("utf-8") if is_text(text) else None
    return _detect_legacy(sample, complete=complete)


def decoded(sample: bytes, encoding: str, *, complete: bool) -> str | None:
    """The sample as text, or None where it is not of this encoding.

    A character cut off at the end counts only if the sample is complete.
    """
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(sample, complete)
    except UnicodeError:
        return None


def is_text(text: str) -> bool:
    """Whether this can be text: a stray control character is a flaw, many are a sign of something else."""
    strange = len(_controls.findall(text))
    return strange <= 8 or strange * 20 <= len(text)


def _wide_encoding(sample: bytes) -> str:
    """UTF-16 without a mark shows as zero bytes at every second place only."""
    even, odd, half = sample[0::2].count(0), sample[1::2].count(0), max(1, len(sample) // 2)
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros >= 2 and zeros * 20 >= half and others * 20 <= zeros:
            text = decoded(sample[: len(sample) & ~1], name, complete=False)
            if text and ("\n" in text or "\r" in text) and is_text(text):
                return name
    return ""


def _detect_legacy(sample: bytes, *, complete: bool) -> Encoding | None:
    chinese = decoded(sample, "gb18030", complete=complete)
    if chinese is not None and _reads_chinese(chinese):
        return Encoding("gb18030", guessed=True)
    if sum(byte > 0x7F for byte in sample[:4096]) >= 16:
        name = _ask_normalizer(sample)
        text = decoded(sample, name, complete=complete) if name else None
        if text is not None and is_text(text):
            return Encoding(name, guessed=True)
    western = decoded(sample, "cp1252", complete=complete)
    if western is not None and is_text(western):
        return Encoding("cp1252", guessed=True)
    return None


def _reads_chinese(text: str) -> bool:
    """GB 2312 holds the characters in daily use; Western text taken for GBK gives rare ones."""
    foreign = [character for character in text if character > "\x7f"]
    daily = sum(1 for character in foreign if _in_gb2312(character))
    hanzi = sum(1 for character in foreign if "\u3000" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef")
    return bool(foreign) and daily * 10 >= len(foreign) * 9 and hanzi * 2 >= len(foreign)


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _ask_normalizer(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample[: 32 << 10], cp_isolation=list(GUESSES)).best()
    return best.encoding if best else ""


class Records(Protocol):
    """Records one after the other, and the number of the line where the last one ended.

    `csv.Error` stands for one bad record.
    """

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


class Dialect(msgspec.Struct, frozen=True):
    """How the cells of a text file are parted and quoted. `quote` is "" where nothing is quoted."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    skip_space: bool = False
    drop_space: bool = False
    """Between a closing quotation mark and the delimiter, where some exports put a tab."""

    def reader(self, lines: Iterable[str]) -> Records:
        """A strict reader: what it cannot read is an error of one record, and the next call goes on after its line."""
        if self.drop_space:
            mark = re.escape(self.delimiter)
            tidy = re.compile(rf'((?<=[^"{mark}])"|(?:(?<=^)|(?<={mark}))"")[ \t]+(?={mark}|\r?$)').sub
            lines = (tidy(r"\1", line) for line in lines)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape or None,
            skipinitialspace=self.skip_space,
            strict=True,
        )


def detect_line_end(text: str) -> str:
    """ "\\n" (CRLF too) or "\\r", by the line breaks outside of quotes."""
    bare = re.sub(r'"[^"]*"', "", text)
    feeds = bare.count("\n")
    returns = bare.count("\r") - bare.count("\r\n")
    return "\r" if returns > feeds else "\n"


def split_lines(text: str, line_end: str) -> Iterable[str]:
    """Lines with their ends.

    Only real line ends part lines: str.splitlines would also part at form feeds and the like.
    """
    return StringIO(text, newline="\n" if line_end == "\n" else "")


class _Trial(msgspec.Struct, frozen=True):
    """How a dialect did on the sample. `spaced`: a cell began with a blank and then a quotation mark."""

    dialect: Dialect
    width: int = 0
    fit: float = 0.0
    flaws: int = 0
    spaced: bool = False

    @property
    def score(self) -> float:
        """Rows that agree on a width, and a width that says something."""
        return self.fit * (1 - 1 / self.width) if self.width else 0.0


def detect_dialect(text: str, *, line_end: str, complete: bool, delimiter: str = "", quotes: bool = True) -> Dialect:
    """How the sample is parted and quoted.

    A given `delimiter` is taken as it is. With `quotes` False only " quotes, and nothing escapes it.
    """
    lines = list(islice(split_lines(text, line_end), SAMPLE_RECORDS * 4))
    if not complete and len(lines) > 1:
        lines.pop()
    sample = _Sample("".join(lines), lines, complete, quotes)
    if delimiter:
        return _best_quoting(sample, delimiter).dialect
    for group in (",\t;|", "`^~\x1f", " "):
        trials = [_best_quoting(sample, each) for each in group if each in sample.text]
        trials = [trial for trial in trials if trial.score > 0 and _believable(trial, sample.text)]
        if trials:
            return max(trials, key=lambda trial: trial.score).dialect
    return _best_quoting(sample, ",").dialect


def _believable(trial: _Trial, sample: str) -> bool:
    """Blanks part words too, so quoted cells must bear witness; the other rare ones must fit throughout."""
    if trial.dialect.delimiter == " ":
        return trial.width >= 3 and trial.fit >= 0.5 and bool(re.search(r'" "|" [^\s"]|[^\s"] "', sample))
    if trial.dialect.delimiter in "`^~\x1f":
        return trial.fit == 1.0
    return True


class _Sample(msgspec.Struct, frozen=True):
    text: str
    lines: list[str]
    complete: bool
    quotes: bool


def _best_quoting(sample: _Sample, delimiter: str) -> _Trial:
    """The quoting with the fewest flaws; of each group the simplest, of equally good groups the preferred."""
    best = _try(Dialect(delimiter), sample)
    if sample.quotes:
        for group, preferred in _other_quotings(sample.text, delimiter, spaced=best.spaced):
            trial = min((_try(dialect, sample) for dialect in group), key=lambda each: each.flaws)
            if trial.flaws < best.flaws or (preferred and trial.flaws == best.flaws and trial.score >= best.score):
                best = trial
    return best


def _other_quotings(sample: str, delimiter: str, *, spaced: bool) -> list[tuple[list[Dialect], bool]]:
    """Groups of quotings the sample hints at, each with whether it is preferred to an equally good one before it."""
    parted = re.escape(delimiter)
    double = bool(re.search(rf'(?:^|{parted}) *"', sample, re.MULTILINE))
    marks = [mark for mark in ("\\", "\0") if f'{mark}"' in sample or f"{mark}'" in sample]
    groups = [([Dialect(delimiter, escape=mark) for mark in marks], False)] if marks else []
    if spaced:
        groups.append(([Dialect(delimiter, escape=mark, skip_space=True) for mark in ["", *marks]], True))
    if re.search(rf'"[ \t]+(?:$|{parted})', sample, re.MULTILINE):
        groups.append(([Dialect(delimiter, drop_space=True)], False))
    for quote in ("'", "`"):
        opened = re.search(rf"(?:^|{parted}){quote}[^{quote}]", sample, re.MULTILINE)
        if quote != delimiter and opened and re.search(rf"{quote}(?:$|{parted})", sample, re.MULTILINE):
            groups.append(([Dialect(delimiter, quote, mark) for mark in ["", *marks]], not double))
    proper = re.search(rf'(?:^|{parted})"[^"]*"(?:$|{parted})', sample, re.MULTILINE)
    if double and not proper and delimiter in "\t|":
        # Tables parted by tabs are often written by programs that quote nothing.
        groups.append(([Dialect(delimiter, quote="")], False))
    return groups


def _try(dialect: Dialect, sample: _Sample) -> _Trial:
    widths: list[int] = []
    errors = 0
    spaced = False
    reader = dialect.reader(sample.lines)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            # A sample may end inside a quoted cell; that is no flaw of the file.
            errors += sample.complete or "end of data" not in str(error)
            continue
        if cells and any(cells):
            widths.append(len(cells))
            spaced = spaced or any(cell.startswith(" ") and cell.lstrip(" ").startswith('"') for cell in cells)
    if not widths:
        return _Trial(dialect, flaws=errors)
    width = usual_width(widths)
    total, count = len(widths) + errors, widths.count(width)
    return _Trial(dialect, width, count / total, total - count, spaced)


def usual_width(widths: Sequence[int]) -> int:
    """The most frequent width; of equals the first, which is the header's.

    Where most lines have one cell, a long text may stand above the table: then the width that the lines keep to from
    its first to the last.
    """
    frequent = Counter(widths).most_common(4)
    if frequent[0][0] != 1:
        return frequent[0][0]
    for width, count in frequent[1:]:
        below = widths[widths.index(width) :]
        if count >= 2 and count * 10 >= len(below) * 7:
            return width
    return 1
