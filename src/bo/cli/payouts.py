"""Taking the payout file of a settlement out of the office: written and recorded in one step, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bo.cli import diagnostics, exit_codes
from bo.cli.asked import Asked
from bo.cli.leaf import EVERYWHERE, WRITES, Argument, Leaf, Option
from bo.cli.office import opened
from bo.cli.outcomes import write_all
from bo.cli.saving import placed
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BadFile, UsageError
from bo.core.kernel.text import _

LAYOUTS: Final = ("csv", "cn_bank", "pain.001.001.03", "pain.001.001.09")
EXPORT: Final = Leaf(
    "settlements.export",
    "Write the payout file of an approved settlement, and record that it leaves the office. Always the same file.",
    "bo.cli.payouts:export",
    arguments=(Argument("settlement", "SETTLEMENT", "number or id", required=True, record="settlements"),),
    options=(
        Option("to", "the file to write", metavar="FILE"),
        Option("layout", "what the bank takes; csv if not said", metavar="LAYOUT", choices=LAYOUTS),
        Option("table", "a TOML file with the columns of a table of your own", metavar="FILE"),
        Option("bank_account", "which account of ours pays, by its code", metavar="CODE", record="bank_accounts"),
        Option("pay_on", "the day on which the bank is to pay; the day of the approval if not said", metavar="DAY"),
        *WRITES,
        *EVERYWHERE,
    ),
    doc="Permission: settlements.export.",
)


def export(asked: Asked) -> int:
    """The file is put in its place once the operation is recorded; a refusal leaves no file."""
    if not asked.text("to"):
        raise UsageError("{command} needs {field}", hint="Give it with --{option}.", command=asked.command, field="to",
                         option="to")  # fmt: skip
    path = Path(asked.text("to"))
    with opened(asked) as workspace:
        subject, given = asked.text("settlement"), _given(asked)
        file = workspace.ask("settlements.payout_file", subject, **given)
        diagnostics.confirm(asked, _("write the payout file of {number} to {name}?", number=subject, name=str(path)))
        with placed(path, file.content, keep=not asked.flag("dry_run")):
            call = Call(asked.command, subject, {"file_hash": file.hash, "file_name": path.name, **given})
            (outcome,) = workspace.run([call], dry_run=asked.flag("dry_run"))
            if outcome.error is not None:
                raise outcome.error
        write_all(asked, workspace, [outcome])
    if file.again:
        diagnostics.note(asked, "it was exported before: this is the same file, {hash}", hash=file.hash)
    return exit_codes.OK


def _given(asked: Asked) -> dict[str, str]:
    """What was said of the file; a template goes along as its text, so that the export can be repeated from it."""
    given = {name: asked.text(name) for name in ("layout", "bank_account", "pay_on") if asked.text(name)}
    if asked.text("table"):
        try:
            given["template"] = Path(asked.text("table")).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadFile("{name} cannot be read: {reason}", name=asked.text("table"), reason=str(error)) from None
    return given
