"""What a settlement run would make, before it is made: payees, lines, total, and who is held and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from bo.core.kernel.text import _
from bo.tui.keys import key_name
from bo.tui.looks import Looks
from bo.tui.pane import Bar, Line, Pane
from bo.tui.settlement_screen import payout_line, sums
from bo.tui.settling import Sheet, forecast

if TYPE_CHECKING:
    from bo.tui.screen import BoApp


class RunPreview(ModalScreen[bool]):
    """Closes with True if it is to be made."""

    def __init__(self, looks: Looks, shown: Sheet) -> None:
        super().__init__()
        self._looks = looks
        self._shown = shown
        self._heading = Bar(looks, raised=True)
        self._sums = Bar(looks)
        self.pane = Pane(looks, id="text")
        self._foot = Bar(looks, raised=True)

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self._sums
        yield self.pane
        yield self._foot

    def on_mount(self) -> None:
        shown = self._shown
        self._heading.put([(f" {_('Would be made')}  ", "title"), (f"{shown.number}  {shown.period}", "head")])
        self._sums.put(sums(shown))
        paid = [row for row in shown.payouts if row.state != "held"]
        lines: list[Line] = [(), ((f" {_('Who is paid')}", "title"),)]
        lines += [(("  ", "text"), *payout_line(row, self._looks)) for row in paid]
        if shown.held:
            lines += [(), ((f" {_('Who is held, and why')}", "title"),)]
            lines += [(("  ", "text"), *payout_line(row, self._looks)) for row in shown.held]
        self.pane.put(lines)
        self._foot.put([(" y", "key"), (f" {_('make it')}   ", "dim"), ("Esc", "key"), (f" {_('leave it')}", "dim")])

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        name = key_name(event.key, event.character)
        page = max(1, self.pane.size.height - 1)
        scrolls = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": page, "space": page, "pageup": -page}
        if name in scrolls:
            self.pane.scroll_lines(scrolls[name])
        elif name == "y":
            self.dismiss(True)
        elif name in ("q", "n", "escape"):
            self.dismiss(False)


def preview_run(app: BoApp, arguments: Mapping[str, str], then: Callable[[], None]) -> None:
    """Show what a run with these arguments would make; `then` follows if it is wanted."""

    def told(shown: Sheet) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                then()
            else:
                app.say(_("Left as it is"))

        app.push_screen(RunPreview(app.looks, shown), answered)
        app.release_keys()

    def failed(error: Exception) -> None:
        app.release_keys(drop=True)
        app.trouble(error)

    app.hold_keys()
    app.desk_lane.ask(lambda desk: desk.lend(lambda workspace: forecast(workspace, arguments)), told, failed)
