"""The steps that lead to an import, one after the other: the file, its first rows, its columns.

Each says what it shows and what its keys do. What they do to the office goes through the screen that holds them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import structs
from rich.cells import cell_len

from bo.core.exchange.mapping import DROP, KEEP
from bo.core.exchange.source import FORMATS
from bo.core.kernel.text import _
from bo.tui.cells import fitted, harmless
from bo.tui.importing import RECORD_ID, Glance, Listed, Reading, Target, listing, missing
from bo.tui.key_screen import cursor, step_of, within
from bo.tui.looks import Looks, Span, Tone
from bo.tui.pane import Line

CELL_MOST = 24
ENCODINGS = ("utf-8", "gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "cp1251", "iso-8859-1", "utf-16")
HEADERS = 6
PAGE = 15

Offers = Sequence[tuple[str, str, str]]


class Wizard(Protocol):
    """The screen that holds the steps."""

    looks: Looks

    def choose(self, heading: str, offers: Offers, picked: Callable[[int], None]) -> None: ...

    def type_path(self, begun: str) -> None: ...

    def open_file(self, path: str) -> None: ...

    def read_again(self, reading: Reading) -> None: ...

    def map_columns(self) -> None: ...

    def try_out(self) -> None: ...

    def carry_out(self) -> None: ...

    def stop(self) -> None: ...

    def take_back(self) -> None: ...

    def say(self, text: str, tone: Tone = "text") -> None: ...

    def leave(self) -> None: ...

    def back(self) -> None: ...


class FileStep:
    """A folder to choose a file from."""

    def __init__(self, wizard: Wizard, folder: Path) -> None:
        self._wizard = wizard
        self._at = 0
        self._entries: list[Listed] = []
        self.folder = folder
        self.go(folder)

    @property
    def heading(self) -> str:
        return _("which file")

    @property
    def keys(self) -> str:
        return _("j k move  Enter takes it or goes in  h up  Tab or / types a path  q leaves")

    def go(self, folder: Path, at: str = "") -> None:
        """Show a folder, with the cursor on a name."""
        try:
            self._entries = listing(folder)
        except OSError as error:
            self._wizard.say(f"{folder}: {error.strerror or error}", "bad")
            return
        self.folder = folder
        self._at = next((place for place, item in enumerate(self._entries) if item.name == at), 0)

    def press(self, name: str) -> None:
        if step := step_of(name, PAGE):
            self._at = within(self._at + step, len(self._entries))
        elif name in ("enter", "l", "right") and self._entries:
            entry = self._entries[self._at]
            place = self.folder / entry.name
            self.go(place) if entry.is_folder else self._wizard.open_file(str(place))
        elif name in ("h", "left", "backspace"):
            self.go(self.folder.parent, self.folder.name)
        elif name in ("tab", "/"):
            # Who begins with a slash is typing a whole path.
            self._wizard.type_path("/" if name == "/" else str(self.folder).rstrip("/\\") + "/")
        elif name == "~":
            self.go(Path.home())
        elif name in ("q", "escape"):
            self._wizard.leave()

    def lines(self, width: int, height: int) -> list[Line]:
        looks = self._wizard.looks
        first: Line = ((" " + fitted(harmless(str(self.folder)), width - 2, more=looks.glyphs.more), "title"),)
        listed = [self._line(place, item, width) for place, item in enumerate(self._entries)]
        return [first, *_around(listed or [((" " + _("nothing is in here"), "dim"),)], self._at, height - 1)]

    def _line(self, place: int, item: Listed, width: int) -> Line:
        here = place == self._at
        name = harmless(item.name) + ("/" if item.is_folder else "")
        size = "" if item.is_folder else _size(item.bytes)
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.changed))
        title: Span = (
            fitted(name, max(10, min(60, width - 34)), more=self._wizard.looks.glyphs.more),
            "head" if here else "text",
        )
        return (cursor(here), title, (f" {size:>9}  {day}", "dim"))


class PreviewStep:
    """The first rows as they are read, and what can be said about reading them."""

    def __init__(self, wizard: Wizard, glanced: Glance, reading: Reading) -> None:
        self._wizard = wizard
        self._glance = glanced
        self._reading = reading
        self._top = self._first = 0

    @property
    def heading(self) -> str:
        return _("its first rows")

    @property
    def keys(self) -> str:
        return _("Enter goes on  f format  e encoding  , mark  s sheet  H header  h l  Esc back")

    def press(self, name: str) -> None:
        glanced = self._glance
        if step := step_of(name, PAGE):
            self._top = within(self._top + step, len(glanced.rows))
        elif name in ("h", "left", "l", "right"):
            self._first = within(self._first + (1 if name in ("l", "right") else -1), len(glanced.headers))
        elif name in ("enter", "d"):
            if glanced.columns:
                self._wizard.map_columns()
            else:
                self._wizard.say(glanced.trouble, "bad")
        elif name == "f":
            self._ask("format", _("What the file is"), dict(zip(FORMATS, FORMATS, strict=True)))
        elif name == "e":
            self._ask("encoding", _("Encoding"), dict(zip(ENCODINGS, ENCODINGS, strict=True)))
        elif name == ",":
            signs = {_("comma"): ",", _("semicolon"): ";", _("tab stop"): "\\t", _("vertical bar"): "|"}
            self._ask("delimiter", _("What stands between the cells"), signs)
        elif name == "s":
            self._ask("sheet", _("Sheet, by its number"), {str(number): str(number) for number in range(1, 10)})
        elif name == "H":
            lines = {_("line {number}", number=number): str(number) for number in range(1, HEADERS)}
            self._ask("header_row", _("Where the header is"), {_("there is none"): "0"} | lines)
        elif name in ("escape", "backspace"):
            self._wizard.back()
        elif name == "q":
            self._wizard.leave()

    def _ask(self, what: str, heading: str, offers: Mapping[str, str]) -> None:
        listed = {_("as found"): "", **offers}
        values = list(listed.values())

        def picked(at: int) -> None:
            self._wizard.read_again(structs.replace(self._reading, **{what: values[at]}))

        now = getattr(self._reading, what)
        hints = [(title, "", _("now") if value == now else "") for title, value in listed.items()]
        self._wizard.choose(heading, hints, picked)

    def lines(self, width: int, height: int) -> list[Line]:
        glanced = self._glance
        facts = [glanced.format, glanced.encoding, glanced.sheet and _("sheet {name}", name=glanced.sheet)]
        said = [word for word in self._reading.words() if not word.startswith("--")]
        known = sum(1 for column in glanced.columns if column.field not in (KEEP, DROP))
        read_as = " " + "  ".join(harmless(fact) for fact in facts if fact)
        asked = "   " + _("you said: {words}", words=" ".join(said)) if said else ""
        lines: list[Line] = [((read_as, "info"), (asked, "dim"))]
        if glanced.trouble:
            lines += [
                ((f" {self._wizard.looks.glyphs.no} {part}", "bad"),) for part in broken(glanced.trouble, width - 4)
            ]
        if glanced.columns:
            name = Path(glanced.mapping.name).stem
            how = (
                _("known as {name}", name=name) if glanced.is_shipped
                else _("by your mapping {name}", name=name) if name else _("by their names")
            )  # fmt: skip
            words = _("{known} of {all} columns are fields", known=known, all=len(glanced.columns))
            lines.append(((f" {words}, {how}", "good" if known else "warn"),))
        lines += [((f" {note}", "dim"),) for note in glanced.notes[:4]]
        return [*lines, (), *self._table(width, max(1, height - len(lines) - 1))]

    def _table(self, width: int, height: int) -> list[Line]:
        glanced, more = self._glance, self._wizard.looks.glyphs.more
        if not glanced.headers:
            return []
        fields = {column.header: column.field for column in glanced.columns}
        shown = list(enumerate(glanced.headers))[self._first :]
        widths = [_width(header, place, glanced.rows) for place, header in shown]
        head: list[Span] = [("     ", "dim")]
        for (_place, header), cells in zip(shown, widths, strict=True):
            tone: Tone = "key" if fields.get(header, KEEP) not in (KEEP, DROP) else "title"
            head.append((fitted(harmless(header), cells, more=more) + " ", tone))
        lines: list[Line] = [tuple(head)]
        for number, row in enumerate(glanced.rows[self._top : self._top + height - 1], self._top + 1):
            texts = [harmless(row[place]) if place < len(row) else "" for place, _header in shown]
            told = " ".join(fitted(text, wide, more=more) for text, wide in zip(texts, widths, strict=True))
            lines.append(((f"{number:>4} ", "dim"), (told, "text")))
        return lines


class MappingStep:
    """Each column with the field it fills. `fields` is what the user decided."""

    def __init__(self, wizard: Wizard, glanced: Glance, fields: Sequence[str] = ()) -> None:
        self._wizard = wizard
        self._glance = glanced
        self._at = 0
        self._found = [column.field for column in glanced.columns]
        self.fields = list(fields) or list(self._found)

    @property
    def heading(self) -> str:
        return _("which column is what")

    @property
    def keys(self) -> str:
        return _("Enter picks a field  x keeps it as it is  X leaves it out  d tries it  Esc back")

    @property
    def is_changed(self) -> bool:
        return self.fields != self._found

    @property
    def missing(self) -> list[Target]:
        return missing(self._glance, self.fields)

    def press(self, name: str) -> None:
        if step := step_of(name, PAGE):
            self._at = within(self._at + step, len(self.fields))
        elif name in ("enter", "x", "X") and self._glance.columns[self._at].settled:
            self._wizard.say(_("This column is what it is by its name"), "warn")
        elif name == "enter":
            self._pick()
        elif name in ("x", "X"):
            self._put(KEEP if name == "x" else DROP)
            self._at = within(self._at + 1, len(self.fields))
        elif name in ("d", "tab") and not self.missing:
            self._wizard.try_out()
        elif name in ("d", "tab"):
            self._wizard.say(_("No column is {fields} yet", fields=", ".join(t.title for t in self.missing)), "bad")
        elif name in ("escape", "backspace"):
            self._wizard.back()
        elif name == "q":
            self._wizard.leave()

    def _pick(self) -> None:
        at = self._at
        header = self._glance.columns[at].header
        lacking = {target.name for target in self.missing}
        targets = sorted(self._glance.targets, key=lambda target: target.name not in lacking)
        offers = [(target.title, "*" if target.required else "", self._hint(target)) for target in targets]

        def picked(place: int) -> None:
            self.fields[at] = targets[place].name
            self._at = within(at + 1, len(self.fields))
            self._wizard.say("")

        self._wizard.choose(_("{column} is", column=harmless(header)[:40]), offers, picked)

    def _hint(self, target: Target) -> str:
        others = [
            column.header
            for column, field in zip(self._glance.columns, self.fields, strict=True)
            if field == target.name
        ]
        return _("now {columns}", columns=", ".join(others)) if others else target.name

    def _put(self, field: str) -> None:
        self.fields[self._at] = field
        self._wizard.say("")

    def lines(self, width: int, height: int) -> list[Line]:
        looks = self._wizard.looks
        lines: list[Line] = []
        if lacking := self.missing:
            words = _("needed, and no column is it: {fields}", fields=", ".join(target.title for target in lacking))
            lines.append(((f" {looks.glyphs.no} {words}", "bad"),))
        if self.is_changed:
            lines.append(((" " + _("this will be kept as a mapping, and found again for such files"), "info"),))
        listed = [self._line(place, width) for place in range(len(self.fields))]
        return [*lines, (), *_around(listed, self._at, height - len(lines) - 1)]

    def _line(self, place: int, width: int) -> Line:
        looks, column, field = self._wizard.looks, self._glance.columns[place], self.fields[place]
        here, more = place == self._at, looks.glyphs.more
        titles = {target.name: target.title for target in self._glance.targets} | {RECORD_ID: _("the record's id")}
        what: Span = (titles.get(field, field), "good")
        if column.settled:
            what = (_("as its name says"), "dim")
        elif field in (KEEP, DROP):
            what = (_("kept as it is"), "wait") if field == KEEP else (_("left out"), "dim")
        header: Span = (fitted(harmless(column.header), 26, more=more), "head" if here else "text")
        arrow: Span = (f" {looks.glyphs.to} ", "dim")
        return (cursor(here), header, arrow, (fitted(what[0], 20, more=more) + "  ", what[1]),
                (fitted(harmless(column.sample), max(6, width - 56), more=more), "dim"))  # fmt: skip


def _around(lines: Sequence[Line], at: int, height: int) -> Sequence[Line]:
    """As many lines as there is room for, with the one under the cursor among them."""
    top = max(0, min(at - height // 2, len(lines) - height))
    return lines[top : top + height]


def broken(text: str, width: int) -> list[str]:
    from bo.tui.cells import wrapped

    return wrapped(text, max(20, width), 3)


def _width(header: str, place: int, rows: Sequence[Sequence[str]]) -> int:
    longest = max((cell_len(row[place][:CELL_MOST]) for row in rows if place < len(row)), default=0)
    return max(3, min(CELL_MOST, max(longest, cell_len(header))))


def _size(count: int) -> str:
    value, unit = float(count), "B"
    for larger in ("KB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:,.0f} {unit}" if unit == "B" or value >= 10 else f"{value:,.1f} {unit}"
