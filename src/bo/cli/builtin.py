"""The commands that are written by hand: everything that is not done to records of one noun. Only their shape; each
lives in a small file of its own.
"""

from __future__ import annotations

from typing import Final

from bo.cli import hooks
from bo.cli.leaf import BULK, CODED, EVERYWHERE, LISTS, READS, WRITES, Argument, Leaf, Option

_OP: Final = Argument(
    "operation", "OPERATION", "id of the operation or its unique end; bo op log shows them", required=True
)
THEMES: Final = ("dark", "light", "colour-blind", "ansi", "plain")
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

_ORG: Final = Argument("org", "ORG", "name of the organisation", required=True)
_LOGIN: Final = Argument("login", "LOGIN", "the operator's login", required=True)
_PLACE: Final = (
    Option("data", "folder of the organisations (BO_DATA)", metavar="DIR"),
    Option(
        "database", "address of a PostgreSQL database that holds them; better in BO_DATABASE, which ps does not show",
        metavar="URL",
    ),
)  # fmt: skip
_PASSWORD: Final = Option("password_stdin", "read the password from stdin, its first line", kind="flag")
_FIELDS: Final = READS[0]


def _central(
    words: str,
    summary: str,
    function: str,
    *,
    arguments: tuple[Argument, ...] = (_ORG,),
    options: tuple[Option, ...] = (),
    doc: str = "",
) -> Leaf:
    command = "central." + words.replace(" ", ".").replace("-", "_")
    return _leaf(
        command, summary, f"central:{function}", arguments=arguments, options=(*options, *_PLACE), doc=doc
    )  # fmt: skip


CENTRAL: Final[dict[tuple[str, ...], Leaf]] = {
    ("central", "org", "create"): _central(
        "org create",
        "Make an organisation: a new office, or a copy of one that has no central store yet.",
        "org_create",
        arguments=(Argument("org", "ORG", "2 to 40 lower-case letters, digits and hyphens", required=True),),
        options=(
            Option("from", "folder of the office to copy", metavar="FOLDER"),
            *(option for option in _INIT.options if option.name in ("region", "currency", "zone", "operator", "name")),
        ),
    ),
    ("central", "org", "list"): _central(
        "org list", "List the organisations.", "org_list", arguments=(), options=(_FIELDS,)
    ),
    ("central", "user", "add"): _central(
        "user add",
        "Add an operator who may log in with a password.",
        "user_add",
        arguments=(_ORG, _LOGIN),
        options=(
            Option("role", "a role; bo roles list shows them", kind="many", metavar="ROLE"),
            Option("store", "the operator sees this shop's rows only", metavar="STORE"),
            Option("name", "the operator's name", metavar="NAME"),
            Option("service", "a program: it has no password, bo central user token gives it a token", kind="flag"),
            _PASSWORD,
        ),
    ),
    ("central", "user", "list"): _central(
        "user list", "List the operators, and how each may come in.", "user_list", options=(_FIELDS,)
    ),
    ("central", "user", "disable"): _central(
        "user disable",
        "Switch an operator off, and every token with it.",
        "user_disable",
        arguments=(_ORG, _LOGIN),
        options=WRITES[1:3],
    ),
    ("central", "user", "enable"): _central(
        "user enable",
        "Switch an operator on again; tokens are to be given anew.",
        "user_enable",
        arguments=(_ORG, _LOGIN),
    ),
    ("central", "user", "password"): _central(
        "user password",
        "Set an operator's password; devices of that operator have to log in again.",
        "user_password",
        arguments=(_ORG, _LOGIN),
        options=(_PASSWORD,),
    ),
    ("central", "user", "second-factor"): _central(
        "user second-factor",
        "Switch an operator's second factor on; its secret and the recovery codes are shown this once.",
        "user_second_factor",
        arguments=(_ORG, _LOGIN),
        options=(Option("off", "switch it off", kind="flag"), *WRITES[1:3]),
    ),
    ("central", "user", "token"): _central(
        "user token",
        "Give a program a token; it is shown this once.",
        "user_token",
        arguments=(_ORG, _LOGIN),
        options=(
            Option("name", "what the token is for", metavar="NAME"),
            Option("days", "how long it is good; 90 when not given", metavar="N"),
            Option("drop", "take the token of that name back", kind="flag"),
        ),
    ),
    ("central", "device", "list"): _central(
        "device list", "List the devices, and when each was last in touch.", "device_list", options=(_FIELDS,)
    ),
    ("central", "device", "revoke"): _central(
        "device revoke",
        "Shut a device out; it may leave once what it had not sent, for an administrator to read.",
        "device_revoke",
        arguments=(_ORG, Argument("device", "DEVICE", "id of the device, or its unique end", required=True)),
        options=(Option("reason", "why", metavar="TEXT"), *WRITES[1:3]),
    ),
    ("central", "backup"): _central(
        "backup",
        "Write a verified copy of an organisation; devices then let go of what is in it.",
        "backup_create",
        arguments=(_ORG, Argument("file", "FILE", "where to; backups/ in its folder when not given")),
        options=(
            Option("confirm_seq", "a copy of your own, verified, reaches to this operation; write none", metavar="N"),
        ),
        doc="On PostgreSQL copy with pg_dump, verify the copy by restoring it, then say how far it reaches: "
        "--confirm-seq N. Devices keep what they have sent until it is in a copy.",
    ),
    **hooks.leaves(_ORG, _PLACE),
    ("central", "quarantine", "list"): _central(
        "quarantine list",
        "List what devices sent and central could not take in.",
        "quarantine_list",
        options=(_FIELDS,),
    ),
    ("central", "quarantine", "show"): _central(
        "quarantine show",
        "Show one of these, whole.",
        "quarantine_show",
        arguments=(_ORG, Argument("item", "ID", "its id, or the unique end of it", required=True)),
    ),
}

