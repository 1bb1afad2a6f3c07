"""Open exceptions by their cause: a view for each rule that has found some, with how many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from bo.core.kernel.text import _
from bo.tui.source import NamedView
from bo.tui.views import SLOTS

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace

NOUN: Final = "exceptions"
FIRST_SLOT: Final = 3  # behind the views that come with the office


def views_by_cause(workspace: Workspace, taken: Sequence[int]) -> list[NamedView]:
    """The most frequent cause first, on the digits that are left. Nothing for those who may not read exceptions."""
    reader = workspace.reader()
    if not (reader.actor.may(f"{NOUN}.read") and reader.actor.may("exception_rules.read")):
        return []
    values: dict[str, object] = {}
    if reader.actor.scopes is not None:
        from bo.core.kernel.tx import OPEN_SCOPES

        values["scopes"] = reader.session.array(sorted({*OPEN_SCOPES, *reader.actor.scopes}))
    key = f"{reader.info(NOUN).fingerprint}:by_cause:{'scoped' if values else ''}"
    rows = reader.rows(key, lambda: _counted(reader), **values)
    slots = [slot for slot in range(FIRST_SLOT, SLOTS + 1) if slot not in taken]
    return [
        NamedView(NOUN, f"{_(str(name or code))} {count:,}", f"state:open rule:{code}", "created_at",
                  slots[at] if at < len(slots) else 0)
        for at, (code, name, count) in enumerate(rows)
    ]  # fmt: skip


def _counted(reader: Any) -> Any:
    import sqlalchemy as sa

    from bo.core.kernel.reader import visible
    from bo.core.kernel.tables import table

    info = reader.info(NOUN)
    made, rule = table(info), table(reader.info("exception_rules"))
    count = sa.func.count().label("count")
    wanted = sa.select(rule.c.code, rule.c.name, count).select_from(made.join(rule, rule.c.id == made.c.rule))
    wanted = wanted.where(made.c.state == "open", *visible(info, reader.actor)).group_by(rule.c.code, rule.c.name)
    return wanted.order_by(count.desc(), rule.c.code)
