"""What a click does: a tab or a place is gone to, a key of the footer is pressed, a row clicked twice is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from bo.tui.source import NamedView

if TYPE_CHECKING:
    from bo.tui.screen import BoApp


def clicked(app: BoApp, event: events.Click) -> None:
    """Do what stands where the click was."""
    if event.widget is app.tabs:
        at, views = app.tabs.span_at(event.x), app.frame.views
        if at is not None and at // 2 < len(views):
            app.frame.show(views[at // 2])
    elif event.widget is app.rail:
        _go(app, event.y + app.rail.offset_lines)
    elif event.widget is app.foot:
        at, shown = app.foot.span_at(event.x), app.actions.in_footer(app.foot_room)
        if at and (at - 1) // 2 < len(shown):  # before the first stands a blank
            app.do(shown[(at - 1) // 2])
    elif event.widget is app.table and event.chain == 2 and 0 < event.y <= app.table.count - app.table.top:
        app.reading.open()


def _go(app: BoApp, line: int) -> None:
    listed = app.frame.on_rail()
    if line >= len(listed):
        return
    target = listed[line]
    if isinstance(target, NamedView):
        app.frame.show(target)
    elif target.noun != app.browser.noun:
        app.frame.go(target.noun)
