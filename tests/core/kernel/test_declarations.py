"""Mistakes in records and commands are refused when they load, with words that say where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import pytest

from bo.core.kernel.command import Registry, command, query
from bo.core.kernel.errors import UsageError
from bo.core.kernel.kinds import ChoiceKind, Field, Tags, Text
from bo.core.kernel.reader import Reader
from bo.core.kernel.record import Move, Record, State, States, declared_records, record
from bo.core.kernel.tx import Tx
from tests.core.kernel.making import module_of, registry
from tests.core.kernel.office.records import CLOSED, GIVEN, NEW, Shop, Ticket

LOST = State("lost")


class Plain(Record, kw_only=True):
    """A record without faults, declared in faulty ways below."""

    name: Annotated[Text, Field(unique=True)] = ""
    state: Annotated[str, ChoiceKind("new")] = "new"


class Kindless(Record, kw_only=True):
    """A field that says nothing about itself."""

    name: str = ""


class TwoKinds(Record, kw_only=True):
    """A field of which nobody can tell what it is."""

    name: Annotated[str, Field()] | int | None = None


class Stateless(Record, kw_only=True):
    """Nothing that a state could be kept in."""

    name: Text = ""


def declare(cls: type[Record], noun: str = "plains", prefix: str = "plain", **more: object) -> None:
    registry()
    try:
        record(noun, prefix=prefix, **more)(cls)  # type: ignore[arg-type]
    finally:
        assert noun in {"shops"} or noun not in declared_records()


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        ("Kindless.name has no kind", lambda: declare(Kindless)),
        ("TwoKinds.name has no kind", lambda: declare(TwoKinds)),
        ("two records are called shops", lambda: declare(Stateless, "shops")),
        ("the prefix ticket of plains is taken", lambda: declare(Stateless, prefix="ticket")),
        ("plains has no field number", lambda: declare(Stateless, key=("number",))),
        ("plains has no field colour", lambda: declare(Stateless, columns=("name", "colour"))),
        ("a unique field must be a lookup field", lambda: declare(Plain)),
        ("declares states that its field", lambda: declare(Stateless, states=(NEW,))),
    ],
)
def test_a_faulty_record_is_refused_and_not_declared(words: str, mistake: Callable[[], None]) -> None:
    with pytest.raises(TypeError, match=words):
        mistake()


def test_a_state_that_its_field_does_not_take_is_refused() -> None:
    class Odd(Record, kw_only=True):
        """A record with fewer states than it declares."""

        state: Annotated[str, ChoiceKind("new")] = "new"

    with pytest.raises(TypeError, match="declares states that its field"):
        declare(Odd, states=(NEW, LOST))


def test_states_make_moves() -> None:
    assert Move((NEW,), GIVEN) == NEW >> GIVEN
    assert Move((NEW, GIVEN), CLOSED) == (NEW | GIVEN | NEW) >> CLOSED
    assert (NEW | (GIVEN | CLOSED)).names == (NEW, GIVEN, CLOSED)
    assert isinstance(NEW | GIVEN, States)
    assert (NEW | GIVEN).target is None


# -- commands ----------------------------------------------------------------------------------------------------------


def untold(tx: Tx, ticket: Ticket) -> None: ...


def plain(tx: Tx, ticket: Ticket) -> None:
    """Do it."""


def unkinded(tx: Tx, ticket: Ticket, *, how: str = "") -> None:
    """Do it somehow."""


def nameless(tx: Tx, *, note: Text = "") -> None:
    """Do it to nothing in particular."""


def from_elsewhere(ticket: Ticket) -> None:
    """Do it without anything to do it with."""


def sticky(tx: Tx, ticket: Ticket, *, tags: Tags = ["a"]) -> None:  # type: ignore[assignment] # noqa: B006
    """Do it with a default that can be changed."""


def shop_state(tx: Tx, shop: Shop) -> None:
    """Move what has no states."""


@pytest.mark.parametrize(
    ("function", "marks", "words"),
    [
        (untold, {}, "untold: a command's docstring is its help text, and it has none"),
        (plain, {"needs": "tickets"}, "needs='tickets' is not a permission like leads.assign"),
        (plain, {"moves": NEW >> LOST}, r"moves between states that tickets does not have: \['lost'\]"),
        (plain, {"moves": LOST | NEW}, r"moves between states that tickets does not have: \['lost'\]"),
        (shop_state, {"moves": NEW >> GIVEN}, "moves between states that shops does not have"),
        (plain, {"where": "nowhere"}, "where, confirm or version is not known"),
        (plain, {"confirm": "perhaps"}, "where, confirm or version is not known"),
        (plain, {"version": 0}, "where, confirm or version is not known"),
        (unkinded, {}, "the parameter how has no kind"),
        (nameless, {}, "no noun: give it a subject, a returned record, or its module a NOUN"),
        (from_elsewhere, {}, "the first parameter must be `tx`"),
        (sticky, {}, "the default of tags can be changed by accident"),
    ],
)
def test_a_faulty_command_is_refused_at_load(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., object], marks: dict[str, object], words: str
) -> None:
    command(**{"needs": "tickets.do", **marks})(function)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match=words):
        module_of(monkeypatch, function).load_all()


def make(verb: str, noun: str = "") -> Callable[..., object]:
    def function(tx: Tx, *, note: Text = "") -> None:
        """Do it."""

    function.__name__ = verb
    return command(needs="things.do")(function)


def test_two_commands_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match=r"two commands are called things\.do"):
        module_of(monkeypatch, make("do"), make("do_"), noun="things").load_all()


def test_a_command_takes_its_noun_from_the_module_where_nothing_else_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = module_of(monkeypatch, make("do_"), noun="things").load_all().command("things.do")

    assert (found.noun, found.verb, found.summary, found.where, found.version) == (
        "things",
        "do",
        "Do it.",
        "anywhere",
        1,
    )


def test_a_query_needs_a_noun_and_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(read: Reader) -> int:
        """How many there are."""
        return 0

    query(needs="things.read")(count)
    with pytest.raises(TypeError, match="a query needs a noun"):
        module_of(monkeypatch, count).load_all()
    found = module_of(monkeypatch, count, noun="things").load_all()
    assert found.query("things.count").summary == "How many there are."
    with pytest.raises(UsageError, match="there is no query"):
        found.query("things.sum")


def test_a_command_knows_its_subject_its_parameters_and_its_states() -> None:
    found = registry().command("tickets.give")

    assert found.subject is not None
    assert (found.subject.name, found.subject.record) == ("ticket", Ticket)
    assert [(item.name, item.record, item.required, item.label) for item in found.params] == [
        ("shop", Shop, True, "shop"),
        ("note", None, False, "note"),
    ]
    assert (found.needs, found.moves, found.summary) == (
        "tickets.give",
        NEW >> GIVEN,
        "Give a ticket to a shop, which takes three at most.",
    )
    assert found.param("note") is not None
    assert found.param("nothing") is None


def test_a_generated_command_reads_like_a_written_one() -> None:
    added, edited = registry().command("gauges.add"), registry().command("gauges.edit")

    assert [item.name for item in added.params if item.required] == ["label"]
    assert (added.returns.__name__ if added.returns else "", added.summary) == ("Gauge", "Add a gauge.")
    assert not [item.name for item in edited.params if item.required]
    assert edited.subject is not None
    assert {"id", "revision", "scope", "state"}.isdisjoint(item.name for item in edited.params)


def test_a_registry_finds_by_name_and_says_what_it_has_not() -> None:
    found = registry()

    assert {item.noun for item in found.commands_of("shops")} == {"shops"}
    assert found.record("shops") is Shop
    for ask in (lambda: found.command("shops.burn"), lambda: found.record("ships"), lambda: found.query("shops.sum")):
        with pytest.raises(UsageError):
            ask()


def test_one_noun_loads_one_module(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module_of(monkeypatch, make("do"), noun="things")
    lazy = Registry((*made.modules, "no.such.module"), {"things": "made_up"})

    assert lazy.command("things.do").noun == "things"
    assert lazy._loaded == {"made_up"}


def test_a_verb_of_a_noun_may_be_another_module_s_and_loads_it_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = module_of(monkeypatch, make("do"), noun="things")
    lazy = Registry(("bo.core.kernel", *made.modules), {"things": "bo.core.kernel"}, {"things.do": "made_up"})

    with pytest.raises(UsageError):
        lazy.command("things.undo")
    assert lazy._loaded == {"bo.core.kernel"}
    assert lazy.command("things.do").noun == "things"
    assert [item.verb for item in lazy.commands_of("things")] == ["do"]
