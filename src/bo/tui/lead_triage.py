"""What is asked about a lead before a command runs: who it may be a duplicate of, and which store takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bo.core.kernel.text import _
from bo.tui.source import CommandSpec

if TYPE_CHECKING:
    from bo.tui.duplicates_screen import Decision
    from bo.tui.leads import Comparison, StoreOffer
    from bo.tui.screen import BoApp
    from bo.tui.triage import Arguments

ASSIGN, MARK_DUPLICATE, NOT_DUPLICATE = "leads.assign", "leads.mark_duplicate", "leads.not_duplicate"


def compare(app: BoApp) -> None:
    """The lead under the cursor beside its candidates. With marks, the form that takes one lead for all of them."""
    commands = {command.name: command for command in app.frame.commands}
    row = app.table.current()
    if app.table.marks and MARK_DUPLICATE in commands:
        app.triage.act(commands[MARK_DUPLICATE])
    elif row is not None:
        app.hold_keys()
        app.browser.compare(row.id, lambda told: _compared(app, commands, told), lambda error: _failed(app, error))


def _compared(app: BoApp, commands: dict[str, CommandSpec], told: Comparison) -> None:
    from bo.tui.duplicates_screen import DuplicatesScreen

    if not told.rivals:
        app.release_keys()
        app.say(_("{name} is like no other lead", name=told.title), "good")
        return

    def decided(decision: Decision | None) -> None:
        if decision is not None:
            takes_rival = decision.command.name == MARK_DUPLICATE
            app.triage.act(decision.command, {"of": decision.rival} if takes_rival else {})

    app.push_screen(DuplicatesScreen(app.looks, told, commands), decided)
    app.release_keys()


def choose_store(
    app: BoApp, lead: str, heading: str, then: Callable[[Arguments], None], form: Callable[[], None]
) -> None:
    """The stores with their load; `form` is for who wants to search, and where there is nothing to choose from."""
    from bo.tui.assign_screen import BY_FORM, AssignScreen

    def chosen(offer: StoreOffer | None) -> None:
        if offer is BY_FORM:
            form()
        elif offer is not None:
            # Who takes what the rule picks keeps the rule's reason.
            then({"store": offer.id, "note": offer.why} if offer.picked else {"store": offer.id})

    def told(offers: list[StoreOffer]) -> None:
        if offers:
            app.push_screen(AssignScreen(app.looks, heading, offers), chosen)
            app.release_keys()
        else:
            form()

    app.hold_keys()
    app.browser.offers(lead, told, lambda error: _failed(app, error))


def _failed(app: BoApp, error: Exception) -> None:
    app.release_keys(drop=True)
    app.trouble(error)
