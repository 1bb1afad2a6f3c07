"""Commands and queries: typed functions, and the registry that derives everything else from them and refuses mistakes
when it loads.

    @command(needs="leads.assign", moves=VALID >> ASSIGNED)
    def assign(tx: Tx, lead: Lead, store: Store, *, note: Text = "") -> None:

The decorators return the function unchanged; what is derived is kept beside it. A command's name is its noun and its
function's name: the noun of its
subject's record, else of the record it returns, else the module's `NOUN`.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from bo.core.kernel.errors import TooNew, UsageError
from bo.core.kernel.kinds import Context, Field, Kind, RefKind
from bo.core.kernel.record import Move, Record, States, declared_records, info_of, read_annotation

F = TypeVar("F", bound=Callable[..., object])
PLACES: Final = ("anywhere", "central")
CONFIRMATIONS: Final = ("", "many", "always")


class Param(msgspec.Struct, frozen=True, eq=False):
    """One parameter. `record` is set where the function receives a loaded record, `kind` says how its value is read."""

    name: str
    kind: Kind
    required: bool
    default: object
    optional: bool
    meta: Field
    record: type[Record] | None = None

    @property
    def label(self) -> str:
        return self.meta.label or self.name.replace("_", " ")


Plan = tuple[tuple[str, Callable[[object, Context], object], bool, bool], ...]  # name, decode, optional, required


class Command(msgspec.Struct, frozen=True, eq=False):
    """A change, as the registry knows it. `subject` is the record it is done to, if any."""

    name: str
    noun: str
    verb: str
    function: Callable[..., object]
    needs: str
    moves: Move | States | None
    where: str
    confirm: str
    version: int
    subject: Param | None
    params: tuple[Param, ...]
    returns: type[Record] | None
    summary: str
    doc: str
    references: tuple[tuple[Param, str], ...]  # the parameters that name records, each with the noun of those
    step_up: bool
    plans: dict[tuple[str, ...], Plan] = {}

    def param(self, name: str) -> Param | None:
        return next((param for param in self.params if param.name == name), None)


class Query(msgspec.Struct, frozen=True, eq=False):
    """A read. It receives a `Reader` and returns typed rows."""

    name: str
    noun: str
    verb: str
    function: Callable[..., object]
    needs: str
    subject: Param | None
    params: tuple[Param, ...]
    summary: str
    doc: str
    plans: dict[tuple[str, ...], Plan] = {}


class _Mark(msgspec.Struct, frozen=True):
    needs: str
    moves: Move | States | None
    where: str
    confirm: str
    version: int
    step_up: bool = False
    query: bool = False
    noun: str = ""


_MARKS: dict[Callable[..., object], _Mark] = {}


def command(
    *,
    needs: str,
    moves: Move | States | None = None,
    where: str = "anywhere",
    confirm: str = "",
    version: int = 1,
    step_up: bool = False,
) -> Callable[[F], F]:
    """Mark a function as a command.

    `needs` is the permission; `moves` the states it is offered in and the one it leads to; `where` is `central` for
    what only the central store
    may decide; `confirm` is `many` (ask when several records are meant) or `always`; `step_up` asks whoever has a
    second factor for a fresh code of it, where the word is final.
    """

    def mark(function: F) -> F:
        _MARKS[function] = _Mark(needs, moves, where, confirm, version, step_up)
        return function

    return mark


def query(*, needs: str, noun: str = "") -> Callable[[F], F]:
    """Mark a function as a query; `noun` where it is another than its module's."""

    def mark(function: F) -> F:
        _MARKS[function] = _Mark(needs, None, "anywhere", "", 1, query=True, noun=noun)
        return function

    return mark


Upcaster = Callable[[Mapping[str, object]], Mapping[str, object]]
_UPCASTERS: dict[tuple[str, int], Upcaster] = {}


def upcasts(name: str, version: int) -> Callable[[Upcaster], Upcaster]:
    """Mark a function that turns the arguments of an older version of a command into those of the next one."""

    def mark(function: Upcaster) -> Upcaster:
        _UPCASTERS[name, version] = function
        return function

    return mark


