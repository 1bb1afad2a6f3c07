"""The head line: where, who, which rows, and what is waiting. Shown always, so nothing about it has to be asked."""

from __future__ import annotations

from bo.core.kernel.text import _
from bo.tui.looks import Span
from bo.tui.source import Standing


def head_spans(
    standing: Standing,
    *,
    noun: str,
    row: int,
    count: int | None,
    filter_text: str,
    sort: str,
    marks: int,
    jobs: int,
    advance: bool,
    changed: str = "",
) -> tuple[list[Span], list[Span]]:
    """Left and right part. `row` counts from 1; a count of None means that not all rows of the view are known yet."""
    left: list[Span] = [(f" {standing.workspace} ", "head"), (f" {standing.who}  ", "dim")]
    where = f"{row:,}/{count:,}" if count is not None else f"{row:,}/…" if row else "…"
    left.append((f"{_(noun.replace('_', ' '))} {where} ", "head"))
    if filter_text:
        left.append((f" /{filter_text} ", "key"))
    if sort:
        left.append((" " + _("by {sort}", sort=sort) + " ", "dim"))
    right: list[Span] = []
    if changed:
        right.append((f" {changed} ", "warn"))
    if marks:
        right.append((" " + _("{count} marked", count=f"{marks:,}") + " ", "mark"))
    if not advance:
        right.append((" " + _("stays") + " ", "dim"))
    if jobs + standing.jobs:
        right.append((" " + _("jobs {count}", count=jobs + standing.jobs) + " ", "info"))
    if standing.conflicts:
        right.append((" " + _("conflicts {count}", count=standing.conflicts) + " ", "bad"))
    if standing.pending is not None:
        waiting = " " + _("unsynced {count}", count=f"{standing.pending:,}") + " "
        right.append((waiting, "wait" if standing.pending else "dim"))
    if standing.online is not None:
        right.append(
            (" " + (_("online") if standing.online else _("offline")) + " ", "dim" if standing.online else "warn")
        )
    return left, right
