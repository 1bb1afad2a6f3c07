"""A small office in a SQLite file, for tests, benchmarks and trying the screen: messy leads in two languages."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import structs

from bo.core.kernel.errors import BadInput, NotFound
from bo.core.kernel.workspace import Workspace
from bo.tui.leads import Comparison, StoreOffer
from bo.tui.source import (
    PAGE_ROWS,
    Answer,
    Bars,
    Board,
    Choice,
    Column,
    CommandSpec,
    Detail,
    DetailField,
    Figure,
    Foresight,
    HistoryEntry,
    Interrupted,
    NamedView,
    Outcome,
    ParamSpec,
    Place,
    Related,
    RowView,
    Standing,
    StartRow,
    Trend,
    Waiting,
)

COLUMNS = (
    Column("state", "State", 14),
    Column("name", "Name", 16, grow=True),
    Column("phone", "Phone", 15),
    Column("city", "City", 10),
    Column("source", "Source", 12),
    Column("value", "Value", 10, align="right"),
    Column("received", "Received", 16),
)
FIELDS = tuple(column.key for column in COLUMNS)
REASONS = (
    "unreachable", "wrong_number", "not_applicant", "no_intent", "out_of_territory", "out_of_category",
    "existing_customer", "duplicate", "internal_or_competitor", "test_data", "fabricated", "no_consent", "incomplete",
    "late_report",
)  # fmt: skip
COMMANDS = (
    CommandSpec("leads.accept", "accept", "Accept", allowed_states=frozenset({"pending_review"})),
    CommandSpec(
        "leads.reject", "reject", "Reject",
        (ParamSpec("reason", "Reason", "choice", True, tuple(Choice(r, r.replace("_", " ")) for r in REASONS)),
         ParamSpec("note", "Note")),
        allowed_states=frozenset({"pending_review", "needs_info"}),
    ),
    CommandSpec(
        "leads.assign", "assign", "Assign",
        (ParamSpec("store", "Store", "ref", True, ref="stores"), ParamSpec("note", "Note")),
        allowed_states=frozenset({"valid"}),
    ),
    CommandSpec(
        "leads.win", "win", "Win",
        (ParamSpec("order", "Order number", required=True), ParamSpec("amount", "Amount", "amount", True),
         ParamSpec("on", "Day", "day")),
        allowed_states=frozenset({"assigned", "accepted"}),
    ),
    CommandSpec(
        "leads.report", "report", "Report a lead",
        (ParamSpec("name", "Name", required=True), ParamSpec("phone", "Phone", "phone", True)), subject=False,
    ),
)  # fmt: skip
MOVES = {"leads.accept": "valid", "leads.reject": "invalid", "leads.assign": "assigned", "leads.win": "won"}
STORES = ("West", "East", "朝阳店", "浦东店")
HOSTILE = (
    "[bold red]markup[/] [@click=app.exit]quit[/]",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07 bell\x07",
    "admin\u202egnp.exe\u202c bidi\u2066x\u2069",
    "zero\u200bwidth\u200d\ufeffjoined\u00ad",
    "👩‍👩‍👧‍👦 family ❤️ 🇨🇳 👍🏽",
    "long " + "名字abc" * 2_000,
    "Zalgo" + "\u0301" * 500,
    "two\nlines\ttab\r\x00nul",
)
_SCHEMA = """
CREATE TABLE lead (
  id TEXT PRIMARY KEY, state TEXT, name TEXT, phone TEXT, city TEXT, source TEXT, value INTEGER, received TEXT
);
CREATE INDEX lead_received ON lead (received, id);
CREATE TABLE operation (number INTEGER PRIMARY KEY, lead TEXT, what TEXT, before TEXT, after TEXT);
CREATE INDEX operation_lead ON operation (lead);
"""


def make_office(path: Path, leads: int, *, hostile: bool = False, seed: int = 7) -> Path:
    """Write an office with that many leads, the same for the same arguments."""
    chance = random.Random(seed)
    database = sqlite3.connect(path)
    database.executescript(_SCHEMA)
    database.executemany("INSERT INTO lead VALUES (?,?,?,?,?,?,?,?)", (_lead(chance, i, hostile) for i in range(leads)))
    database.commit()
    database.close()
    return path


def _lead(chance: random.Random, number: int, hostile: bool) -> tuple[object, ...]:
    states = ("pending_review",) * 6 + ("valid", "valid", "assigned", "invalid", "needs_info", "won", "duplicate")
    if hostile and number < len(HOSTILE):
        name = HOSTILE[number]
    elif number % 3 == 0:
        name = chance.choice("王李张刘陈杨赵黄周吴欧阳") + "".join(
            chance.choice("伟芳娜敏静丽强磊军洋艳勇杰涛明") for _ in range(chance.choice((1, 2)))
        )
    else:
        name = (
            chance.choice(("Ann", "Bob", "Chloë", "Dmitri", "Eve", "Farid"))
            + " "
            + chance.choice(("Moss", "O'Neil", "Smith", "Zhang", "Núñez"))
        )
    phone = f"+86 1{chance.randrange(3, 10)}{chance.randrange(10**8, 10**9)}"
    city = chance.choice(("北京", "上海", "广州", "深圳", "Berlin", "Lyon", "Oslo"))
    source = chance.choice(("form", "designer", "partner", "小红书", "shop"))
    received = f"2026-{1 + number * 11 // 200_000 % 12:02}-{1 + number % 28:02} {number % 24:02}:{number % 60:02}"
    return (
        f"lead_{number:07}",
        chance.choice(states),
        name,
        phone,
        city,
        source,
        chance.randrange(0, 90_000),
        received,
    )


class SampleSnapshot:
    """Numbers its first rows before the rest, if that is wanted; then the rest waits for `gate`."""

    def __init__(
        self, database: sqlite3.Connection, table: str, rows: str, values: Sequence[str], gate: threading.Event | None
    ) -> None:
        self._database = database
        self._table = table
        self._rows = rows
        self._values = values
        self._gate = gate
        self.count = 0
        self.whole = self.closed = self.interrupted = False
        self._number("" if gate is None else f"LIMIT {PAGE_ROWS}")
        self.whole = gate is None or self.count < PAGE_ROWS

    def complete(self) -> None:
        if self.whole:
            return
        while self._gate is not None and not self._gate.wait(0.005):
            if self.interrupted:
                raise Interrupted
        self._number(f"LIMIT -1 OFFSET {self.count}")
        self.whole = True

    def stop(self) -> None:
        """Nothing is held."""

    def _number(self, part: str) -> None:
        try:
            inserted = self._database.execute(f"INSERT INTO {self._table} (id) {self._rows} {part}", self._values)
            self._database.commit()
        except sqlite3.OperationalError as error:
            raise Interrupted from error
        self.count += inserted.rowcount

    def window(self, start: int, stop: int) -> list[RowView]:
        rows = self._database.execute(
            f"SELECT v.id, l.state, l.name, l.phone, l.city, l.source, l.value, l.received FROM {self._table} v "
            "LEFT JOIN lead l ON l.id = v.id WHERE v.n > ? AND v.n <= ? ORDER BY v.n",
            (start, stop),
        )
        return [_row(*row) for row in rows]

    def ids(self, start: int, stop: int) -> list[str]:
        found = self._database.execute(f"SELECT id FROM {self._table} WHERE n > ? AND n <= ? ORDER BY n", (start, stop))
        return [row[0] for row in found]

    def position(self, record_id: str) -> int | None:
        row = self._database.execute(f"SELECT n FROM {self._table} WHERE id = ?", (record_id,)).fetchone()
        if row is None and not self.whole and not self.interrupted:
            found = self._database.execute(f"SELECT 1 FROM ({self._rows}) WHERE id = ?", (*self._values, record_id))
            if found.fetchone():
                self.complete()
                return self.position(record_id)
        return row[0] - 1 if row else None

    def close(self) -> None:
        self.closed = True
        self._database.execute(f"DROP TABLE {self._table}")


def _row(record_id: str, state: str | None, *rest: object) -> RowView:
    if state is None:
        return RowView(record_id, ("", "gone"), "", "gone")
    name, phone, city, source, value, received = rest
    return RowView(
        record_id, (state, str(name), str(phone), str(city), str(source), f"{value:,}", str(received)), state
    )


class SampleSource:
    """Filter: words anywhere in the name or city, or `field:value`; anything with `!` in it is not understood."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("PRAGMA temp_store=file")
        self._views = 0
        self.gate: threading.Event | None = None
        self.snapshots: list[SampleSnapshot] = []

    def of(self, noun: str) -> SampleSource:
        return self

    def board(self, unit: str) -> Board:
        """Three days of sales, and the leads in review."""
        counted = self._database.execute("SELECT count(*) FROM lead WHERE state = 'pending_review'").fetchone()[0]
        return Board(
            "now",
            (Figure("Sales", "12.00", "8.00"),),
            Trend(f"Sales by {unit}", ("1", "2", "3"), (1, 4, 7), (2, 2, 4)),
            (
                Waiting("stores", "Nothing", 0, "", ""),
                Waiting("leads", "To review", counted, "state:pending_review", ""),
            ),
            (Bars("How far", (("reported", 300), ("won", 20))),),
        )

    def columns(self) -> Sequence[Column]:
        return COLUMNS

    def snapshot(self, filter_text: str, sort: str) -> SampleSnapshot:
        where, values = _where(filter_text)
        field = sort.lstrip("-") or "received"
        order = f"{field} {'DESC' if sort.startswith('-') else 'ASC'}, id"
        self._views += 1
        table = f"view_{self._views}"
        self._database.execute(f"CREATE TEMP TABLE {table} (n INTEGER PRIMARY KEY, id TEXT)")
        rows = f"SELECT id FROM lead {where} ORDER BY {order}"
        self.snapshots.append(SampleSnapshot(self._database, table, rows, values, self.gate))
        return self.snapshots[-1]

    def detail(self, record_id: str) -> Detail:
        row = self._database.execute("SELECT state, name, phone, city, source, value, received FROM lead WHERE id = ?",
                                     (record_id,)).fetchone()  # fmt: skip
        if row is None:
            raise NotFound("There is no lead {id}", id=record_id)
        fields = tuple(
            DetailField(column.title, str(value)) for column, value in zip(COLUMNS[1:], row[1:], strict=True)
        )
        history = self._database.execute(
            "SELECT number, what, before, after FROM operation WHERE lead = ? ORDER BY number DESC", (record_id,)
        )
        entries = tuple(
            HistoryEntry(f"#{n}", "ann", f"{what}: {before} -> {after}") for n, what, before, after in history
        )
        return Detail(record_id, row[1], row[0], fields, entries)

    def values(self, record_id: str) -> Mapping[str, str]:
        row = self._database.execute("SELECT name, phone FROM lead WHERE id = ?", (record_id,)).fetchone()
        return {"name": row[0], "phone": row[1]}

    def related(self, record_id: str) -> list[Related]:
        return [Related("leads", "The same city", self.term(record_id, "city"))]

    def term(self, record_id: str, column_key: str) -> str:
        value = self._database.execute(f"SELECT {column_key} FROM lead WHERE id = ?", (record_id,)).fetchone()[0]
        return f'{column_key}:"{value}"' if " " in str(value) else f"{column_key}:{value}"

    def choices(self, ref: str, text: str, limit: int) -> list[Choice]:
        return [Choice(f"store_{name}", name) for name in STORES if text.casefold() in name.casefold()][:limit]

    def comparison(self, record_id: str) -> Comparison:
        """A lead like no other."""
        return Comparison(record_id, record_id, "", ())

    def offers(self, record_id: str) -> list[StoreOffer]:
        """None: stores are searched in the form."""
        return []

    def start_rows(self, command: str, record_id: str) -> Mapping[str, Sequence[StartRow]]:
        """None: these commands take no rows."""
        return {}

    def lend(self, work: Callable[[Workspace], Answer]) -> Answer:
        raise NotFound("There is no workspace behind these leads")

    def interrupt(self) -> None:
        if self.snapshots:
            self.snapshots[-1].interrupted = True
        self._database.interrupt()

    def close(self) -> None:
        self._database.close()


