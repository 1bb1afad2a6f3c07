"""What one command of the command line takes, in plain values: the same for derived and hand-written ones.

Help, completion, the reference pages and the parser all read it; none of them imports the module that carries the
command out.
"""

from __future__ import annotations

from typing import Final


class Option:
    """An option. `kind`: `text` (one value), `many` (repeatable), `flag` (there or not), `switch` (`--x` and
    `--no-x`).
    """

    __slots__ = ("choices", "help", "kind", "metavar", "name", "record", "short", "words")

    def __init__(
        self,
        name: str,
        help_text: str,
        *,
        kind: str = "text",
        metavar: str = "",
        short: str = "",
        choices: tuple[str, ...] = (),
        record: str = "",
    ) -> None:
        self.name = name
        self.words = "--" + name.replace("_", "-")
        self.help = help_text
        self.kind = kind
        self.metavar = metavar or name.upper()
        self.short = short
        self.choices = choices
        self.record = record  # the noun whose records complete it

    @property
    def takes_value(self) -> bool:
        return self.kind in ("text", "many")

    @property
    def spellings(self) -> list[str]:
        """Every way to write it."""
        negative = [f"--no-{self.words[2:]}"] if self.kind == "switch" else []
        return [*([self.short] if self.short else []), self.words, *negative]


class Argument:
    """What stands on the line without an option's name. `many` takes all that is left."""

    __slots__ = ("choices", "help", "many", "metavar", "name", "record", "required")

    def __init__(
        self,
        name: str,
        metavar: str,
        help_text: str,
        *,
        many: bool = False,
        required: bool = False,
        choices: tuple[str, ...] = (),
        record: str = "",
    ) -> None:
        self.name = name
        self.metavar = metavar
        self.help = help_text
        self.many = many
        self.required = required
        self.choices = choices
        self.record = record


class Leaf:
    """One command. `handler` is `module:function`, imported when the command runs; `params` are the values that go to
    the registry's command.
    """

    __slots__ = ("arguments", "command", "doc", "handler", "options", "params", "passes_on", "summary", "takes_filter")

    def __init__(
        self,
        command: str,
        summary: str,
        handler: str,
        *,
        arguments: tuple[Argument, ...] = (),
        options: tuple[Option, ...] = (),
        params: tuple[str, ...] = (),
        doc: str = "",
        takes_filter: bool = False,
        passes_on: bool = False,
    ) -> None:
        self.command = command
        self.summary = summary
        self.handler = handler
        self.arguments = arguments
        self.options = options
        self.params = params
        self.doc = doc
        self.takes_filter = takes_filter  # words such as -tag:test are a filter and not options
        self.passes_on = passes_on  # everything after -- belongs to another program

    def usage(self, path: str) -> str:
        """The line that shows how it is called."""
        words = [path]
        for argument in self.arguments:
            word = argument.metavar + ("…" if argument.many else "")
            words.append(word if argument.required else f"[{word}]")
        return " ".join([*words, "[OPTIONS]"])


FORMS_HELP: Final = "table, json, jsonl, csv, tsv, ids or template; a table on a terminal, else tsv"
EVERYWHERE: Final = (
    Option(
        "output",
        FORMS_HELP,
        metavar="FORMAT",
        short="-o",
        choices=("table", "json", "jsonl", "csv", "tsv", "ids", "template"),
    ),
    Option("template", "text of each row, such as '{number} {name}'; \\t and \\n are understood", metavar="TEXT"),
    Option("quiet", "say nothing that is not data or an error", kind="flag", short="-q"),
    Option("workspace", "folder of the office (BO_WORKSPACE)", metavar="DIR", short="-w"),
    Option("as", "operator who acts, by login or id (BO_OPERATOR)", metavar="OPERATOR", record="operators"),
    Option("lang", "language of texts: en or zh_CN (BO_LANG)", metavar="LANG", choices=("en", "zh_CN")),
    Option(
        "color", "auto, always or never (NO_COLOR, FORCE_COLOR)", metavar="WHEN", choices=("auto", "always", "never")
    ),
)
READS: Final = (
    Option("fields", "fields to show, by comma; `all` for every one", metavar="A,B"),
    Option("output_version", "version of the output's form; there is only 1", metavar="1"),
)
LISTS: Final = (
    Option("limit", "rows at most; 50 on a terminal, else all", metavar="N"),
    Option("after", "go on after a page: the token it ended with", metavar="TOKEN"),
    Option("fail_empty", "exit 66 when there is nothing", kind="flag"),
)
WRITES: Final = (
    Option("dry_run", "do it in a transaction that is rolled back, and show the result", kind="flag", short="-n"),
    Option("yes", "do not ask", kind="flag", short="-y"),
    Option("no_input", "never ask: fail where a question would come", kind="flag"),
    Option("wait", "wait so long for another writer, such as 2m; 10s when not given", metavar="TIME"),
)
KEYED: Final = (
    Option("idempotency_key", "the same key is the same call: done once, however often it is sent", metavar="KEY"),
)
CODED: Final = (
    Option("code", "code of your second factor (BO_CODE); asked for on a terminal when it is wanted", metavar="CODE"),
)
BULK: Final = (
    Option("where", "every record that this filter finds", metavar="FILTER"),
    Option("atomic", "all or nothing: the first refusal undoes every other", kind="flag"),
    Option(
        "progress", "auto, json or never: how far it is, on stderr", metavar="WHEN", choices=("auto", "json", "never")
    ),
)
