"""What only orders have on the screen: printing their papers, and the way from an exception to its order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bo.core.kernel.text import _
from bo.tui.actions import Action
from bo.tui.keys import OPENS

if TYPE_CHECKING:
    from bo.tui.jobs import Job
    from bo.tui.screen import BoApp
    from bo.tui.source import Foresight, Related

PAPERS: Final[tuple[tuple[str, str], ...]] = (("slips", "Packing slips"), ("picks", "Pick list"),
                                              ("invoices", "Drafts of invoices"))  # fmt: skip
PRINTED: Final = "orders.printed"
FOLDER: Final = "papers"


def order_actions(app: BoApp) -> list[Action]:
    """None where the rows are something else."""
    if app.browser.noun != "orders" or not any(command.name == PRINTED for command in app.frame.commands):
        return []
    return [
        Action("print", _("Print papers"), lambda text: _print(app, text), ("L",), _("Do"), "print",
               _("slips|picks|invoices [FILE]"), enabled=lambda: app.jobs.are_possible,
               completions=lambda: [paper for paper, _title in PAPERS], weight=40),
    ]  # fmt: skip


def open_record(app: BoApp) -> None:
    """The whole record; of what only points to another, that other with its preview."""
    row, noun = app.table.current(), OPENS.get(app.browser.noun, "")
    if not noun or row is None:
        app.reading.open()
        return

    def go(found: list[Related]) -> None:
        at = next((item for item in found if item.noun == noun), None)
        if at is None:
            app.reading.open()
            return
        if not app.preview.display:
            app.toggle_preview()
        app.frame.go(at.noun, at.filter_text)

    app.browser.related(row.id, go)


# -- printing ----------------------------------------------------------------------------------------------------------


def _print(app: BoApp, text: str) -> None:
    """Which paper, into which file, and then the job. `text` is what was typed behind `:print`."""
    paper, _space, name = text.strip().partition(" ")
    if not paper:
        offers = [(_(title), "", "") for _paper, title in PAPERS]
        app.overlays.choose(_("Print papers"), offers, lambda at: _propose(app, PAPERS[at][0]))
        return
    if paper not in dict(PAPERS):
        app.say(_("{paper} is not a paper: {known}", paper=paper, known=", ".join(dict(PAPERS))), "bad")
        return
    targets = app.triage.targets()
    if not targets:
        app.say(_("There is no record here"), "warn")
        return
    path = _path(app, name.strip() or _proposed(app, paper))
    app.desk_lane.ask(
        lambda desk: desk.foresee(PRINTED, targets, {"paper": paper}),
        lambda told: _asked(app, targets, paper, path, told), app.trouble,
    )  # fmt: skip


def _asked(app: BoApp, targets: Sequence[str], paper: str, path: Path, told: Foresight) -> None:
    """What was printed before is printed again only by somebody who says so."""
    again = told.refused.get("printed_already", 0)
    if not again:
        _begin(app, targets, paper, path, again=False)
        return
    question = _("{count} of {all} orders were printed before: print again ?", count=again, all=len(targets))
    app.ask_confirm(question, 0, lambda: _begin(app, targets, paper, path, again=True))


def _begin(app: BoApp, targets: Sequence[str], paper: str, path: Path, *, again: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        app.say(_("{path} cannot be made: {why}", path=path.parent, why=error.strerror), "bad")
        return

    def ended(_job: Job) -> None:
        app.browser.reload(set(targets))
        app.settle_soon()

    words = ["orders", "print", *targets, "--paper", paper, "--to", str(path), "--yes", *(["--again"] if again else [])]
    app.jobs.start(_("Print to {file}", file=path.name), words, ended)


def _propose(app: BoApp, paper: str) -> None:
    app.typing.open(":", f"print {paper} {_proposed(app, paper)}")


def _proposed(app: BoApp, paper: str) -> str:
    """A name that no file has."""
    stem = f"{paper}-{datetime.now().astimezone().date().isoformat()}"
    at, name = 1, f"{FOLDER}/{stem}.pdf"
    while _path(app, name).exists():
        at += 1
        name = f"{FOLDER}/{stem}-{at}.pdf"
    return name


def _path(app: BoApp, name: str) -> Path:
    """A name without a folder of its own is meant in the office's."""
    path = Path(name).expanduser()
    return path if path.is_absolute() else Path(app.jobs.workspace) / path
