"""Typer's groups and commands, made for the words on the line alone: `bo leads list` makes one group and one command.

Typer parses, shows help and finds near misses. It is given plain strings: what a value means is decided once, by its
kind, in dispatch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from bo.cli import builtin, derive
from bo.cli.asked import Asked
from bo.cli.leaf import EVERYWHERE, Leaf, Option
from bo.cli.manifest import manifest, noun_called
from bo.core.kernel.errors import UsageError
from bo.core.kernel.text import _

if TYPE_CHECKING:
    from collections.abc import Callable

    # Typer carries its own Click, whose types have no public name.
    from typer._click.core import Command, Context, Parameter
    from typer._click.formatting import HelpFormatter

PROGRAM: Final = "bo"
FILTER_WORD: Final = re.compile(r"-[^\s\-:<>=~!\"'][^\s:<>=~!\"']*(?:[:<>=~：＞＜＝]|!=)")
SETTINGS: Final = {"help_option_names": ["--help", "-h"], "max_content_width": 110}


class Root(TyperGroup):
    """`bo`: nouns, then what is written by hand."""

    def __init__(self, run: Callable[[Leaf, Asked], None]) -> None:
        super().__init__(
            name=PROGRAM,
            rich_markup_mode=None,
            context_settings=dict(SETTINGS),
            params=_options((*EVERYWHERE, _VERSION)),
            callback=_nothing,
            invoke_without_command=True,
            help=_("The back office: leads, rewards and settlements, with a record of who did what."),
            epilog=_("bo help TOPIC explains: exit-codes, filter, output. A bare `bo` on a terminal opens the screen."),
        )
        self.run = run

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        found = builtin.LEAVES.get((cmd_name,))
        if found is not None:
            return leaf_command(cmd_name, found, self.run)
        if cmd_name in builtin.GROUPS:
            return _written_group((cmd_name,), self.run)
        noun = noun_called(cmd_name)
        if noun is not None:
            return Group(
                cmd_name,
                manifest()[noun]["summary"],
                derive.verbs(noun),
                lambda word: derive.leaf(noun, word),
                self.run,
            )
        return None

    def list_commands(self, ctx: Context) -> list[str]:
        return [*derive.nouns(), *builtin.first_words()]

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        _write_words(formatter, _("Records"), derive.nouns())
        _write_words(formatter, _("The office"), builtin.first_words())

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        return _resolved(self, ctx, args)


class Group(TyperGroup):
    """The verbs of one noun, or of one hand-written group; each command is made when it is asked for. A word may also
    open a group within."""

    def __init__(
        self,
        name: str,
        summary: str,
        words: dict[str, str],
        find: Callable[[str], Leaf | Group | None],
        run: Callable[[Leaf, Asked], None],
    ) -> None:
        super().__init__(
            name=name,
            rich_markup_mode=None,
            context_settings=dict(SETTINGS),
            help=_(summary),
            params=[],
            no_args_is_help=False,
        )
        self.words = words
        self.find = find
        self.run = run

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        found = self.find(cmd_name)
        return leaf_command(cmd_name, found, self.run) if isinstance(found, Leaf) else found

    def list_commands(self, ctx: Context) -> list[str]:
        return list(self.words)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        _write_words(formatter, _("Commands"), self.words)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        return _resolved(self, ctx, args)


def _written_group(path: tuple[str, ...], run: Callable[[Leaf, Asked], None]) -> Group:
    """The group that these words open."""

    def find(word: str) -> Leaf | Group | None:
        inner = (*path, word)
        return _written_group(inner, run) if " ".join(inner) in builtin.GROUPS else builtin.LEAVES.get(inner)

    return Group(path[-1], builtin.GROUPS[" ".join(path)], builtin.next_words(path), find, run)


class FilterCommand(TyperCommand):
    """A command whose words may be a filter: `-tag:test` there is a condition and not an option."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        options = {
            word: option.is_flag for option in self.params if isinstance(option, TyperOption) for word in option.opts
        }
        kept: list[str] = []
        words: list[str] = []
        takes_next = False
        for place, word in enumerate(args):
            if word == "--" and not takes_next:
                return super().parse_args(ctx, [*kept, "--", *words, *args[place + 1 :]])
            if not takes_next and FILTER_WORD.match(word):
                words.append(word)
                continue
            takes_next = not takes_next and options.get(word) is False
            kept.append(word)
        return super().parse_args(ctx, [*kept, "--", *words])


def leaf_command(name: str, leaf: Leaf, run: Callable[[Leaf, Asked], None]) -> TyperCommand:
    """The Typer command of a leaf. Values given before the command's name count where it has none of its own."""

    def callback(**values: object) -> None:
        run(leaf, Asked(leaf.command, values, leaf.params))

    made = FilterCommand if leaf.takes_filter else TyperCommand
    settings = dict(SETTINGS)
    if leaf.passes_on:
        settings["ignore_unknown_options"] = False
    command = made(
        name,
        rich_markup_mode=None,
        callback=callback,
        help="\n\n".join(part for part in (_(leaf.summary), _kept_lines(leaf.doc)) if part),
        params=[*_arguments(leaf), *_options(leaf.options)],
        context_settings=settings,
    )
    return command


def _kept_lines(doc: str) -> str:
    """Paragraphs for a help page; the lines of one that has a list stay as they are."""
    parts = _(doc).split("\n\n")
    return "\n\n".join(f"\b\n{part}" if "\n    " in part else part for part in parts)


_VERSION: Final = Option("version", "show the version", kind="flag")


def _arguments(leaf: Leaf) -> list[Parameter]:
    return [
        TyperArgument(
            param_decls=[argument.name],
            metavar=argument.metavar,
            nargs=-1 if argument.many else 1,
            required=argument.required,
            help=_(argument.help),
            show_default=False,
        )
        for argument in leaf.arguments
    ]


def _options(options: tuple[Option, ...]) -> list[Parameter]:
    return [_option(option) for option in options]


def _option(option: Option) -> TyperOption:
    words = [option.name, *([option.short] if option.short else []), option.words]
    if option.kind == "switch":
        words[-1] = f"{option.words}/--no-{option.words[2:]}"
    is_flag = not option.takes_value
    return TyperOption(
        param_decls=words,
        is_flag=is_flag or None,
        multiple=option.kind == "many",
        metavar=None if is_flag else option.metavar,
        type=None if is_flag else str,
        default=None,
        help=_(option.help),
        show_default=False,
    )


def _write_words(formatter: HelpFormatter, title: str, words: dict[str, str]) -> None:
    with formatter.section(title):
        formatter.write_dl([(word, _(text)) for word, text in words.items()])


def _resolved(group: Root | Group, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
    """The command of the next word. Raises UsageError that names what is near."""
    found = group.get_command(ctx, args[0])
    if found is not None:
        return args[0], found, args[1:]
    known = group.list_commands(ctx)
    from difflib import get_close_matches

    near = get_close_matches(args[0].lower(), known, n=3)
    path = ctx.command_path
    if near:
        raise UsageError(
            "there is no command {path} {word}", hint="Near it: {near}.", path=path, word=args[0], near=", ".join(near)
        )
    raise UsageError("there is no command {path} {word}", hint="{path} --help lists them.", path=path, word=args[0])


def _nothing(**_values: object) -> None:
    """The options of `bo` itself are read when a command runs."""
