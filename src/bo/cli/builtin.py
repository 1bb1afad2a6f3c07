"""The commands that are written by hand: everything that is not done to records of one noun. Only their shape; each
lives in a small file of its own.
"""

from __future__ import annotations

from typing import Final

from bo.cli.leaf import EVERYWHERE, LISTS, READS, WRITES, Argument, Leaf, Option

_OP: Final = Argument(
    "operation", "OPERATION", "id of the operation or its unique end; bo op log shows them", required=True
)
_SHELLS: Final = ("bash", "zsh", "fish")


def _leaf(
    command: str,
    summary: str,
    handler: str,
    *,
    arguments: tuple[Argument, ...] = (),
    options: tuple[Option, ...] = (),
    doc: str = "",
    passes_on: bool = False,
) -> Leaf:
    return Leaf(
        command,
        summary,
        f"bo.cli.{handler}",
        arguments=arguments,
        options=(*options, *EVERYWHERE),
        doc=doc,
        passes_on=passes_on,
    )


_INIT = _leaf(
    "init",
    "Make a new office in a folder.",
    "workspace:init",
    arguments=(Argument("folder", "DIR", "folder of the new office; made where it is not there"),),
    options=(
        Option("region", "two letters of ISO 3166: how phones are read; CN when not given", metavar="CODE"),
        Option("currency", "three letters of ISO 4217; that of the region when not given", metavar="CODE"),
        Option("zone", "time zone, such as Asia/Shanghai; that of the region when not given", metavar="ZONE"),
        Option(
            "operator", "login of the first operator, an administrator; your own login when not given", metavar="LOGIN"
        ),
        Option("name", "name of the first operator", metavar="NAME"),
    ),
)
_CRON_RUN = _leaf(
    "cron.run",
    "Run a command once at a time for this workspace, and print only when it fails.",
    "cron:run",
    arguments=(Argument("words", "-- COMMAND", "the command and its arguments", many=True, required=True),),
    options=(
        Option("job", "name of the job; the command when not given", metavar="NAME"),
        Option("wait", "wait so long for the run before to end, then exit 75; 0 when not given", metavar="2m"),
        Option("timeout", "stop the command after so long, and exit 75", metavar="10m"),
        Option("ping", "address told of success (POST), and of failure (the same with /fail)", metavar="URL"),
    ),
    passes_on=True,
)

# A path of one or two words -> the command. A first word that only opens a group has its text in GROUPS.
LEAVES: Final[dict[tuple[str, ...], Leaf]] = {
    ("init",): _INIT,
    ("status",): _leaf("status", "Show the workspace, who is using it, and what is in it.", "workspace:status"),
    ("demo",): _leaf(
        "demo", "Play the whole story on made-up data; with --workspace into a folder that stays.", "workspace:demo"
    ),
    ("tui",): _leaf(
        "tui",
        "Open the screen.",
        "workspace:screen",
        arguments=(Argument("filter", "FILTER", "what to show first", many=True),),
    ),
    ("batch",): _leaf(
        "batch",
        "Run commands from JSON lines, many in one process.",
        "batch:run",
        arguments=(Argument("file", "FILE", "a file, or - for stdin", required=True),),
        options=(
            Option("chunk", "commands in one transaction; 1 when not given", metavar="N"),
            Option("atomic", "all in one transaction, all or nothing", kind="flag"),
            WRITES[0],
        ),
        doc='A line is {"command": "leads.accept", "subject": "7f3k9x", "args": {…}, "key": "…"}. '
        "Each result is a line too, in the same order.",
    ),
    ("op", "log"): _leaf(
        "op.log",
        "List operations, the newest first: who did what.",
        "journal:log",
        options=(LISTS[0], Option("before", "only operations before this number", metavar="NUMBER"), READS[0]),
    ),
    ("op", "show"): _leaf(
        "op.show", "Show one operation with everything it changed.", "journal:show", arguments=(_OP,)
    ),
    ("undo",): _leaf(
        "op.undo",
        "Undo an operation, and all that were run together with it.",
        "journal:undo",
        arguments=(_OP,),
        options=WRITES,
        doc="What has been changed again since is not touched: undo the later operation first.",
    ),
    ("cron", "run"): _CRON_RUN,
    ("cron", "log"): _leaf(
        "cron.log", "List the runs of cron jobs, the newest first.", "cron:log", options=(LISTS[0],)
    ),
    ("sql",): _leaf(
        "sql",
        "Ask the database in SQL, for reading only.",
        "sql:run",
        arguments=(Argument("query", "SQL", "one SELECT; - reads it from stdin; without it the tables are listed"),),
        options=(
            Option("param", "value of :NAME in the query", kind="many", metavar="NAME=VALUE"),
            Option("schema", "show how a table is made", metavar="TABLE"),
        ),
    ),
    ("backup", "create"): _leaf(
        "backup.create",
        "Write a verified copy of the office.",
        "backup:create",
        arguments=(Argument("file", "FILE", "where to; backups/ in the workspace when not given"),),
    ),
    ("backup", "verify"): _leaf(
        "backup.verify",
        "Check a backup: file, schema, journal, counts.",
        "backup:verify",
        arguments=(Argument("file", "FILE", "the backup", required=True),),
    ),
    ("backup", "restore"): _leaf(
        "backup.restore",
        "Put a verified backup in the place of the office; what was there is kept beside it.",
        "backup:restore",
        arguments=(Argument("file", "FILE", "the backup", required=True),),
        options=WRITES,
    ),
    ("doctor",): _leaf("doctor", "Check this installation and this workspace.", "doctor:run"),
    ("config", "explain"): _leaf(
        "config.explain",
        "Show where a setting comes from.",
        "workspace:explain",
        arguments=(Argument("key", "SETTING", "name of the setting", required=True),),
    ),
    ("config", "list"): _leaf("config.list", "List the settings with their values.", "workspace:settings_list"),
    ("completion", "show"): _leaf(
        "completion.show",
        "Print the completion script of a shell.",
        "completion:show",
        arguments=(Argument("shell", "SHELL", "bash, zsh or fish", required=True, choices=_SHELLS),),
    ),
    ("completion", "install"): _leaf(
        "completion.install",
        "Install completion for a shell.",
        "completion:install",
        arguments=(Argument("shell", "SHELL", "bash, zsh or fish; that of $SHELL when not given", choices=_SHELLS),),
    ),
    ("help",): _leaf(
        "help",
        "Explain a command or a topic: exit-codes, filter, output.",
        "guide:show",
        arguments=(Argument("words", "COMMAND|TOPIC", "what about", many=True),),
    ),
}
GROUPS: Final = {
    "op": "The journal: what was done, by whom and when.",
    "cron": "Jobs that run by the clock.",
    "backup": "Copies of the office.",
    "config": "Settings.",
    "completion": "Completion by TAB.",
}


def first_words() -> dict[str, str]:
    """The first words of hand-written commands, each with its help text, in the order of the table."""
    return {path[0]: GROUPS.get(path[0], leaf.summary) for path, leaf in LEAVES.items()}


def second_words(first: str) -> dict[str, str]:
    """What may follow the first word of a group."""
    return {path[1]: leaf.summary for path, leaf in LEAVES.items() if path[0] == first and len(path) == 2}
