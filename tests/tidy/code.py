"""The project's own code, parsed once, for the rules in `rules.py`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

PROJECT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "tools")


@dataclass(frozen=True)
class Module:
    """One Python file. `path` is relative to the project, with forward slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2].removesuffix(".py")

    @property
    def is_product(self) -> bool:
        return self.path.startswith("src/")

    @property
    def is_core(self) -> bool:
        return self.path.startswith("src/bo/core/")

    def at(self, node: ast.AST, words: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {words}"


@cache
def modules() -> tuple[Module, ...]:
    """Every Python file of the project, in order of path."""
    return tuple(Module(path.relative_to(PROJECT).as_posix(), path.read_text("utf-8")) for path in sorted(_files()))


def _files() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from (PROJECT / folder).rglob("*.py")


def called_name(call: ast.Call) -> str:
    """The dotted name that a call is written with: `datetime.now`, `print`; empty where it is not a plain name."""
    return dotted(call.func)


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def imported_names(node: ast.AST) -> list[str]:
    """The modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []


def imports_at_load(tree: ast.Module) -> Iterator[ast.stmt]:
    """Import statements that run when the module is imported: not those in functions or under TYPE_CHECKING."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If):
            waiting += node.orelse if dotted(node.test).endswith("TYPE_CHECKING") else node.body + node.orelse
        elif isinstance(node, ast.Try):
            waiting += node.body + node.orelse + node.finalbody + [line for part in node.handlers for line in part.body]
        elif isinstance(node, (ast.With, ast.ClassDef)):
            waiting += node.body
