"""What a settlement run would make, before it is made: payees, lines, total, and who is held and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from bo.core.kernel.text import _
from bo.tui.key_screen import KeyScreen
from bo.tui.looks import Looks
from bo.tui.pane import Bar
from bo.tui.settlement_screen import payee_lines, sums
from bo.tui.settling import Sheet, forecast

if TYPE_CHECKING:
    from bo.tui.screen import BoApp


class RunPreview(KeyScreen[bool]):
    """Closes with True if it is to be made."""

    def __init__(self, looks: Looks, shown: Sheet) -> None:
        self._foot = Bar(looks, raised=True)
        super().__init__(looks, self._foot)
        self._shown = shown
        self._sums = Bar(looks)

    def compose(self) -> ComposeResult:
        yield self.heading
        yield self._sums
        yield self.pane
        yield self._foot

    def on_mount(self) -> None:
        shown = self._shown
        self.heading.put([(f" {_('Would be made')}  ", "title"), (f"{shown.number}  {shown.period}", "head")])
        self._sums.put(sums(shown))
        self.pane.put([(), *payee_lines(shown, self.looks)])
        offered = [("y", _("make it")), ("Esc", _("leave it")), ("j k PgDn", _("scroll"))]
        self._foot.put([span for key, words in offered for span in ((f" {key}", "key"), (f" {words}  ", "dim"))])

    def press(self, name: str) -> bool:
        if name in ("y", "n"):
            self.dismiss(name == "y")
        return name in ("y", "n")

    def leave(self) -> None:
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