def _where(filter_text: str) -> tuple[str, list[str]]:
    import shlex

    if "!" in filter_text:
        raise BadInput("The filter {text} cannot be understood", text=filter_text, hint="Leave out the !.")
    try:
        words = shlex.split(filter_text)
    except ValueError as error:
        raise BadInput("A quote is open in {text}", text=filter_text) from error
    clauses, values = [], []
    for word in words:
        field, colon, value = word.partition(":")
        if colon and field in FIELDS:
            clauses.append(f"{field} = ?")
            values.append(value)
        else:
            clauses.append("(name LIKE ? OR city LIKE ?)")
            values += [f"%{word}%"] * 2
    return ("WHERE " + " AND ".join(clauses)) if clauses else "", values


class SampleDesk:
    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._views: list[NamedView] = []

    def places(self) -> Sequence[Place]:
        return (Place("leads", "Leads"), Place("stores", "Stores"))

    def commands(self, noun: str) -> Sequence[CommandSpec]:
        return COMMANDS if noun == "leads" else ()

    def views(self, noun: str) -> Sequence[NamedView]:
        return [view for view in self._views if view.noun == noun]

    def save_view(self, view: NamedView) -> None:
        self._views = [
            *(each for each in self._views if each.title != view.title),
            structs.replace(view, id=view.title),
        ]

    def remove_view(self, view: NamedView) -> None:
        self._views.remove(view)

    def check(self, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> Mapping[str, str]:
        amount = arguments.get("amount", "0")
        return {} if amount.replace(".", "", 1).isdigit() else {"amount": f"{amount} is not an amount"}

    def run(self, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> list[Outcome]:
        if not ids:
            return [self._report(arguments)]
        self._database.execute("BEGIN IMMEDIATE")
        outcomes = [self._one(command, record_id) for record_id in ids]
        self._database.execute("COMMIT")
        return outcomes

    def _one(self, command: str, record_id: str) -> Outcome:
        spec = next(spec for spec in COMMANDS if spec.name == command)
        row = self._database.execute("SELECT state FROM lead WHERE id = ?", (record_id,)).fetchone()
        if row[0] not in spec.allowed_states:
            return Outcome(record_id, False, f"not possible in state {row[0]}")
        after = MOVES[command]
        self._database.execute("UPDATE lead SET state = ? WHERE id = ?", (after, record_id))
        return Outcome(record_id, True, "", self._log(record_id, command, row[0], after))

    def _report(self, arguments: Mapping[str, str]) -> Outcome:
        count = self._database.execute("SELECT count(*) FROM lead").fetchone()[0]
        record_id = f"lead_{count:07}"
        self._database.execute("INSERT INTO lead VALUES (?,'pending_review',?,?,'Oslo','form',0,'2026-12-31 00:00')",
                               (record_id, arguments["name"], arguments["phone"]))  # fmt: skip
        return Outcome(record_id, True, "", self._log(record_id, "leads.report", "", "pending_review"))

    def _log(self, record_id: str, what: str, before: str, after: str) -> str:
        cursor = self._database.execute(
            "INSERT INTO operation (lead, what, before, after) VALUES (?,?,?,?)", (record_id, what, before, after)
        )
        return str(cursor.lastrowid)

    def foresee(self, command: str, ids: Sequence[str], arguments: Mapping[str, str]) -> Foresight:
        """What the leads are worth together."""
        marks = ",".join("?" * len(ids))
        row = self._database.execute(f"SELECT sum(value) FROM lead WHERE id IN ({marks})", tuple(ids)).fetchone()
        return Foresight((f"{row[0]:,}",)) if len(ids) > 1 else Foresight()

    def reveal(self, noun: str, record_id: str) -> list[DetailField]:
        return []

    def undo(self, operations: Sequence[str]) -> list[Outcome]:
        outcomes = []
        for number in reversed(operations):
            lead, before, after = self._database.execute(
                "SELECT lead, before, after FROM operation WHERE number = ?", (number,)
            ).fetchone()
            changed = self._database.execute(
                "UPDATE lead SET state = ? WHERE id = ? AND state = ?", (before, lead, after)
            ).rowcount
            outcomes.append(Outcome(lead, bool(changed), "" if changed else "it has moved on", number))
            if changed:
                self._log(lead, "undo", after, before)
        return outcomes

    def lend(self, work: Callable[[Workspace], Answer]) -> Answer:
        raise NotFound("There is no workspace behind these leads")

    def elsewhere(self, noun: str, view: int) -> int:
        return 0

    def standing(self) -> Standing:
        pending = self._database.execute("SELECT count(*) FROM operation").fetchone()[0]
        return Standing("Office", "ann", pending=pending)

    def close(self) -> None:
        self._database.close()


def run(path: Path, theme: str = "", *, ascii_only: bool = False, keys_file: str = "") -> None:
    """Run the screen on an office made by `make_office`."""
    from bo.tui.app import run_screen
    from bo.tui.source import ScreenOptions

    run_screen(lambda: SampleSource(path), lambda: SampleDesk(path), Standing("Office", "ann"),
               ScreenOptions(theme=theme, ascii=ascii_only, keys_file=keys_file))  # fmt: skip


if __name__ == "__main__":
    import sys

    where = Path(sys.argv[1])
    if not where.exists():
        make_office(where, int(sys.argv[2]) if len(sys.argv) > 2 else 200_000, hostile=True)
    run(where, ascii_only="--ascii" in sys.argv)