_SERVE = _leaf(
    "serve",
    "Serve the central stores of all organisations to devices and programs, until TERM or INT.",
    "serve:run",
    options=(
        Option("host", "address to listen at; 127.0.0.1 when not given", metavar="ADDRESS"),
        Option("port", "port to listen at; 8080 when not given, 0 for any that is free", metavar="PORT"),
        *_PLACE,
        Option("workers", "processes, over one PostgreSQL database; 1 when not given", metavar="N"),
        Option("certfile", "certificate chain for https, a PEM file", metavar="FILE"),
        Option("keyfile", "its private key, a PEM file", metavar="FILE"),
        Option("proxy_headers", "believe what a proxy says about who asks (X-Forwarded-For)", kind="flag"),
        Option(
            "forwarded_allow_ips", "the proxies that are believed; this machine when not given", metavar="ADDRESS,…"
        ),
        Option("insecure_http", "serve other machines without TLS: tokens travel in the clear", kind="flag"),
        Option("max_body", "largest body of a request, also unpacked; 4M when not given", metavar="SIZE"),
        Option("metrics_token_file", "file with a token that opens /metrics to other machines", metavar="FILE"),
        Option(
            "log_level", "debug, info, warning or error; info when not given", metavar="LEVEL",
            choices=("debug", "info", "warning", "error"),
        ),
    ),
    doc="The log goes to stderr, one JSON object a line. /health, /ready and /metrics are for whoever watches it.",
)  # fmt: skip

_CONFLICT: Final = Argument(
    "conflict", "ID", "id of the refused operation or its unique end; bo conflicts list shows them", required=True
)
_CONFLICTS: Final = Argument("conflicts", "ID", "ids of refused operations, or - for stdin", many=True, required=True)
_DEVICE_LOGIN: Final = _leaf(
    "login",
    "Make a folder a device of a central store, or log in again in one.",
    "device:login",
    arguments=(Argument("url", "URL", "https://HOST/ORGANISATION; where this folder belongs to when not given"),),
    options=(
        Option("user", "login at the central store; your own login when not given", metavar="LOGIN"),
        Option("password_stdin", "read the password from stdin", kind="flag"),
        Option("otp", "code of the second factor, where it is switched on", metavar="CODE"),
        Option("name", "what the device is called there; the name of this machine when not given", metavar="NAME"),
        Option("token_file", "keep the token in this file (mode 0600) and not in the system's keyring", metavar="FILE"),
        Option("lease_days", "days out of touch after which the device shows nothing; 30 when not given", metavar="N"),
        Option("insecure_http", "allow an address without TLS on another machine", kind="flag"),
        WRITES[2],
        BULK[2],
    ),
    doc="The first sync follows at once. It may be cut off: bo sync goes on where it stopped.",
)
_SYNC: Final = _leaf(
    "sync",
    "Send what was done here to the central store, and take in what happened there.",
    "syncing:run",
    arguments=(Argument("what", "status", "say how this device stands instead", choices=("status",)),),
    options=(
        Option("watch", "go on until it is stopped, and wait for news", kind="flag"),
        Option("every", "with --watch: send at least so often; 10s when not given", metavar="30s"),
        Option("check", "compare every row with the central store's too", kind="flag"),
        *CODED,
        WRITES[2],
        WRITES[3],
        BULK[2],
    ),
    doc="Exits 3 where something was refused (bo conflicts list), 69 where the central store cannot be reached, "
    "75 where another bo sync is at work, 77 where this device is logged out or shut out.",
)

