"""The payout file of a settlement: which layout, which account of ours, where to; then a job writes and records it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _
from bo.tui.jobs import DONE, Job
from bo.tui.looks import Tone
from bo.tui.settling import Sheet, grouped
from bo.tui.source import Choice, CommandSpec, Foresight, ParamSpec
from bo.tui.words import error_words

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace
    from bo.tui.screen import BoApp

FOLDER: Final = "payouts"
LAYOUTS: Final = ("csv", "cn_bank", "pain.001.001.03", "pain.001.001.09")
NAMES: Final = {"csv": "table (CSV)", "cn_bank": "batch payment, China (GBK)"}  # the others are called as they are
GIVEN: Final = ("layout", "bank_account", "pay_on")


class Say(Protocol):
    """Where words go."""

    def __call__(self, text: str, tone: Tone = "text") -> None: ...


def _command() -> CommandSpec:
    layouts = tuple(Choice(name, _(NAMES.get(name, name))) for name in LAYOUTS)
    return CommandSpec(
        "settlements.export", "export", "Payout file",
        (ParamSpec("layout", "Layout", "choice", True, layouts),
         ParamSpec("bank_account", "Paying account", "ref", ref="bank_accounts"),
         ParamSpec("pay_on", "Pay on", "day"), ParamSpec("to", "File", required=True)),
    )  # fmt: skip


def export(app: BoApp, shown: Sheet, say: Say, then: Callable[[], None]) -> None:
    """Ask how, say what leaves the office, and start the job. `then` follows when it has ended."""
    if not app.jobs.are_possible:
        say(_("There are no jobs here: bo settlements export {number} does it", number=shown.number), "warn")
        return
    app.hold_keys()
    app.browser.read(
        lambda workspace: paying_account(workspace, shown.currency),
        lambda account: _ask(app, shown, account, say, then), lambda error: _failed(app, error, say),
    )  # fmt: skip


def _failed(app: BoApp, error: Exception, say: Say) -> None:
    app.release_keys(drop=True)
    say(error_words(error), "bad")


def paying_account(workspace: Workspace, currency: str) -> str:
    """Our account in that currency where there is one alone; nothing where one has to be chosen."""
    reader = workspace.reader()
    if not reader.actor.may("bank_accounts.read"):
        return ""
    rows = reader.page("bank_accounts", f"kind:bank currency:{currency}", fields=("code",)).rows
    return str(rows[0][0]) if len(rows) == 1 else ""


def _ask(app: BoApp, shown: Sheet, account: str, say: Say, then: Callable[[], None]) -> None:
    from bo.tui.form import FormScreen

    folder = Path(app.jobs.workspace) / FOLDER
    command = _command()
    start = {"layout": LAYOUTS[0], "bank_account": account, "to": str(folder / f"{shown.number}.csv")}

    def check(values: Mapping[str, str], told: Callable[[Mapping[str, str], Foresight | None], None]) -> None:
        app.desk_lane.ask(
            lambda desk: desk.lend(lambda workspace: wrong_with(workspace, shown.id, values)),
            lambda wrong: told(wrong, None), lambda error: told({"": error_words(error)}, None),
        )  # fmt: skip

    def filled(values: Mapping[str, str] | None) -> None:
        if values is not None:
            app.desk_lane.ask(
                lambda desk: desk.lend(lambda workspace: leaves(workspace, shown, values)),
                lambda told: app.overlays.confirm(
                    told[0], 1, lambda: _start(app, shown, values, told[1], finished), [told[1]]
                ),
                lambda error: say(error_words(error), "bad"),
            )

    def finished(job: Job) -> None:
        say(f"{job.title}: {job.told}", "good" if job.state == DONE else "bad")
        then()

    heading = _("Payout file of {number}: {payees} payees, {net} {currency}", number=shown.number,
                payees=shown.payees, net=shown.net, currency=shown.currency)  # fmt: skip
    app.push_screen(
        FormScreen(app.looks.on_panel(), command, heading, check, app.browser.choices, start, app.release_keys, {}),
        filled,
    )


def wrong_with(workspace: Workspace, settlement: str, values: Mapping[str, str]) -> Mapping[str, str]:
    """Why there is no such file, by field; nothing where there is one."""
    try:
        workspace.ask("settlements.payout_file", settlement, **_given(values))
    except BoError as error:
        field = {"no_paying_account": "bank_account"}.get(error.code, str(error.facts.get("field", "")))
        return {field: error_words(error)}
    return {}


def leaves(workspace: Workspace, shown: Sheet, values: Mapping[str, str]) -> tuple[str, str]:
    """The question with count and amount, and where the file goes, with the ending that its layout has."""
    file = workspace.ask("settlements.payout_file", shown.id, **_given(values))
    wanted = Path(values["to"]).expanduser()
    if wanted.stem == shown.number:
        wanted = wanted.with_name(file.name)
    total = f"{grouped(file.total, file.currency)} {file.currency}"
    if file.again:
        return _("{number} was exported before. Write the same file again to {file} ?", number=shown.number,
                 file=wanted.name), str(wanted)  # fmt: skip
    return _("{count} payments, {total}, leave the office in {file} ?", count=file.payments, total=total,
             file=wanted.name), str(wanted)  # fmt: skip


def _given(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name] for name in GIVEN if values.get(name)}


def _start(
    app: BoApp, shown: Sheet, values: Mapping[str, str], target: str, finished: Callable[[Job], None]
) -> None:  # fmt: skip
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    words = ["settlements", "export", shown.id, "--to", target, "--yes"]
    for name, value in _given(values).items():
        words += [f"--{name.replace('_', '-')}", value]
    app.jobs.start(_("Payout file of {number}", number=shown.number), words, finished)
