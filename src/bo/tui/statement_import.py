"""A statement of a bank taken in on the screen: the file is chosen, what it would bring is told, and a job takes it in.

All of a file is taken in, or nothing of it. What was wrong is withdrawn where the statements are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _
from bo.tui.import_screen import ImportScreen
from bo.tui.jobs import DONE, Job
from bo.tui.settling import grouped
from bo.tui.source import Choice, CommandSpec, Foresight, ParamSpec
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.core.exchange.statements import StatementFile, TakenIn
    from bo.core.kernel.workspace import Workspace
    from bo.tui.screen import BoApp

NOUN: Final = "bank_statements"
NOTES_SHOWN: Final = 3
FORMATS: Final = {
    "camt": "camt.052, 053, 054", "mt940": "MT940", "ofx": "OFX", "qif": "QIF", "table": "table (CSV, XLSX)",
}  # fmt: skip
DAYS: Final = {"dmy": "3/4/26 is 3 April", "mdy": "3/4/26 is 4 March"}


def _command() -> CommandSpec:
    def choices(of: Mapping[str, str]) -> tuple[Choice, ...]:
        return tuple(Choice(value, _(words)) for value, words in of.items())

    return CommandSpec(
        f"{NOUN}.import", "import", "Import",
        (ParamSpec("account", "Bank account", "ref", ref="bank_accounts", help="found by its number"),
         ParamSpec("format", "Format", "choice", choices=choices(FORMATS)),
         ParamSpec("days", "Days", "choice", choices=choices(DAYS)),
         ParamSpec("decimal", "Decimal mark", "choice", choices=choices({".": ".", ",": ","})),
         ParamSpec("encoding", "Encoding"), ParamSpec("sheet", "Sheet")),
        confirm=True,
    )  # fmt: skip


class StatementImport(ImportScreen):
    """Where the file is chosen; `then` follows once its statement is taken in."""

    def __init__(self, app: BoApp, path: Path | None, then: Callable[[], None]) -> None:
        super().__init__(app, NOUN, path)
        self._then = then

    def draw(self) -> None:
        super().draw()
        self.heading.put([(f" {_('Take in a bank statement')}", "title"), (f"  {self.step.heading}", "text")])

    def open_file(self, path: str) -> None:
        if Path(path).is_file():
            self._ask(Path(path))
        else:
            self.say(_("There is no file {path}", path=path), "bad")

    def _ask(self, path: Path) -> None:
        """What cannot be found out is asked for; what would be taken in is told at once, where it can be."""
        from bo.tui.form import FormScreen

        app = self._office

        def check(values: Mapping[str, str], told: Callable[[Mapping[str, str], Foresight | None], None]) -> None:
            def failed(error: Exception) -> None:
                told({"": error_words(error)}, None)

            app.desk_lane.ask(
                lambda desk: desk.lend(lambda workspace: foreseen(workspace, str(path), values)),
                lambda found: told(*found), failed,
            )  # fmt: skip

        def filled(values: Mapping[str, str] | None) -> None:
            if values is not None:
                self.leave()
                _start(app, path, values, self._then)

        form = FormScreen(
            app.looks.on_panel(), _command(), path.name, check, app.browser.choices, {}, app.release_keys, {}
        )
        app.push_screen(form, filled)
        form.call_after_refresh(form.send)


def foreseen(
    workspace: Workspace, path: str, values: Mapping[str, str]
) -> tuple[Mapping[str, str], Foresight | None]:  # fmt: skip
    """What is wrong with a file by field, or else what it would bring."""
    from bo.core.exchange.statements import StatementOptions, take_in_file

    code = _code_of(workspace, values.get("account", ""))
    options = StatementOptions(**{**values, "account": code}, dry_run=True)
    try:
        file, taken = take_in_file(workspace, path, options)
    except BoError as error:
        return {str(error.facts.get("field", "")): error_words(error)}, None
    return {}, Foresight(tuple(_told(file, taken)))


def _code_of(workspace: Workspace, account: str) -> str:
    """The code of an account that was chosen by its id."""
    from bo.core.settlement.records import BankAccount

    return workspace.reader().get(BankAccount, account).code if account else ""


def _told(file: StatementFile, taken: list[TakenIn]) -> list[str]:
    """What each statement says, how much of it is new, and whether it follows the one before."""
    lines = []
    for each in taken:

        def money(amount: int, each: TakenIn = each) -> str:
            return grouped(amount, each.currency)

        lines.append(_("{statement}: {entries} lines, {new} new, {known} known before", statement=each.reference,
                       entries=each.entries, new=each.new, known=each.known))  # fmt: skip
        if each.opening is None or each.closing is None:
            lines.append(_("it has no balances to check it by"))
        else:
            lines.append(_("{opening} and {total} are {closing} {currency}", opening=money(each.opening),
                           total=money(each.total), closing=money(each.closing), currency=each.currency))  # fmt: skip
        if each.gap:
            lines.append(_("{gap} {currency} is missing between it and the one before", gap=money(each.gap),
                           currency=each.currency))  # fmt: skip
    notes = dict.fromkeys((*file.notes, *(note for each in file.statements for note in each.notes)))
    return [*lines, *list(notes)[:NOTES_SHOWN]]


def _start(app: BoApp, path: Path, values: Mapping[str, str], then: Callable[[], None]) -> None:
    words = ["bank-statements", "import", str(path), "--yes"]
    for name, value in values.items():
        words += [f"--{name}", value]

    def ended(job: Job) -> None:
        if job.state == DONE:
            then()

    app.jobs.start(_("Statement {file}", file=path.name), words, ended)


def open_statement_import(app: BoApp, text: str = "", then: Callable[[], None] | None = None) -> None:
    """Choose a file and take it in; with a name, begin with that file."""
    path = Path(text.strip()).expanduser().absolute() if text.strip() else None

    def opened(_nothing: None) -> None:
        app.push_screen(StatementImport(app, path, then or app.rebuild))

    def refused(error: Exception) -> None:
        app.trouble(error)
        app.release_keys(drop=True)

    app.hold_keys()
    app.browser.read(lambda workspace: workspace.reader().require("banking.import"), opened, refused, topic="import")
