"""Printing the papers of orders: one file, and a note for each order that they were printed; both or neither."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.asked import Asked
from bo.cli.leaf import BULK, EVERYWHERE, WRITES, Argument, Leaf, Option
from bo.cli.office import opened, require_subjects, subject_words
from bo.cli.outcomes import write_all
from bo.cli.saving import placed
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import UsageError
from bo.core.kernel.text import _

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace

PAPERS: Final = ("slips", "picks", "invoices")
PRINT: Final = Leaf(
    "orders.print",
    "Write packing slips, a pick list or drafts of invoices of orders as PDF, and note that they were printed.",
    "bo.cli.papers:print_orders",
    arguments=(
        Argument("subjects", "ORDER", "ids, unique ends of ids, or numbers; - reads them from stdin", many=True,
                 record="orders"),
    ),
    options=(
        Option("paper", "slips, picks (one list, merged by bin) or invoices", metavar="PAPER", choices=PAPERS),
        Option("to", "the file to write", metavar="FILE"),
        Option("again", "print what was printed before once more", kind="flag"),
        BULK[0],
        *WRITES,
        *EVERYWHERE,
    ),
    doc="All orders or none. Permission: orders.print.",
)  # fmt: skip


def print_orders(asked: Asked) -> int:
    """The file is put in its place once it is noted; a refusal leaves neither."""
    for name in ("paper", "to"):
        if not asked.text(name):
            raise UsageError("{command} needs {field}", hint="Give it with --{option}.", command=asked.command,
                             field=name, option=name)  # fmt: skip
    path, paper = Path(asked.text("to")), asked.text("paper")
    with opened(asked) as workspace:
        ids = _ids(workspace, asked)
        file = workspace.ask("orders.papers", None, orders=ids, paper=paper)
        if len(ids) > 1:
            diagnostics.confirm(asked, _("print {paper} of {count} orders?", paper=paper, count=len(ids)))
        dry_run = asked.flag("dry_run")
        with placed(path, file.content, keep=not dry_run):
            calls = [Call("orders.printed", order, {"paper": paper, "again": asked.flag("again")}) for order in ids]
            outcomes = workspace.run(calls, atomic=True, dry_run=dry_run)
        write_all(asked, workspace, outcomes)
    diagnostics.note(asked, "{pages} pages in {name}", pages=file.pages, name=str(path))
    return exit_codes.OK


def _ids(workspace: Workspace, asked: Asked) -> list[str]:
    """The ids of the orders that are named, each once. Raises UsageError, NotFound, Ambiguous."""
    where = asked.text("where")
    if where and asked.many("subjects"):
        raise UsageError("records are named twice: by id and by --where", hint="Use one of them.")
    reader = workspace.reader()
    if where:
        _fields, batches = reader.stream("orders", where, fields=(output.ID,))
        found = [str(row[0]) for batch in batches for row in batch]
    else:
        orders = workspace.registry.record("orders")
        found = [reader.get(orders, text).id for text in subject_words(require_subjects(asked))]
    if not found:
        raise UsageError("there is nothing to print", hint="bo orders list shows what there is.")
    return list(dict.fromkeys(found))
