"""Taking in statements of banks and payment channels: what a file says, what of it is new, and how it follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.leaf import EVERYWHERE, WRITES, Argument, Leaf, Option
from bo.cli.office import opened
from bo.cli.output import Column

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.exchange.statements import StatementFile, TakenIn

IMPORT: Final = Leaf(
    "bank_statements.import",
    "Take in statements of a bank or a payment channel: all of a file, or nothing of it.",
    "bo.cli.banking:import_statements",
    arguments=(Argument("file", "FILE", "the file, or - for standard input", required=True),),
    options=(
        Option("account", "the account of ours that it is of; found by its number when not given", metavar="CODE",
               record="bank_accounts"),
        Option("currency", "take in this currency only; also for files that name none", metavar="CODE"),
        Option("format", "camt, mt940, ofx, qif or table; found out when not given", metavar="NAME",
               choices=("camt", "mt940", "ofx", "qif", "table")),
        Option("mapping", "which column of a table is what: a TOML file; docs/formats.md shows one", metavar="FILE"),
        Option("days", "how days such as 3/4/26 are written: mdy or dmy", metavar="ORDER", choices=("dmy", "mdy")),
        Option("decimal", "the decimal mark of amounts: . or ,", metavar="MARK"),
        Option("encoding", "encoding of a text file, such as gb18030; found out when not given", metavar="NAME"),
        Option("sheet", "name or number of the sheet of a workbook", metavar="SHEET"),
        *WRITES,
        *EVERYWHERE,
    ),
    doc="Permission: banking.import.",
)  # fmt: skip

COLUMNS: Final = (
    Column("statement"),
    Column("account"),
    Column("outcome"),
    Column("format"),
    Column("currency"),
    Column("entries", "whole"),
    Column("new", "whole", "new lines"),
    Column("known", "whole", "lines known before"),
    Column("total", "amount", "sum"),
    Column("opening", "amount", "opening balance"),
    Column("closing", "amount", "closing balance"),
    Column("gap", "amount"),
    Column("operation", "id"),
)


def import_statements(asked: Asked) -> int:
    """The exit code: 0 also where everything was known; a file that is refused keeps nothing."""
    from bo.core.exchange.statements import StatementOptions, take_in_file

    options = StatementOptions(
        account=asked.text("account"),
        currency=asked.text("currency"),
        format=asked.text("format"),
        encoding=asked.text("encoding"),
        sheet=asked.text("sheet"),
        days=asked.text("days"),
        decimal=asked.text("decimal"),
        mapping=asked.text("mapping"),
        dry_run=asked.flag("dry_run"),
    )
    with opened(asked) as workspace:
        file, taken = take_in_file(workspace, asked.text("file"), options)
    if asked.form or not asked.quiet:
        output.rows(asked, COLUMNS, [[_row(each, options.dry_run) for each in taken]])
    _talk(asked, file, taken, dry_run=options.dry_run)
    return exit_codes.OK


def _row(each: TakenIn, dry_run: bool) -> list[object]:
    from bo.core.kernel.amounts import format_amount

    def shown(amount: int | None) -> str | None:
        return None if amount is None else format_amount(amount, each.currency)

    return [
        each.reference, each.account, each.outcome, each.format, each.currency, each.entries, each.new, each.known,
        shown(each.total), shown(each.opening), shown(each.closing), shown(each.gap),
        None if dry_run else each.operation,
    ]  # fmt: skip


def _talk(asked: Asked, file: StatementFile, taken: list[TakenIn], *, dry_run: bool) -> None:
    from bo.core.kernel.amounts import format_amount

    for line in dict.fromkeys((*file.notes, *(note for each in file.statements for note in each.notes))):
        diagnostics.note(asked, "{line}", line=line)
    for each in taken:
        if each.opening is None or each.closing is None:
            diagnostics.note(asked, "{statement} has no balances to check it by", statement=each.reference)
        if each.gap:
            diagnostics.note(
                asked,
                "between {statement} and the one before, {gap} {currency} is missing: take in the statement between",
                statement=each.reference,
                gap=format_amount(each.gap, each.currency),
                currency=each.currency,
            )
    new, known = sum(each.new for each in taken), sum(each.known for each in taken)
    message = "{new} new lines, {known} known before"
    if dry_run:
        message = "{new} lines would be new, {known} are known"
    diagnostics.note(asked, message, new=new, known=known)
