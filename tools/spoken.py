"""The texts that the source says to people, read off the syntax tree without running anything.

A text is said where it is the first argument of `_` or of an error's class, an error's `hint=`, the title of a column
or the help of an option. A function that passes a parameter of its own on to such a place is such a place too. What is
said from a variable is followed through constants, local names, `x if y else z`, tables and loops over literals.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Place: TypeAlias = tuple[int | None, str]  # where an argument stands in a call: its position, its keyword

# Calls whose arguments are shown, beside `_` and errors: help of the command line, settings, steps of a computation.
SHOWN: Final[dict[str, tuple[Place, ...]]] = {
    "_": ((0, ""),),
    "Option": ((1, "help_text"),),
    "Argument": ((2, "help_text"),),
    "Leaf": ((1, "summary"), (None, "doc")),
    "_leaf": ((1, "summary"), (None, "doc")),
    "Setting": ((3, "help_text"),),
    "Step": ((0, "words"),),
}
ERROR: Final[tuple[Place, ...]] = ((0, ""), (None, "hint"))
TABLES: Final = ("GROUPS", "STANDARD")  # dictionaries of help texts, each said by its face


class Module:
    """One file: its tree, the parents of its nodes, and its constants."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.tree = ast.parse(path.read_text("utf-8"))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.constants: dict[str, ast.expr] = {}
        for node in self.tree.body:
            self.constants.update(_assigned(node))
        self.calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    def function_around(self, node: ast.AST) -> Function | None:
        """The function that a node stands in."""
        found = self.parents.get(node)
        while found is not None and not isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found = self.parents.get(found)
        return found


class Source:
    """All files under a folder, and what they say."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(folder.rglob("*.py"))
        self.modules = [Module(path, path.relative_to(folder.parent).as_posix()) for path in paths]
        self.constants: dict[str, ast.expr] = {}
        for module in self.modules:
            self.constants.update(module.constants)
        self.shown = {("", name): set(places) for name, places in SHOWN.items()}
        for name in _errors(self.modules):
            self.shown["", name] = set(ERROR)
        while self._pass_on():
            pass

    def texts(self) -> Iterator[str]:
        """Every text that is said; some more than once."""
        for module, _call, expression in self._said():
            yield from self._resolved(module, expression)
        for module in self.modules:
            for name in TABLES:
                if name in module.constants and "/cli/" in module.name:
                    yield from self._resolved(module, module.constants[name])
            yield from _columns(module)

    def unread(self) -> Iterator[str]:
        """Places that say what could not be followed, for people to look at."""
        for module, call, expression in self._said():
            if not list(self._resolved(module, expression)) and self._parameter(module, expression) is None:
                yield f"{module.name}:{call.lineno}: {ast.unparse(expression)[:100]}"

    def _said(self) -> Iterator[tuple[Module, ast.Call, ast.expr]]:
        for module in self.modules:
            for call in module.calls:
                for position, keyword in self._places(module, call):
                    if position is not None and position < len(call.args):
                        yield module, call, call.args[position]
                    yield from ((module, call, item.value) for item in call.keywords if keyword and item.arg == keyword)

    def _places(self, module: Module, call: ast.Call) -> set[Place]:
        """Which arguments of a call are said. A private function counts in its own file only."""
        name = _name(call.func)
        return self.shown.get((module.name, name), set()) | self.shown.get(("", name), set())

    def _pass_on(self) -> bool:
        """Add the functions that pass a parameter on to a place where it is said; whether there was one."""
        count = sum(map(len, self.shown.values()))
        for module, _call, expression in list(self._said()):
            found = self._parameter(module, expression)
            if found is not None:
                function, place = found
                owner = module.name if function.name.startswith("_") else ""
                self.shown.setdefault((owner, function.name), set()).add(place)
        return sum(map(len, self.shown.values())) > count

    def _parameter(self, module: Module, expression: ast.expr) -> tuple[Function, Place] | None:
        """The function and the place in its calls, where an expression is a parameter of the function around it."""
        function = module.function_around(expression)
        if not isinstance(expression, ast.Name) or function is None or function.name.startswith("__"):
            return None
        names = [item.arg for item in (*function.args.posonlyargs, *function.args.args)]
        if expression.id in names:
            shift = 1 if names[:1] in (["self"], ["cls"]) else 0
            return function, (names.index(expression.id) - shift, expression.id)
        if expression.id in (item.arg for item in function.args.kwonlyargs):
            return function, (None, expression.id)
        return None

    def _resolved(self, module: Module, node: ast.expr | None, depth: int = 0) -> Iterator[str]:
        """The texts that an expression may stand for."""
        if node is None or depth > 8:
            return

        def follow(inner: ast.expr | None) -> Iterator[str]:
            return self._resolved(module, inner, depth + 1)

        match node:
            case ast.Constant(value=str() as text):
                yield text
            case ast.IfExp(body=first, orelse=second):
                yield from (*follow(first), *follow(second))
            case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
                for part in parts:
                    yield from follow(part)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                yield from (one + two for one in follow(left) for two in follow(right))
            case ast.Subscript(value=ast.Name() as table):
                yield from follow(table)
            case ast.Call(func=ast.Attribute(value=ast.Name() as table, attr="get"), args=args):
                yield from (*follow(table), *(text for arg in args[1:] for text in follow(arg)))
            case ast.Name(id=name):
                for value in self._values(module, node, name):
                    yield from follow(value)
            case _:
                return

    def _values(self, module: Module, node: ast.expr, name: str) -> Iterator[ast.expr]:
        """What a name may hold: what is assigned to it in its function or looped over there, else the constant."""
        around: ast.AST | None = module.function_around(node)
        local = list(_bindings(around, name)) if around is not None else []
        if local:
            yield from local
        elif name in module.constants:
            yield module.constants[name]
        elif name in self.constants:
            yield self.constants[name]


def _bindings(function: ast.AST, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            found = _assigned(node).get(name)
            if found is not None:
                yield found
        elif isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.target, ast.Name):
            if node.target.id == name:
                yield node.iter
        elif isinstance(node, ast.NamedExpr) and node.target.id == name:
            yield node.value


def _assigned(node: ast.stmt) -> dict[str, ast.expr]:
    """Names that a statement gives values to, also several at once."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return {node.target.id: node.value}
    found: dict[str, ast.expr] = {}
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                found[target.id] = node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=False)
                found |= {name.id: value for name, value in pairs if isinstance(name, ast.Name)}
    return found


def _columns(module: Module) -> Iterator[str]:
    """Titles of columns: what is said, else made from the name."""
    for call in module.calls:
        if _name(call.func) == "Column" and "/cli/" in module.name and call.args:
            labels = [*call.args[2:3], *(item.value for item in call.keywords if item.arg == "label")]
            node = (labels or call.args)[0]
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value if labels else node.value.replace("_", " ")


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _errors(modules: list[Module]) -> set[str]:
    """The names of all classes in the tree of errors."""
    classes = [node for module in modules for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)]
    found, before = {"BoError"}, 0
    while len(found) > before:
        before = len(found)
        found |= {item.name for item in classes if any(_name(parent) in found for parent in item.bases)}
    return found
