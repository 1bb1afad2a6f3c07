"""Where the table of a money record opens a screen of its own: by Enter, or by a command that shows before it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from bo.core.kernel.text import _
from bo.tui.settling import NOUN, Sheet, settlement_of, sheet
from bo.tui.source import CommandSpec

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.screen import BoApp
    from bo.tui.triage import Arguments

OPENED: Final = (NOUN, "payouts", "rewards", "bank_lines")
STATED: Final = ("bank_lines", "bank_statements", "bank_matches", "reconciliations")
ASKED: Final = ("settlements.run", "settlements.approve", "settlements.export")


def open_record(app: BoApp, noun: str, record_id: str) -> None:
    """The screen of a record of one of the nouns in `OPENED`."""
    if noun == "rewards":
        from bo.tui.explain import open_explanation

        open_explanation(app, record_id)
    elif noun == "bank_lines":
        from bo.tui.reconcile_screen import open_reconciliation

        open_reconciliation(app, record_id)
    else:
        _open_settlement(app, record_id, is_payout=noun == "payouts")


def _open_settlement(app: BoApp, record_id: str, *, is_payout: bool) -> None:
    def read(workspace: Workspace) -> Sheet:
        return sheet(workspace, settlement_of(workspace, record_id) if is_payout else record_id)

    def told(shown: Sheet) -> None:
        from bo.tui.settlement_screen import SettlementScreen

        app.push_screen(SettlementScreen(app, shown, record_id))
        app.release_keys()

    app.hold_keys()
    app.browser.read(read, told, lambda error: _failed(app, error))


def ask(
    app: BoApp, command: CommandSpec, targets: Sequence[str], then: Callable[[Arguments], None],
    form: Callable[[Callable[[Arguments], None]], None],
) -> None:  # fmt: skip
    """What one of the commands in `ASKED` needs. `form` asks for the fields of the command."""
    if command.name == "settlements.run":
        form(lambda values: _preview(app, command, values))
    elif len(targets) != 1:
        app.say(_("One settlement at a time: X takes the marks away"), "warn")
    elif command.name == "settlements.approve":
        from bo.tui.approve_screen import approve

        approve(app, targets[0], lambda told: app.triage.start(command, list(targets), told), app.trouble)
    else:
        _export(app, targets[0])


def _preview(app: BoApp, command: CommandSpec, values: Mapping[str, str]) -> None:
    """A settlement that was made is opened: the list may be one of others."""
    from bo.tui.run_preview import preview_run

    def made(settlement: str) -> None:
        _open_settlement(app, settlement, is_payout=False)

    preview_run(app, values, lambda: app.triage.start(command, [], values, made))


def _export(app: BoApp, settlement: str) -> None:
    from bo.tui.payout_file import export

    app.browser.read(
        lambda workspace: sheet(workspace, settlement),
        lambda shown: export(app, shown, app.say, lambda: app.browser.reload({settlement})), app.trouble,
    )  # fmt: skip


def _failed(app: BoApp, error: Exception) -> None:
    app.release_keys(drop=True)
    app.trouble(error)
