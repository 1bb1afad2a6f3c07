"""Anki's collection as a device of its own sync server, for tests/benchmarks/sync.py; run with the Python that has it.

python anki_sync.py FOLDER URL SIZES      (SIZES: JSON; prints one JSON object of lists of seconds)

Both of its sides keep a collection in SQLite with a journal that waits for the disk at every commit. The first
download is the whole file as it lies on the server, and the later of two edits of one note wins.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

USER = "bench"


def lead(col: Any, number: int) -> Any:
    note = col.new_note(col.models.by_name("Basic"))
    note["Front"] = f"客户{number} +86138{number:08} 上海 kitchen pending_review"
    note["Back"] = "x" * 40
    return note


def insert(col: Any, first: int, count: int) -> None:
    from anki.collection import AddNoteRequest  # type: ignore[import-not-found]

    deck = col.decks.id_for_name("Default")
    for start in range(first, first + count, 500):
        numbers = range(start, min(start + 500, first + count))
        col.add_notes([AddNoteRequest(lead(col, number), deck) for number in numbers])


def edit(col: Any, ids: list[int], text: str) -> None:
    for start in range(0, len(ids), 500):
        notes = [col.get_note(name) for name in ids[start : start + 500]]
        for note in notes:
            note["Back"] = text
        col.update_notes(notes)


def full(col: Any, auth: Any, *, upload: bool) -> None:
    col.close_for_full_sync()
    col.full_upload_or_download(auth=auth, server_usn=None, upload=upload)
    col.reopen(after_full_sync=True)


def sync(col: Any, auth: Any) -> None:
    said = col.sync_collection(auth, False)
    if said.required not in (said.NO_CHANGES, said.NORMAL_SYNC):
        raise RuntimeError(f"a sync of everything is wanted: {said.required}")


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def backs(col: Any) -> list[Any]:
    return list(col.db.all("select id, flds from notes order by id"))


def measure(folder: Path, url: str, sizes: dict[str, Any]) -> dict[str, list[float]]:
    from anki.collection import Collection

    one, two = Collection(str(folder / "one.anki2")), Collection(str(folder / "two.anki2"))
    auth = one.sync_login(USER, USER, url)
    rows, edits, singles = sizes["rows"], sizes["edits"], sizes["singles"]
    insert(one, 0, rows)
    full(one, auth, upload=True)
    found: dict[str, list[float]] = {"snapshot": [seconds(lambda: full(two, auth, upload=False))]}
    ids = one.db.list("select id from notes order by id")
    time.sleep(1.1)  # the clock by which the later edit is told has seconds
    edit(one, ids[:edits], "edited offline")
    found["push"] = [seconds(lambda: sync(one, auth))]
    found["pull"] = [seconds(lambda: sync(two, auth))]
    insert(one, rows, edits)
    found["push_new"] = [seconds(lambda: sync(one, auth))]
    found["pull_new"] = [seconds(lambda: sync(two, auth))]

    def alone(number: int) -> None:
        edit(one, [ids[number]], f"edited alone {number}")
        sync(one, auth)

    found["single"] = [seconds(lambda number=number: alone(number)) for number in range(singles)]  # type: ignore[misc]
    sync(two, auth)
    shared = int(edits * sizes["conflicts"])
    time.sleep(1.1)
    edit(one, ids[:edits], "from one")
    time.sleep(1.1)
    edit(two, ids[edits - shared : 2 * edits - shared], "from two")

    def converge() -> None:
        for col in (one, two, one):
            sync(col, auth)

    found["converge"] = [seconds(converge)]
    if backs(one) != backs(two):
        raise RuntimeError("the devices differ")
    for col in (one, two):
        col.close()
    return found


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))))
