"""The office of one invocation: opened as the operator who was asked for, and closed whatever happens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics
from bo.cli.asked import seconds
from bo.core.kernel.errors import BadInput, Configuration, UsageError
from bo.core.kernel.text import _
from bo.core.kernel.workspace import database_at
from bo.core.office import open_office

if TYPE_CHECKING:
    from pathlib import Path

    from bo.cli.asked import Asked
    from bo.core.kernel.workspace import Workspace

LINE_BYTES_MAX: Final = 1 << 20


@contextmanager
def opened(asked: Asked) -> Iterator[Workspace]:
    """The workspace of an invocation. Raises Configuration where there is none or the operator is unknown."""
    folder = asked.workspace
    be_patient(asked)
    workspace = open_office(folder, operator=operator_of(asked, folder))
    try:
        yield workspace
        _tell_what_followed(asked, workspace)
    finally:
        workspace.close()


def _tell_what_followed(asked: Asked, workspace: Workspace) -> None:
    """Say what rules made of what was done here."""
    followed = getattr(workspace.after, "done", None)
    if followed is not None and followed.applied + followed.refused:
        diagnostics.note(
            asked,
            "rules ran {applied} commands, {refused} were refused; bo automation-rules runs shows them",
            applied=f"{followed.applied:,}",
            refused=f"{followed.refused:,}",
        )


def be_patient(asked: Asked) -> None:
    """Wait for another writer as long as `--wait` says. Raises UsageError for what is no time."""
    if asked.text("wait"):
        os.environ["BO_BUSY_MS"] = str(round(seconds(asked.text("wait"), "wait") * 1000))


def operator_of(asked: Asked, folder: Path) -> str:
    """Who acts: `--as`, `BO_OPERATOR`, or the workspace's settings, which may also name the language.

    Raises Configuration where nobody is named: who can open a file is not thereby somebody who may do everything.
    """
    knows_language = bool(asked.text("lang") or os.environ.get("BO_LANG"))
    if asked.operator and knows_language:
        return asked.operator
    from bo.cli.settings import FILE_NAME, read_file

    settings = read_file(folder / FILE_NAME)
    if settings.get("lang") and not knows_language:
        from bo.core.kernel.text import use_language

        use_language(settings["lang"])
    operator = asked.operator or settings.get("operator", "")
    if not operator:
        database_at(folder).close()  # that there is no office is the first thing to say
        raise Configuration(
            "nobody is named as the operator",
            hint="Say --as LOGIN, or set operator in {file}.",
            file=str(folder / FILE_NAME),
        )
    return operator


def subject_words(texts: tuple[str, ...]) -> Iterator[str]:
    """The subjects on the line; `-` stands for those on stdin: an id, a key, or a JSON object with an id a line."""
    for text in texts:
        if text == "-":
            yield from stdin_subjects()
        else:
            yield text


def stdin_subjects() -> Iterator[str]:
    """Subjects read from stdin, as they come. Raises BadInput for a line that names none."""
    for number, line in enumerate(stdin_lines(), 1):
        text = line.strip()
        if not text:
            continue
        if not text.startswith("{"):
            yield text.split("\t", 1)[0]
            continue
        import msgspec

        try:
            found = msgspec.json.decode(text, type=dict[str, object]).get("id")
        except msgspec.DecodeError:
            raise BadInput(
                "line {line} is not JSON", hint="Give one id or one JSON object a line.", line=number
            ) from None
        if not isinstance(found, str) or not found:
            raise BadInput("line {line} has no id", hint="Use -o ids or -o jsonl on the left.", line=number)
        yield found


def stdin_lines() -> Iterator[str]:
    """The lines of stdin as UTF-8, one by one. Raises BadInput for anything else, and UsageError for a terminal
    nobody types into.
    """
    import sys

    if sys.stdin is None:
        return
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        yield from sys.stdin
        return
    for number, line in enumerate(iter(lambda: stream.readline(LINE_BYTES_MAX + 1), b""), 1):
        if len(line) > LINE_BYTES_MAX:
            raise BadInput("line {line} is longer than {most} bytes", line=number, most=LINE_BYTES_MAX)
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise BadInput("line {line} is not UTF-8", hint="Convert it first.", line=number) from None


def require_subjects(asked: Asked) -> tuple[str, ...]:
    """The subjects as typed. Raises UsageError where there are none."""
    texts = asked.many("subjects")
    if not texts:
        raise UsageError(
            "which {noun}?",
            hint="Give an id or its end, - for ids on stdin, or --where FILTER.",
            noun=_(asked.noun.replace("_", " ")),
        )
    return texts
