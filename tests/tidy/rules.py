"""The house rules, each a pure function from a module to what is wrong in it.

An exception is written down here, beside its rule and with its reason; there is no comment that switches a rule off.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from tests.tidy.code import Module, called_name, dotted, imported_names, imports_at_load

Rule = Callable[[Module], Iterator[str]]

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
DECORATOR_BUDGET = frozenset(("needs", "moves", "where", "confirm", "version", "step_up"))
NAMELESS = frozenset(("utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"))

# These two alone write to the terminal, so that stdout stays data and stderr stays talk.
# The last one answers the screen from a process of its own.
SPEAKERS = frozenset(
    ("src/bo/cli/output.py", "src/bo/cli/diagnostics.py", "src/bo/demo/stage.py", "src/bo/tui/importing.py")
)
# Importing one of these costs as much as starting Python once or more (docs/dependencies.md has the figures).
# fmt: off
HEAVY = frozenset((
    "alembic", "calamine", "charset_normalizer", "holidays", "httpx", "keyring", "phonenumbers", "plotext",
    "psycopg",
    "python_calamine", "rapidfuzz", "reportlab", "rich", "rustpy_xlsxwriter", "sqlalchemy", "sqlite_utils",
    "textual", "xlsxwriter",
))
# fmt: on
# Folders and files that are themselves imported only where they are needed.
HEAVY_ALLOWED = {
    "src/bo/core/kernel/tables.py": "sqlalchemy",
    "src/bo/core/kernel/migrations/": "sqlalchemy alembic",
    "src/bo/sync/tables.py": "sqlalchemy",
    "src/bo/tui/": "textual rich",
}
POSIX_ONLY = frozenset(("fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "readline", "curses", "syslog"))
# Where a float comes from outside and is turned into a whole number or a decimal at once.
FLOAT_READERS = frozenset[str]()
# A command runs again at another place and time and has to come to the same bytes; a rule has no surroundings at all.
NOT_REPLAYABLE = frozenset(
    (
        "glob",
        "httpx",
        "io",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "socket",
        "subprocess",
        "tempfile",
        "time",
        "uuid",
    )
)
NOT_REPLAYABLE_CALLS = ("now", "utcnow", "today", "getenv", "urandom", "uuid4", "time_ns", "perf_counter")


def has_docstring(module: Module) -> Iterator[str]:
    """A module says what it owns and what it refuses."""
    if module.text.strip() and not ast.get_docstring(module.tree):
        yield f"{module.path}:1: no docstring"


def has_future_annotations(module: Module) -> Iterator[str]:
    """Annotations cost nothing at start, save in records and commands, where they are read at load and must be real."""
    declares = module.name in ("records", "commands") or (module.is_core and module.name.endswith("_commands"))
    read_at_load = declares and (module.is_core or module.path.startswith("tests/"))
    present = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in module.tree.body)
    if read_at_load and present:
        yield f"{module.path}:1: annotations are read at load here: no `from __future__ import annotations`"
    wanted = any(isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AnnAssign)) for node in module.tree.body)
    if wanted and not read_at_load and not present:
        yield f"{module.path}:1: no `from __future__ import annotations`"


def is_short(module: Module) -> Iterator[str]:
    """A file has one subject; a function fits on a screen."""
    lines = module.text.count("\n")
    if lines > FILE_LINES_MAX and "/migrations/versions/" not in module.path:  # SQL, written once by a program
        yield f"{module.path}:{lines}: {lines} lines, at most {FILE_LINES_MAX}: split it"
    for node in module.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield module.at(node, f"{node.name} has {length} lines, at most {FUNCTION_LINES_MAX}")


def has_a_telling_name(module: Module) -> Iterator[str]:
    """A name that fits everything says nothing."""
    for part in module.path.removesuffix(".py").split("/"):
        if NAMELESS & set(part.split("_")):
            yield f"{module.path}:1: {part} does not say what it is about"


def is_silent(module: Module) -> Iterator[str]:
    """Only the two speakers write to the terminal."""
    if not module.is_product or module.path in SPEAKERS:
        return
    for node in module.nodes:
        if isinstance(node, ast.Call) and called_name(node) == "print":
            yield module.at(node, "print: data goes through cli/output.py, talk through cli/diagnostics.py")
        if (
            isinstance(node, ast.Attribute)
            and dotted(node) in ("sys.stdout", "sys.stderr")
            and not _only_asks(node, module)
        ):
            yield module.at(node, f"{dotted(node)}: data goes through cli/output.py, talk through cli/diagnostics.py")


def _only_asks(stream: ast.Attribute, module: Module) -> bool:
    """Whether the stream is only asked whether it is a terminal."""
    harmless = ("isatty", "fileno", "encoding")
    return any(
        isinstance(node, ast.Attribute) and node.value is stream and node.attr in harmless for node in module.nodes
    )


def starts_light(module: Module) -> Iterator[str]:
    """Heavy libraries are imported by the function that uses them."""
    if not module.is_product:
        return
    allowed = " ".join(names for path, names in HEAVY_ALLOWED.items() if module.path.startswith(path)).split()
    for node in imports_at_load(module.tree):
        for name in imported_names(node):
            top = name.partition(".")[0]
            if top in HEAVY and top not in allowed:
                yield module.at(node, f"{top} is heavy: import it in the function that uses it")


def runs_everywhere(module: Module) -> Iterator[str]:
    """Nothing that only POSIX has is imported at load."""
    if not module.is_product:
        return
    for node in imports_at_load(module.tree):
        for name in imported_names(node):
            if name.partition(".")[0] in POSIX_ONLY:
                yield module.at(node, f"{name} does not exist on Windows: import it where it is known to be there")


def counts_money_whole(module: Module) -> Iterator[str]:
    """Money is an integer of minor units; the office makes no float that could become one."""
    if not module.is_core or module.path in FLOAT_READERS:
        return
    for node in module.nodes:
        if isinstance(node, ast.Call) and called_name(node) == "float":
            yield module.at(node, "float(): use whole minor units, or Decimal on the way to them")


def is_replayable(module: Module) -> Iterator[str]:
    """Commands and rules depend on what they are given: no clock, chance, file, network or environment."""
    if not module.is_core or module.name not in ("commands", "rules"):
        return
    for node in module.nodes:
        for name in imported_names(node):
            if name.partition(".")[0] in NOT_REPLAYABLE:
                yield module.at(node, f"imports {name}: a replay would not come to the same bytes")
        if isinstance(node, ast.Call):
            owner, _dot, name = called_name(node).rpartition(".")
            if name == "open" or (owner and name in NOT_REPLAYABLE_CALLS):
                yield module.at(node, f"calls {called_name(node)}: a replay would not come to the same bytes")


def keeps_the_decorator_budget(module: Module) -> Iterator[str]:
    """`@command` says needs, moves, where, confirm and version; what else a command needs stands in its body."""
    if not module.is_core:
        return
    for node in module.nodes:
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and called_name(mark).rpartition(".")[2] == "command":
                beyond = {keyword.arg for keyword in mark.keywords} - DECORATOR_BUDGET
                if beyond or mark.args:
                    yield module.at(node, f"@command of {node.name} goes beyond {sorted(DECORATOR_BUDGET)}")
                if not ast.get_docstring(node):
                    yield module.at(node, f"the command {node.name} has no docstring, which is its help text")


RULES: tuple[Rule, ...] = (
    has_docstring,
    has_future_annotations,
    is_short,
    has_a_telling_name,
    is_silent,
    starts_light,
    runs_everywhere,
    counts_money_whole,
    is_replayable,
    keeps_the_decorator_budget,
)
