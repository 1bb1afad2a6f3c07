"""Open exceptions by their cause: a view for each rule that has found some, with how many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bo.core.kernel.text import _
from bo.tui.source import NamedView
from bo.tui.views import SLOTS

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace

NOUN: Final = "exceptions"
FIRST_SLOT: Final = 3  # behind the views that come with the office


def views_by_cause(workspace: Workspace, taken: Sequence[int]) -> list[NamedView]:
    """The most frequent cause first, on the digits that are left. Nothing for those who may not read exceptions."""
    from bo.core.orders.exceptions import open_by_rule

    reader = workspace.reader()
    if not (reader.actor.may(f"{NOUN}.read") and reader.actor.may("exception_rules.read")):
        return []
    rows = open_by_rule(reader)
    slots = [slot for slot in range(FIRST_SLOT, SLOTS + 1) if slot not in taken]
    return [
        NamedView(NOUN, f"{_(name)} {count:,}", f"state:open {_rule(code)}", "created_at",
                  slots[at] if at < len(slots) else 0)
        for at, (code, name, count) in enumerate(rows)
    ]  # fmt: skip


def _rule(code: str) -> str:
    return f'rule:"{code}"' if " " in code else f"rule:{code}"
