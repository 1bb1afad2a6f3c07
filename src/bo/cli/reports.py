"""Finance reports: as every other answer, and as a workbook, as PDF, or as bars on the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bo.cli import asking, diagnostics, exit_codes, output
from bo.cli.derive import option_for
from bo.cli.leaf import EVERYWHERE, FORMS_HELP, READS, Leaf, Option
from bo.cli.manifest import manifest
from bo.cli.office import opened
from bo.cli.saving import placed
from bo.cli.table import RIGHT
from bo.core.kernel.errors import UsageError
from bo.core.kernel.text import _, visible
from bo.core.kernel.text import width as width_of

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.workspace import Workspace

FILES: Final = ("xlsx", "pdf")
SAVED: Final = (*FILES, "csv", "tsv", "json", "jsonl")
ENDS_TOTAL: Final = "total"
# What is drawn: the columns that name a bar, and those that say how long it is.
BARS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "trial_balance": (("account", "party"), ("debit", "credit")),
    "profit_and_loss": (("section", "account"), ("amount",)),
    "balance_sheet": (("section", "account"), ("amount",)),
    "payables": (("payee", "name"), ("owed",)),
    "reward_cost": (("group", "name"), ("amount",)),
    "tax_withheld": (("month", "payee", "name"), ("amount",)),
}
CAPTION: Final = ("since", "as_of")  # said once on paper, not in every row
TITLES: Final = {  # where the verb alone says too little
    "reconciliations.report": "proof that ledger and bank agree",
    "reconciliations.open": "waiting to be reconciled",
    "reconciliations.ageing": "waiting to be reconciled, by age",
}
WORDS: Final = ("account", "section", "type")
FULL, BELOW, PLAIN = "█", "░", "#"


def leaves() -> dict[str, Leaf]:
    """Every report, with what only reports can be written as."""
    chart = Option("chart", "show it as bars", kind="flag")
    return {verb: leaf_of("reports", verb, chart) for verb in manifest()["reports"]["queries"]}


def leaf_of(noun: str, verb: str, *more: Option) -> Leaf:
    """A query whose answer can be written as a workbook or as PDF too."""
    entry = manifest()[noun]["queries"][verb]
    forms = Option(
        "output", f"{FORMS_HELP}; or xlsx or pdf", metavar="FORMAT", short="-o",
        choices=(*EVERYWHERE[0].choices, *FILES),
    )  # fmt: skip
    to = Option("to", "write it to this file; its ending says how: .pdf, .xlsx, .csv", metavar="FILE")
    own = tuple(option_for(name, param, set()) for name, param in entry["params"].items())
    return Leaf(
        f"{noun}.{verb}",
        entry["summary"],
        "bo.cli.reports:run",
        options=(*own, to, *more, *READS, forms, *EVERYWHERE[1:]),
        params=tuple(entry["params"]),
        doc=entry.get("doc", ""),
    )


def run(asked: Asked) -> int:
    """Ask for a report, and write it."""
    path = Path(asked.text("to")) if asked.text("to") else None
    form = asked.text("output") or (path.suffix[1:].lower() if path else "")
    if path is None and form not in FILES and not asked.flag("chart"):
        return asking.run(asked)
    if path is not None and form not in SAVED:
        raise UsageError("{name} does not end as a report can be written", hint="Use one of: {known}.", name=path.name,
                         known=", ".join(f".{item}" for item in SAVED))  # fmt: skip
    with opened(asked) as workspace:
        answer = workspace.ask(asked.command, None, **asked.arguments())
        if asked.flag("chart"):
            output.write(_chart(asked.verb, _plain(answer, workspace), workspace))
            return exit_codes.OK
        content = _content(asked, form, answer, workspace)
    if path is None:
        output.data(content)
        return exit_codes.OK
    with placed(path, content):
        pass
    diagnostics.note(asked, "{name} written, {size} bytes", name=str(path), size=len(content))
    return exit_codes.OK


def _plain(answer: Sequence[object], workspace: Workspace) -> list[dict[str, Any]]:
    from bo.core.kernel.wire import plain

    return [plain(item, workspace.context.currency) for item in answer]


def _kinds(asked: Asked, workspace: Workspace) -> dict[str, str]:
    """The columns of a report, with their kinds."""
    from bo.core.kernel.wire import item_class, kinds_of

    found = kinds_of(item_class(workspace.registry.query(asked.command).function))
    return {name: kind.name if kind else "text" for name, kind in found.items()}


def _content(asked: Asked, form: str, answer: Sequence[object], workspace: Workspace) -> bytes:
    kinds, rows = _kinds(asked, workspace), _plain(answer, workspace)
    if form == "pdf":
        return _pdf(asked, kinds, rows, workspace)
    from decimal import Decimal

    from bo.core.exchange.writers import open_writer

    made = BytesIO()
    with open_writer(made, form, tuple(kinds), sheet=asked.verb.replace("_", " ")) as writer:  # type: ignore[arg-type]
        for row in rows:
            writer.row([Decimal(row[name]) if kind == "amount" else row[name] for name, kind in kinds.items()])
    return made.getvalue()


def _pdf(asked: Asked, kinds: dict[str, str], rows: list[dict[str, Any]], workspace: Workspace) -> bytes:
    from bo.core.reports.paper import table_pdf

    names = [name for name in kinds if name not in CAPTION]
    heads = [_(name.replace("_", " ")) for name in names]
    title = _(TITLES.get(asked.command, asked.verb.replace("_", " ")))
    days = " – ".join(str(rows[-1][name]) for name in CAPTION if name in kinds) if rows else ""
    cells = [[_word(name, row[name]) for name in names] for row in rows]
    right = {place for place, name in enumerate(names) if kinds[name] in RIGHT}
    return table_pdf(title, _("as of {day}", day=days), heads, cells, right=right)


def _word(name: str, value: object) -> str:
    """A cell on paper: the words that are ours in the language of the office."""
    text = output.cell(value)
    return _(text.replace("_", " ")) if text and (name in WORDS or text == ENDS_TOTAL) else text


def _chart(verb: str, rows: list[dict[str, Any]], workspace: Workspace) -> str:
    """A bar for each row that is no total, as long as its amount is to the largest; below zero it is hollow."""
    from bo.core.kernel.amounts import parse_amount

    named, valued = BARS[verb]
    bars = []
    for row in rows:
        if ENDS_TOTAL in (row[name] for name in named):
            continue
        label = " ".join(visible(_word(name, row[name])) for name in named if row[name])
        text = next((row[name] for name in valued if parse_amount(row[name], row["currency"])), row[valued[0]])
        bars.append((label, parse_amount(text, row["currency"]), f"{text} {row['currency']}"))
    if not bars:
        return _("nothing found") + "\n"
    wide, figures = (max(width_of(bar[place]) for bar in bars) for place in (0, 2))  # type: ignore[arg-type]
    room = max(shutil.get_terminal_size((100, 24)).columns - wide - figures - 4, 10)
    most = max(abs(bar[1]) for bar in bars) or 1
    full, below = (FULL, BELOW) if output.encoding().lower().startswith("utf") else (PLAIN, "-")
    lines = []
    for label, amount, text in bars:
        bar = (below if amount < 0 else full) * max(round(room * abs(amount) / most), 1 if amount else 0)
        lines.append(f"{label}{' ' * (wide - width_of(label))}  {text.rjust(figures)}  {bar}")
    return "\n".join(lines) + "\n"