def as_of_today(command: Command, version: int, args: Mapping[str, object]) -> Mapping[str, object]:
    """Arguments that an older version of a command was called with, as today's takes them. Raises TooNew."""
    if version > command.version:
        raise TooNew(
            "{command} {version} is newer than this bo, which has {known}",
            hint="Install the newer bo here; until then it waits.",
            command=command.name,
            version=version,
            known=command.version,
        )
    while version < command.version:
        step = _UPCASTERS.get((command.name, version))
        args = step(args) if step is not None else args
        version += 1
    return args


class Registry(msgspec.Struct, eq=False):
    """Commands and queries by name. Modules are loaded when one of their nouns is asked for; `load_all` loads every
    one."""

    modules: tuple[str, ...]
    nouns: Mapping[str, str] = {}  # noun -> module, so that one noun loads one module
    verbs: Mapping[str, str] = {}  # command or query of a lower module's noun -> the module above it that has it
    commands: dict[str, Command] = {}
    queries: dict[str, Query] = {}
    _loaded: set[str] = set()

    def load_all(self) -> Registry:
        for module in self.modules:
            self.load(module)
        return self

    def load(self, module: str) -> None:
        if module in self._loaded:
            return
        self._loaded.add(module)
        for part in ("records", "commands", "queries"):
            found = _import_part(f"{module}.{part}")
            if found is not None:
                self._take(vars(found).values(), getattr(found, "NOUN", ""), f"{module}.{part}")

    def command(self, name: str) -> Command:
        """The command of that name. Raises UsageError where there is none."""
        found = self.commands.get(name)
        if found is None and name in self.verbs:
            self.load(self.verbs[name])
        elif found is None:
            self._load_for(name.partition(".")[0])
        found = found or self.commands.get(name)
        if found is None:
            raise UsageError("there is no command {name}", hint="bo help lists the commands.", name=name)
        return found

    def query(self, name: str) -> Query:
        found = self.queries.get(name)
        if found is None and name in self.verbs:
            self.load(self.verbs[name])
        elif found is None:
            self._load_for(name.partition(".")[0])
        found = found or self.queries.get(name)
        if found is None:
            raise UsageError("there is no query {name}", name=name)
        return found

    def record(self, noun: str) -> type[Record]:
        """The record class of a noun. Raises UsageError where there is none."""
        if noun not in declared_records():
            module = self.nouns.get(noun)
            if module is not None:
                _import_part(f"{module}.records")
            else:
                self.load_all()
        found = declared_records().get(noun)
        if found is None:
            raise UsageError("there are no records called {noun}", hint="bo help lists them.", noun=noun)
        return found.cls

    def commands_of(self, noun: str) -> list[Command]:
        self._load_for(noun)
        for name, module in self.verbs.items():
            if name.partition(".")[0] == noun:
                self.load(module)
        return [item for item in self.commands.values() if item.noun == noun]

    def _load_for(self, noun: str) -> None:
        module = self.nouns.get(noun)
        if module is None:
            self.load_all()
        else:
            self.load(module)

    def _take(self, values: Iterable[object], noun: str, module: str) -> None:
        for value in list(values):
            mark = _MARKS.get(value) if callable(value) and getattr(value, "__hash__", None) else None
            if mark is None or not callable(value) or not _is_of(value, module):
                continue
            if mark.query:
                self._add_query(value, mark, mark.noun or noun)
            else:
                self._add_command(value, mark, noun)

    def _add_command(self, function: Callable[..., object], mark: _Mark, noun: str) -> None:
        subject, params, returns = _signature(function)
        owner = (
            info_of(subject.record).noun if subject and subject.record else info_of(returns).noun if returns else noun
        )
        verb = function.__name__.rstrip("_")
        summary = _summary(function)
        made = Command(
            f"{owner}.{verb}", owner, verb, function, mark.needs, mark.moves, mark.where, mark.confirm, mark.version,
            subject, params, returns, summary, inspect.getdoc(function) or "",
            tuple((param, param.kind.record) for param in params if isinstance(param.kind, RefKind)), mark.step_up,
        )  # fmt: skip
        _refuse_mistakes(made, self.commands)
        self.commands[made.name] = made

    def _add_query(self, function: Callable[..., object], mark: _Mark, noun: str) -> None:
        subject, params, _returns = _signature(function)
        owner = noun or (info_of(subject.record).noun if subject and subject.record else "")
        verb = function.__name__.rstrip("_")
        made = Query(
            f"{owner}.{verb}",
            owner,
            verb,
            function,
            mark.needs,
            subject,
            params,
            _summary(function),
            inspect.getdoc(function) or "",
        )
        if not owner or made.name in self.queries or made.name in self.commands:
            raise TypeError(f"{function.__module__}.{function.__name__}: a query needs a noun and a name of its own")
        self.queries[made.name] = made


