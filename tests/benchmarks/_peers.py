"""What a key press costs in programs that show tables too: VisiData on a CSV file, Harlequin on an SQLite file. Both
hold the orders of the benchmark's office, in seven columns."""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks._terminal import Report, Terminal, measure_held

PEERS = {"visidata": "vd", "harlequin": "harlequin"}
COLUMNS = ("city", "number", "name", "state", "payment", "total", "placed_at")
CITY = "Oslo"
PATIENCE_S, QUIET_S = 180.0, 3.0
QUERY = "select number, city, name from orders {where}order by number desc"


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that is installed. `first` is what it draws when it can be used, `newest` the number of the newest
    order, `found` that of the newest which the filter lets through."""

    name: str
    argv: tuple[str, ...]
    first: bytes
    newest: bytes
    found: bytes

    def measure(self, report: Report) -> None:
        terminal = Terminal(self.argv)
        try:
            terminal.until(self.first)
            (_visidata if self.name == "visidata" else _harlequin)(self, terminal, report)
            report.say(f"{self.name}: peak memory", terminal.memory_mb(), "MB")
        except TimeoutError as error:
            print(f"{self.name}: {error}", flush=True)
        finally:
            terminal.close()


def installed(folder: Path, office: Path, commands: Mapping[str, str | None]) -> list[Peer]:
    """Those peers that are there, with the orders in files of theirs; says which are not."""
    found = {name: shutil.which(commands[name] or usual) for name, usual in PEERS.items()}
    for name, command in found.items():
        if command is None:
            print(f"{name}: not installed")
    if not any(found.values()):
        return []
    table, database = folder / "orders.csv", folder / "orders.db"
    newest, first_found = _copy(office, table, database)
    argv = {
        "visidata": (str(found["visidata"]), str(table)),
        "harlequin": (
            str(found["harlequin"]), "--adapter", "sqlite", "--read-only", "--no-download-tzdata",
            "--viewer-max-rows", "-1", str(database),
        ),
    }  # fmt: skip
    firsts = {"visidata": newest, "harlequin": b"Query Editor"}
    return [
        Peer(name, argv[name], firsts[name], newest, first_found)
        for name, command in found.items()
        if command is not None
    ]


def _copy(office: Path, table: Path, database: Path) -> tuple[bytes, bytes]:
    """Write the orders to both files, newest first; the number of the first, and of the first in the city."""
    from bo.core.office import open_office

    numbers: dict[bool, bytes] = {}
    with open_office(office, operator="ann") as workspace, closing(sqlite3.connect(database)) as connection:
        connection.execute(f"CREATE TABLE orders ({', '.join(COLUMNS)})")
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for part in workspace.reader().stream("orders", fields=COLUMNS)[1]:
                writer.writerows(part)
                connection.executemany(f"INSERT INTO orders VALUES ({', '.join('?' * len(COLUMNS))})", part)
                for row in part:
                    numbers.setdefault(row[0] == CITY, str(row[1]).encode())
        connection.commit()
    return max(numbers.values()), numbers[True]


def _visidata(peer: Peer, terminal: Terminal, report: Report) -> None:
    """Reads the file on behind the first rows; a filter selects the rows that match and opens them as a sheet. It draws
    what differs and nothing twice, so that it is done when nothing is drawn any more."""
    loaded = terminal.until_quiet(b"", QUIET_S, PATIENCE_S)
    report.say(f"{peer.name}: from the first rows until all are there", loaded * 1000, "ms")
    measure_held(terminal, peer.name, b"j", report)
    terminal.press(b"|", 1.0)
    terminal.press(CITY.encode(), 1.0)
    taken = terminal.until_quiet(b"\r", QUIET_S, PATIENCE_S)
    taken += terminal.until_quiet(b'"', QUIET_S, PATIENCE_S)
    report.say(f"{peer.name}: filter {CITY}", taken * 1000, "ms")


def _harlequin(peer: Peer, terminal: Terminal, report: Report) -> None:
    """Shows nothing before it is asked by a query, and filters by another one."""
    terminal.idle(1.0)
    report.say(f"{peer.name}: query of all rows", _query(terminal, "", peer.newest) * 1000, "ms")
    os.write(terminal.fd, b"\x1b[15~")  # F5: the results
    terminal.idle(1.0)
    measure_held(terminal, peer.name, b"\x1b[B", report)
    os.write(terminal.fd, b"\x1bOQ")  # F2: the query
    terminal.idle(1.0)
    os.write(terminal.fd, b"\x01")  # all of it
    terminal.idle(0.5)
    taken = _query(terminal, f"where city = '{CITY}' ", peer.found)
    report.say(f"{peer.name}: filter {CITY}", taken * 1000, "ms")


def _query(terminal: Terminal, where: str, wanted: bytes) -> float:
    """Type a query as a paste, run it, and wait for its first row."""
    os.write(terminal.fd, b"\x1b[200~" + QUERY.format(where=where).encode() + b"\x1b[201~")
    terminal.idle(1.0)
    return terminal.send_until(b"\n", wanted, PATIENCE_S)
