"""What must be true of a central store and its devices: worked out from their tables alone, and not by the code that
sends and takes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bo.core.access.permissions import authorise
from bo.core.access.records import Operator, Role
from bo.core.kernel.database import Session, SqliteDatabase
from bo.core.kernel.record import Record, RecordInfo, declared_records
from bo.core.kernel.replay import contents, replay
from bo.core.kernel.tx import SYSTEM
from bo.core.kernel.unit import image_before
from bo.core.kernel.workspace import Workspace, make_office
from bo.core.office import registry
from tests.sync.stage import Device, office_records

Rows = dict[str, dict[str, bytes]]  # noun -> id -> image
FIRST_PENDING = 2**50


def rows_held(ws: Workspace) -> Rows:
    """Every row there is, as JSON."""
    with ws.database.reading() as session:
        return {
            info.noun: {item.id: info.image(item) for item in _records(session, info)} for info in office_records(ws)
        }


def rows_confirmed(ws: Workspace) -> Rows:
    """What a device would hold without its pending operations."""
    rows = rows_held(ws)
    sql = f"SELECT noun, row, before, after FROM change WHERE seq > {FIRST_PENDING} ORDER BY seq, place"
    seen: set[str] = set()
    for noun, row, was, after in selected(ws, sql):
        if row in seen:
            continue
        seen.add(row)
        before = image_before(declared_records()[noun], was.encode() or None, after.encode() or None)
        if before is not None:
            rows[noun][row] = before
        else:
            rows[noun].pop(row, None)
    return rows


def rows_shown_to(office: Workspace, operator: str) -> Rows:
    """What central may show an operator: by the nouns they may read, the scopes they work in, and the fields that are
    kept from them. Nothing for one who is switched off."""
    with office.database.reading() as session:
        infos = office_records(office)
        every = {info.noun: list(_records(session, info)) for info in infos}
    me = next(item for item in every["operators"] if item.id == operator)
    assert isinstance(me, Operator)
    granted = _granted(me, every["roles"])
    scopes = {f"store:{me.store}", f"operator:{me.id}", "shared", "everyone"} if me.store else None
    shown: Rows = {}
    for info in infos:
        wanted = scopes if _may(granted, f"{info.noun}.read") else {"everyone", f"operator:{me.id}"}
        seen = [item for item in every[info.noun] if me.active and (wanted is None or item.scope in wanted)]
        shown[info.noun] = {item.id: _without_hidden(info, item, granted) for item in seen}
    return shown


def _granted(me: Operator, roles: Iterable[Record]) -> set[str]:
    known = {role.code: role.permissions for role in roles if isinstance(role, Role)}
    return {permission for code in me.roles for permission in known.get(code, ())}


def _may(granted: set[str], permission: str) -> bool:
    return bool(granted & {"*", permission, permission.partition(".")[0] + ".*"})


def _without_hidden(info: RecordInfo, item: Record, granted: set[str]) -> bytes:
    for field in info.fields:
        if field.meta.needs and not _may(granted, field.meta.needs):
            setattr(item, field.name, field.default)
    for field in info.personal if not _may(granted, "personal.see") else ():
        masked = field.kind.mask(str(getattr(item, field.name))) if field.required else field.default
        setattr(item, field.name, masked)
    return info.image(item)


def _records(session: Session, info: RecordInfo) -> Iterable[Record]:
    def every() -> Any:
        from bo.core.kernel.tables import table

        return table(info).select()

    return [info.load(row[1:]) for row in session.rows(f"{info.fingerprint}:judging", every)]


def difference(held: Rows, shown: Rows) -> str:
    """Where two sets of rows differ, in a few words; blank where they are equal."""
    for noun in shown:
        ours, theirs = held.get(noun, {}), shown[noun]
        for row in sorted(ours.keys() | theirs.keys()):
            if ours.get(row) != theirs.get(row):
                return f"{noun} {row}: here {_shown(ours.get(row))}, at central {_shown(theirs.get(row))}"
    return ""


def _shown(image: bytes | None) -> str:
    return image.decode() if image is not None else "nothing"


# -- the journal -------------------------------------------------------------------------------------------------------


def selected(ws: Workspace, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a plain statement."""
    cursor = ws.database.session.cursor
    cursor.execute(sql)
    return cursor.fetchall()


def journal_of(ws: Workspace) -> dict[str, int]:
    """The operations of a journal by id, each with how often it is there."""
    return {str(row[0]): int(row[1]) for row in selected(ws, "SELECT id, COUNT(*) FROM operation GROUP BY id")}


def answers_of(office: Workspace) -> dict[str, str]:
    """What central answered to operations that it did not apply."""
    return {str(row[0]): str(row[1]) for row in selected(office, "SELECT id, status FROM answer")}


def outbox(device: Device) -> dict[str, str]:
    """The operations of a device that central has not confirmed, by id, with their state."""
    return {str(row[0]): str(row[1]) for row in selected(device.ws, "SELECT id, state FROM pending")}


def head(ws: Workspace) -> tuple[int, str]:
    ((seq, hashed),) = selected(ws, "SELECT seq, hash FROM head")
    return int(seq), str(hashed)


def replayed(office: Workspace, folder: Path) -> str:
    """Run central's journal again in an empty office; what comes out otherwise, blank where nothing does."""
    database = SqliteDatabase(folder / "replayed.db")
    database.path.unlink(missing_ok=True)
    make_office(database, office.context, office.device)
    target = Workspace(database, registry(), authorise, actor=SYSTEM.id, clock=office.clock)
    try:
        replay(office, target)
        infos = office_records(target)
        with office.database.reading() as session:
            expected = contents(session, infos)
        with target.database.reading() as session:
            made = contents(session, infos)
    finally:
        target.close()
    return ", ".join(name for name in expected if _values(expected[name]) != _values(made[name]))


def _values(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted(rows, key=str)


def money(ws: Workspace) -> Mapping[str, int]:
    """Sums of what was earned, by state, and of the ledger, by account."""
    found = {
        f"rewards {state}": int(total)
        for state, total in selected(ws, "SELECT state, SUM(amount) FROM reward_line GROUP BY state")
    }
    once = selected(ws, "SELECT once, COUNT(*) FROM reward_line GROUP BY once HAVING COUNT(*) > 1")
    assert not once, f"earned twice: {once}"
    over = selected(ws, "SELECT id FROM lead WHERE refunded > COALESCE(order_amount, 0)")
    assert not over, f"more is paid back than was paid: {over}"
    return found


def words_of_search(ws: Workspace) -> str:
    """Where the words of a search are kept for rows that are not there, or not kept for rows that are."""
    for info in office_records(ws):
        if info.searched:
            rows = {row[0] for row in selected(ws, f'SELECT n FROM "{info.name}"')}
            words = {row[0] for row in selected(ws, f"SELECT rowid FROM {info.name}_search")}
            if rows - words or words - rows:
                return f"{info.noun}: {len(rows - words)} without words, words without {len(words - rows)}"
    return ""