def _is_of(value: object, part: str) -> bool:
    """Whether a function stands in a part of a module, or in a file beside it that the part imports it from."""
    return str(getattr(value, "__module__", part)).rpartition(".")[0] == part.rpartition(".")[0]


def _import_part(name: str) -> object | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            return None
        raise


def _summary(function: Callable[..., object]) -> str:
    """The first paragraph of the docstring, as one line: the help text."""
    return " ".join((inspect.getdoc(function) or "").split("\n\n", 1)[0].split())


def _signature(function: Callable[..., object]) -> tuple[Param | None, tuple[Param, ...], type[Record] | None]:
    hints = get_type_hints(function, include_extras=True)
    names = list(inspect.signature(function).parameters.values())
    where = f"{function.__module__}.{function.__name__}"
    if not names or names[0].name not in ("tx", "read"):
        raise TypeError(f"{where}: the first parameter must be `tx` (a command) or `read` (a query)")
    params = [_param(item, hints.get(item.name), where) for item in names[1:]]
    subject = None
    if (
        params
        and params[0].record is not None
        and names[1].kind is not inspect.Parameter.KEYWORD_ONLY
        and params[0].required
    ):
        subject = params.pop(0)
    returned = hints.get("return")
    returns = returned if isinstance(returned, type) and issubclass(returned, Record) else None
    return subject, tuple(params), returns


def _param(item: inspect.Parameter, hint: object, where: str) -> Param:
    required = item.default is inspect.Parameter.empty
    default = None if required else item.default
    if isinstance(default, (list, dict, set)) and default:
        raise TypeError(f"{where}: the default of {item.name} can be changed by accident")
    record = _record_class(hint)
    if record is not None:
        return Param(item.name, RefKind(info_of(record).noun), required, default, not required, Field(), record)
    kind, meta, optional = read_annotation(hint)
    if kind is None:
        raise TypeError(f"{where}: the parameter {item.name} has no kind")
    return Param(item.name, kind, required, default, optional, meta)


def _record_class(hint: object) -> type[Record] | None:
    candidates = get_args(hint) if get_origin(hint) is not None else (hint,)
    found = [part for part in candidates if isinstance(part, type) and issubclass(part, Record)]
    return found[0] if found else None


def _refuse_mistakes(made: Command, others: Mapping[str, Command]) -> None:
    where = f"{made.function.__module__}.{made.function.__name__}"
    if not made.noun:
        raise TypeError(f"{where}: no noun: give it a subject, a returned record, or its module a NOUN")
    if made.name in others and others[made.name].function is not made.function:
        raise TypeError(f"two commands are called {made.name}")
    if not made.summary:
        raise TypeError(f"{where}: a command's docstring is its help text, and it has none")
    if "." not in made.needs and made.needs != "anyone":
        raise TypeError(f"{where}: needs={made.needs!r} is not a permission like leads.assign")
    if made.where not in PLACES or made.confirm not in CONFIRMATIONS or made.version < 1:
        raise TypeError(f"{where}: where, confirm or version is not known")
    if made.step_up and made.where != "central":
        raise TypeError(f"{where}: a device knows no second factor: step_up goes with where='central'")
    if made.moves is not None:
        _refuse_wrong_moves(made, where)


def _refuse_wrong_moves(made: Command, where: str) -> None:
    record = made.subject.record if made.subject else None
    states = info_of(record).states if record else ()
    if made.moves is None:
        return
    wanted = set(made.moves.sources) | ({made.moves.target} if made.moves.target else set())
    if not wanted <= set(states):
        raise TypeError(f"{where}: moves between states that {made.noun} does not have: {sorted(wanted - set(states))}")
