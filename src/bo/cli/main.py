"""`bo`: from the words on the line to an exit code. Everything that can go wrong is told here, and nowhere else.

Only what parsing needs is imported; the module that carries a command out is imported when it runs.
"""

from __future__ import annotations

import gc
import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

from bo.cli import diagnostics, exit_codes, output
from bo.core.kernel.errors import BoError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bo.cli.asked import Asked
    from bo.cli.leaf import Leaf


class Terminated(BaseException):
    """The TERM signal: transactions roll back on the way out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code. Without arguments it is that of the process, which ends here."""
    if arguments is not None:
        return _perform(list(arguments))
    # A short process makes next to no garbage in circles: looking for it while modules load costs a tenth of the start.
    gc.set_threshold(100_000, 20, 20)
    _listen_for_term()
    code = _perform(sys.argv[1:])
    _leave(code)
    sys.exit(code)


def _perform(words: list[str]) -> int:
    if words[:1] == ["__complete"]:
        from bo.cli.completion import answer

        return answer(words[1:])
    invocation = Invocation()
    try:
        code = invocation.perform(words)
        output.flush()
    except BaseException as error:
        code = invocation.told(error)
    return code


def _leave(code: int) -> None:
    """End at once where nothing is left to wait for: taking every module apart again costs as much as starting
    Python.
    """
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return
    if output.settle() and diagnostics.settle():
        os._exit(code)


class Invocation:
    """One run of `bo`, so that an error can be told in the name of the command that was reached."""

    def __init__(self) -> None:
        self.command = ""
        self.as_json = False
        self.code = exit_codes.OK
        self.before: dict[str, object] = {}  # options that stood before the command's name

    def perform(self, words: list[str]) -> int:
        """Parse and run. Raises whatever goes wrong."""
        from typer import Exit, TyperException

        from bo.cli.parser import PROGRAM, Root

        self.as_json = asks_for_json(words)
        _speak(words)
        root = Root(self.run)
        try:
            with root.make_context(PROGRAM, list(words)) as context:
                if context.params.get("version"):
                    self.version()
                else:
                    self.before = {name: value for name, value in context.params.items() if value is not None}
                    root.invoke(context)
                    if context.invoked_subcommand is None:
                        return self.bare(words)
        except Exit as ended:
            return ended.exit_code
        except TyperException as error:
            raise _usage(error) from None
        return self.code

    def bare(self, options: list[str]) -> int:
        """No command was named: the screen on a terminal, elsewhere the help page; the exit code."""
        if sys.stdin.isatty() and output.is_terminal():
            return self.perform([*options, "tui"])
        self.help_page()
        return exit_codes.USAGE

    def run(self, leaf: Leaf, asked: Asked) -> None:
        """Carry a command out."""
        self.command = leaf.command
        asked.values = {
            **asked.values,
            **{name: value for name, value in self.before.items() if asked.values.get(name) in (None, ())},
        }
        if asked.text("lang"):
            from bo.core.kernel.text import use_language

            use_language(asked.text("lang"))
        from importlib import import_module

        module, _colon, function = leaf.handler.partition(":")
        self.code = getattr(import_module(module), function)(asked)

    def told(self, error: BaseException) -> int:
        """Say what went wrong; its exit code."""
        if isinstance(error, BoError):
            command = str(error.facts.get("command") or self.command)
            subject = str(error.facts.get("subject") or "")
            diagnostics.tell(error, command=command, subject=subject, as_json=self.as_json)
        elif isinstance(error, BrokenPipeError):
            output.forget()
        elif isinstance(error, KeyboardInterrupt):
            diagnostics.say("")
        elif isinstance(error, Terminated):
            return exit_codes.TERMINATED
        elif isinstance(error, SystemExit):
            return error.code if isinstance(error.code, int) else exit_codes.BUG
        else:
            diagnostics.fault(error)
        return exit_codes.code_for(error)

    def help_page(self) -> None:
        from bo.cli.parser import PROGRAM, Root

        root = Root(self.run)
        with root.make_context(PROGRAM, [], resilient_parsing=True) as context:
            output.write(root.get_help(context) + "\n")

    def version(self) -> None:
        from bo import __version__

        output.write(f"bo {__version__}\n")


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether errors are to be JSON, read off the words, since parsing itself may fail."""
    for place, word in enumerate(words):
        if word == "--":
            return False
        if word in ("-o", "--output"):
            return list(words[place + 1 : place + 2]) in (["json"], ["jsonl"])
        if word in ("-ojson", "-ojsonl", "--output=json", "--output=jsonl"):
            return True
    return False


def _speak(words: Sequence[str]) -> None:
    """Choose the language that the words ask for, before parsing: help pages and wrong calls are in it too."""
    line = list(words[: words.index("--")] if "--" in words else words)
    chosen = [after for word, after in pairwise(line) if word == "--lang"]
    chosen += [word.removeprefix("--lang=") for word in line if word.startswith("--lang=")]
    if chosen:
        from bo.core.kernel.text import use_language

        use_language(chosen[-1])


def _usage(error: Exception) -> BoError:
    """Typer's words about a wrong call, as ours."""
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "bo").split(" ")
    words = str(getattr(error, "format_message", lambda: str(error))()).strip().rstrip(".")
    command = ".".join(word for word in path[1:] if word and not word.startswith(("-", "["))).replace("-", "_")
    hint = "{path} --help shows what it takes."
    return UsageError("{words}", hint=hint, words=words[:1].lower() + words[1:], path=" ".join(path), command=command)


def _listen_for_term() -> None:
    """TERM becomes an exception, so that a transaction under way rolls back and files are closed."""
    import signal

    def stop(_number: int, _frame: object) -> None:
        raise Terminated

    try:
        signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread: whoever runs us there has signals of their own
        return
