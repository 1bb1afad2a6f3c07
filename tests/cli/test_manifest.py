"""The manifest says what the registry says, and every command of it can be reached and carried out."""

from __future__ import annotations

from importlib import import_module

import pytest

from bo.cli import builtin, derive
from bo.cli.manifest import PATH, dashed, manifest, noun_called, offered
from bo.cli.parser import Root
from bo.core.office import registry
from tools.wire_form import wire_form, written


def test_the_manifest_is_the_wire_form_of_the_registry() -> None:
    assert PATH.read_text("utf-8") == written(wire_form(registry())), "run: make docs"


@pytest.mark.parametrize("noun", list(manifest()))
def test_every_verb_of_a_noun_has_its_command_and_help(noun: str) -> None:
    assert noun_called(dashed(noun)) == noun
    for verb, summary in derive.verbs(noun).items():
        leaf = derive.leaf(noun, verb)
        assert leaf is not None
        assert leaf.command in (f"{noun}.{verb.replace('-', '_')}", f"{noun}.{verb.removesuffix(derive.ASIDE)}")
        assert summary
        spelled = [word for option in leaf.options for word in option.spellings]
        assert len(spelled) == len(set(spelled)), (noun, verb)


def test_every_handler_is_there() -> None:
    leaves = [*builtin.LEAVES.values()]
    for noun in manifest():
        leaves += [leaf for verb in derive.verbs(noun) if (leaf := derive.leaf(noun, verb)) is not None]
    for handler in {leaf.handler for leaf in leaves}:
        module, _colon, function = handler.partition(":")
        assert callable(getattr(import_module(module), function)), handler


def test_no_noun_hides_a_command_of_the_office() -> None:
    assert set(derive.nouns()) & set(builtin.first_words()) == set()


def test_every_help_page_can_be_made() -> None:
    root = Root(lambda _leaf, _asked: None)
    context = root.make_context("bo", [], resilient_parsing=True)
    for word in root.list_commands(context):
        command = root.get_command(context, word)
        assert command is not None
        inner = command.make_context(word, [], parent=context, resilient_parsing=True)
        assert command.get_help(inner).startswith("Usage: bo ")


def test_a_command_takes_the_name_of_a_standard_verb_which_stays_within_reach() -> None:
    step, file = derive.leaf("settlements", "export"), derive.leaf("settlements", "export-file")

    assert step is not None
    assert file is not None
    assert (step.handler, file.handler) == ("bo.cli.payouts:export", "bo.cli.exchange:export_file")
    assert derive.leaf("leads", "export-file") is None


def test_a_command_is_offered_in_its_states_alone() -> None:
    assert "accept" in offered("leads", "pending_review")
    assert "accept" not in offered("leads", "won")
    assert "report" not in offered("leads", "pending_review")