# A path of one to three words -> the command. Words that only open a group have their text in GROUPS.
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
        options=(
            Option("of", "records to begin with, such as orders; else leads, or what one may see", metavar="NOUN"),
            Option(
                "theme",
                "dark, light, colour-blind, ansi or plain; NO_COLOR outweighs it",
                metavar="NAME",
                choices=THEMES,
            ),
            Option("ascii", "draw with plain letters alone", kind="flag"),
            Option("serve", "show it in browsers, and not in this terminal", kind="flag"),
            Option("host", "with --serve: listen at this address; 127.0.0.1 when not given", metavar="ADDRESS"),
            Option("port", "with --serve: listen at this port; 8000 when not given", metavar="PORT"),
            Option("url", "with --serve: the address that browsers open, of a proxy with TLS", metavar="URL"),
        ),
        doc="--serve needs bo-office[browser]. Where operators have passwords (a central store) a page asks for them; "
        "otherwise the printed address lets one browser in, once.",
    ),
    ("batch",): _leaf(
        "batch",
        "Run commands from JSON lines, many in one process.",
        "batch:run",
        arguments=(Argument("file", "FILE", "a file, or - for stdin", required=True),),
        options=(
            Option("chunk", "commands in one transaction; 1 when not given", metavar="N"),
            Option("atomic", "all in one transaction, all or nothing", kind="flag"),
            *CODED,
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
    ("automation", "run"): _leaf(
        "automation.run",
        "Do what rules have still to do, and what those of the clock find now.",
        "automation:run",
        doc="Rules run by themselves after each command. Cron is for those of the clock, and for what was cut off.",
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
    ("serve",): _SERVE,
    ("login",): _DEVICE_LOGIN,
    ("logout",): _leaf(
        "logout",
        "End this device's session with its central store.",
        "device:logout",
        options=(Option("wipe", "remove all data and backups in this folder too", kind="flag"), *WRITES[1:3]),
    ),
    ("sync",): _SYNC,
    ("conflicts", "list"): _leaf("conflicts.list", "List what the central store refused.", "conflicts:list_conflicts"),
    ("conflicts", "show"): _leaf(
        "conflicts.show",
        "Show one refused operation, why, and the row as it is now.",
        "conflicts:show",
        arguments=(_CONFLICT,),
    ),
    ("conflicts", "retry"): _leaf(
        "conflicts.retry",
        "Do refused operations again.",
        "conflicts:retry",
        arguments=(_CONFLICTS,),
        doc="Each is a new operation; what was refused because of another comes after that one.",
    ),
    ("conflicts", "edit"): _leaf(
        "conflicts.edit",
        "Do a refused operation again with other values.",
        "conflicts:edit",
        arguments=(_CONFLICT,),
        options=(Option("set", "another value of a field; blank clears it", kind="many", metavar="FIELD=VALUE"),),
    ),
    ("conflicts", "hand"): _leaf(
        "conflicts.hand",
        "Give refused operations to somebody else to decide about.",
        "conflicts:hand",
        arguments=(_CONFLICTS,),
        options=(
            Option("to", "whose it is from now on; whoever may settle such when not given", metavar="LOGIN"),
            Option("note", "a few words for them", metavar="TEXT"),
        ),
        doc="It is with them after the next sync of both, and among their conflicts. They do it with their own rights.",
    ),
    ("conflicts", "discard"): _leaf(
        "conflicts.discard",
        "Let refused operations go for good.",
        "conflicts:discard",
        arguments=(_CONFLICTS,),
        options=WRITES[1:3],
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
    **CENTRAL,
}
GROUPS: Final = {
    **hooks.GROUP,
    "conflicts": "What the central store refused of this device's work.",
    "op": "The journal: what was done, by whom and when.",
    "automation": "Rules that run commands by themselves; bo automation-rules makes them.",
    "cron": "Jobs that run by the clock.",
    "backup": "Copies of the office.",
    "config": "Settings.",
    "completion": "Completion by TAB.",
    "central": "The central store: organisations, who may log in, their devices.",
    "central org": "Organisations.",
    "central user": "Who may log in, and how.",
    "central device": "Machines that sync with a central store.",
    "central quarantine": "What devices sent and central could not take in.",
}


def first_words() -> dict[str, str]:
    """The first words of hand-written commands, each with its help text, in the order of the table."""
    return {path[0]: GROUPS.get(path[0], leaf.summary) for path, leaf in LEAVES.items()}


def next_words(path: tuple[str, ...]) -> dict[str, str]:
    """What may follow the words that open a group, each with its help text."""
    return {
        found[len(path)]: GROUPS.get(" ".join(found[: len(path) + 1]), leaf.summary)
        for found, leaf in LEAVES.items()
        if found[: len(path)] == path and len(found) > len(path)
    }
