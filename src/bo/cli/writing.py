"""Running a command of the registry on the records that were named: by id, from stdin, or by a filter.

Many records go in transactions of 500, each printed when it is committed. Every record has its own outcome; a refusal
of one is told and the others go on, unless all were asked to stand or fall together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.asked import Asked
from bo.cli.manifest import manifest
from bo.cli.office import opened, require_subjects, subject_words
from bo.cli.outcomes import ResultWriter, result_of, write_all
from bo.core.kernel.aside import aside
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BoError, UsageError
from bo.core.kernel.text import _

if TYPE_CHECKING:
    from bo.core.kernel.dispatch import Outcome
    from bo.core.kernel.workspace import Workspace

CHUNK: Final = 500
LONG: Final = 5_000  # records that a dry run is long for: others wait ten seconds for it, and then give up
CONFIRM_LOOKS_AT: Final = 1000  # records whose amounts are added up for a question


def run(asked: Asked) -> int:
    """Run the command; the exit code says whether all, some or none of it was done."""
    entry = manifest()[asked.noun]["commands"][asked.verb]
    with opened(asked) as workspace:
        if not entry.get("subject"):
            return _run_one(workspace, asked, entry.get("confirm", ""))
        return Bulk(workspace, asked, entry.get("confirm", "")).run()


def arguments_of(asked: Asked) -> dict[str, object]:
    """The arguments of the registry's command or query; `--extra NAME=VALUE` becomes names with values. Raises
    UsageError."""
    given = asked.arguments()
    entry = manifest()[asked.noun]
    kinds = (
        entry["commands"][asked.verb]["params"]
        if asked.verb in entry["commands"]
        else entry["queries"][asked.verb]["params"]
    )
    for name, value in given.items():
        if kinds[name]["kind"] == "facts" and isinstance(value, list):
            given[name] = dict(_pair(item, name) for item in value)
    return given


def _pair(text: object, option: str) -> tuple[str, str]:
    name, sign, value = str(text).partition("=")
    if not sign or not name.strip():
        raise UsageError("--{option} takes NAME=VALUE, not {value}", option=option, value=text)
    return name.strip(), value


def _run_one(workspace: Workspace, asked: Asked, confirm: str) -> int:
    if confirm == "always":
        diagnostics.confirm(asked, _("{command}?", command=asked.command))
    prove(workspace, asked)
    call = Call(asked.command, None, arguments_of(asked), id=_operation_id(asked, ""))
    (outcome,) = workspace.run([call], dry_run=asked.flag("dry_run"))
    if outcome.error is not None:
        raise outcome.error
    write_all(asked, workspace, [outcome])
    return exit_codes.OK


def prove(workspace: Workspace, asked: Asked) -> None:
    """Show the second factor where the command wants it: given, or asked for. Without one dispatch refuses. Raises
    WrongCode, TooManyTries."""
    if not manifest()[asked.noun]["commands"][asked.verb].get("step_up") or asked.flag("dry_run"):
        return
    if not workspace.authority:
        diagnostics.note(asked, "who has a second factor sends this with a code of it: bo sync --code CODE")
    elif workspace.wants_code(asked.command) and (code := diagnostics.code_of(asked)):
        workspace.prove(code)


class Bulk:
    """One command on one or many records."""

    def __init__(self, workspace: Workspace, asked: Asked, confirm: str) -> None:
        self.workspace = workspace
        self.asked = asked
        self.confirm = confirm
        self.dry_run = asked.flag("dry_run")
        self.arguments = arguments_of(asked)
        self.batch: str | None = None
        self.done = 0
        self.failures: list[BaseException] = []

    def run(self) -> int:
        """All of it. Raises the refusal itself where there is one record alone, or all stand together."""
        asked, where = self.asked, self.asked.text("where")
        if where and asked.many("subjects"):
            raise UsageError("records are named twice: by id and by --where", hint="Use one of them.")
        texts = () if where else require_subjects(asked)
        several = bool(where) or len(texts) > 1 or "-" in texts
        subjects = self._by_filter(where) if where else subject_words(texts)
        if several or self.confirm == "always":
            subjects = self._confirmed(subjects, several=several, streamed="-" in texts)
        prove(self.workspace, asked)
        if not self.dry_run:
            return self._carry_out(subjects, several=several)
        named = list(subjects)
        with aside(self.workspace, wanted=len(named) > LONG) as self.workspace:
            return self._carry_out(iter(named), several=several)

    def _carry_out(self, subjects: Iterator[str], *, several: bool) -> int:
        asked = self.asked
        writer = ResultWriter(asked, self.workspace, several=several)
        progress = diagnostics.Progress(asked)
        size = 2**62 if asked.flag("atomic") or self.dry_run else CHUNK
        for chunk in iter(lambda: list(islice(subjects, size)), []):
            outcomes = self._run_chunk(chunk, several=several)
            progress.end()
            if not several and outcomes[0].error is not None:
                outcomes[0].error.facts.setdefault("subject", chunk[0])
                raise outcomes[0].error
            writer.write([result_of(outcome, self.workspace) for outcome in outcomes])
            self._tell_refused(outcomes, chunk)
            progress.at(self.done + len(self.failures))
        progress.end()
        writer.end()
        self._sum_up(several=several)
        return exit_codes.code_of_many(self.done, self.failures)

    def _run_chunk(self, chunk: Sequence[str], *, several: bool) -> list[Outcome]:
        asked = self.asked
        calls = [
            Call(asked.command, text, self.arguments, _operation_id(asked, text if several else ""), batch=self.batch)
            for text in chunk
        ]
        try:
            outcomes = self.workspace.run(calls, atomic=asked.flag("atomic"), dry_run=self.dry_run)
        except BoError as error:
            if self.done:
                error.hint = f"{error.hint} " + _("{done} were done before; they stay.", done=self.done)
            raise
        if self.batch is None and outcomes[0].status == "applied":
            self.batch = outcomes[0].operation
        return outcomes

    def _by_filter(self, where: str) -> Iterator[str]:
        _fields, batches = self.workspace.reader().stream(self.asked.noun, where, fields=(output.ID,))
        return iter([str(row[0]) for batch in batches for row in batch])

    def _confirmed(self, subjects: Iterator[str], *, several: bool, streamed: bool) -> Iterator[str]:
        """Ask where the command or a filter that finds several asks for it; the subjects, all of them read by then."""
        asked = self.asked
        if asked.flag("yes") or self.dry_run or (streamed and not self.confirm):
            return subjects
        texts = list(subjects)
        by_filter = bool(asked.text("where"))
        if self.confirm == "always" or (len(texts) > 1 and (self.confirm == "many" or by_filter)):
            diagnostics.confirm(asked, self._question(texts))
        return iter(texts)

    def _question(self, texts: Sequence[str]) -> str:
        noun = _(self.asked.noun.replace("_", " "))
        verb = _(self.asked.verb.replace("_", " ").capitalize()).lower()
        amount = self._amount(texts)
        if len(texts) == 1:
            one = _(manifest()[self.asked.noun].get("one", noun).replace("_", " "))
            return _("{verb} {noun} {id}{amount}?", verb=verb, noun=one, id=texts[0], amount=amount)
        return _("{verb} {count} {noun}{amount}?", verb=verb, count=f"{len(texts):,}", noun=noun, amount=amount)

    def _amount(self, texts: Sequence[str]) -> str:
        """What the records come to, where they have an amount of their own and there are not too many to look at."""
        from bo.core.kernel.amounts import format_amount

        reader = self.workspace.reader()
        info = reader.info(self.asked.noun)
        name = next((name for name in ("amount", "total", "order_amount") if name in info.by_name), "")
        if not name or len(texts) > CONFIRM_LOOKS_AT:
            return ""
        sums: dict[str, int] = {}
        for text in texts:
            try:
                found = reader.get(info.cls, text)
            except BoError:
                continue
            value, currency = getattr(found, name), getattr(found, "currency", "") or reader.context.currency
            sums[currency] = sums.get(currency, 0) + (value or 0)
        words = [f"{format_amount(value, currency)} {currency}" for currency, value in sorted(sums.items()) if value]
        return f" ({', '.join(words)})" if words else ""

    def _tell_refused(self, outcomes: Sequence[Outcome], chunk: Sequence[str]) -> None:
        for outcome, text in zip(outcomes, chunk, strict=True):
            if outcome.error is None:
                self.done += 1
            else:
                diagnostics.refused(self.asked, outcome.error, text, len(self.failures))
                self.failures.append(outcome.error)

    def _sum_up(self, *, several: bool) -> None:
        asked, refused = self.asked, len(self.failures)
        if not several:
            return
        if refused and asked.is_for_programs:
            diagnostics.tell(
                Partly(
                    "{done} done, {refused} refused",
                    hint="The result says why for each.",
                    done=self.done,
                    refused=refused,
                ),
                command=asked.command,
                as_json=True,
            )
        elif not self.done and not refused:
            diagnostics.note(asked, "nothing to do: no {noun} were named", noun=_(asked.noun.replace("_", " ")))
        elif refused:
            diagnostics.note(asked, "{done} done, {refused} refused", done=f"{self.done:,}", refused=f"{refused:,}")
        else:
            diagnostics.note(asked, "{done} done", done=f"{self.done:,}")
        if self.batch is not None and self.done > 1 and not self.dry_run:
            diagnostics.note(asked, "bo undo {operation} takes it back", operation=self.batch)


class Partly(BoError):
    """Some of several calls were refused."""

    code = "partial"


def _operation_id(asked: Asked, subject: str) -> str | None:
    """The id that an idempotency key stands for: for several records the key and the record."""
    key = asked.text("idempotency_key")
    if not key:
        return None
    from bo.core.kernel.ids import operation_id_for_key

    return operation_id_for_key(f"{key}:{subject}" if subject else key)
