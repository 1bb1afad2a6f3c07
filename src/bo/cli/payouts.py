"""Taking the payout file of a settlement out of the office: written and recorded in one step, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bo.cli import diagnostics, exit_codes
from bo.cli.asked import Asked
from bo.cli.leaf import EVERYWHERE, WRITES, Argument, Leaf, Option
from bo.cli.office import opened
from bo.cli.outcomes import ResultWriter, result_of
from bo.cli.saving import placed
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import UsageError
from bo.core.kernel.text import _

EXPORT: Final = Leaf(
    "settlements.export",
    "Write the payout file of an approved settlement, and record that it leaves the office. Always the same file.",
    "bo.cli.payouts:export",
    arguments=(Argument("settlement", "SETTLEMENT", "number or id", required=True, record="settlements"),),
    options=(Option("to", "the file to write", metavar="FILE"), *WRITES, *EVERYWHERE),
    doc="Permission: settlements.export.",
)


def export(asked: Asked) -> int:
    """The file is put in its place once the operation is recorded; a refusal leaves no file."""
    if not asked.text("to"):
        raise UsageError("{command} needs {field}", hint="Give it with --{option}.", command=asked.command, field="to",
                         option="to")  # fmt: skip
    path = Path(asked.text("to"))
    with opened(asked) as workspace:
        subject = asked.text("settlement")
        file = workspace.ask("settlements.payout_file", subject)
        diagnostics.confirm(asked, _("write the payout file of {number} to {name}?", number=subject, name=str(path)))
        with placed(path, file.content, keep=not asked.flag("dry_run")):
            call = Call(asked.command, subject, {"file_hash": file.hash, "file_name": path.name})
            (outcome,) = workspace.run([call], dry_run=asked.flag("dry_run"))
            if outcome.error is not None:
                raise outcome.error
        writer = ResultWriter(asked, workspace, several=False)
        writer.write([result_of(outcome, workspace)])
        writer.end()
    return exit_codes.OK
