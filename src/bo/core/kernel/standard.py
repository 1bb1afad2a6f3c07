"""Commands that every plain record has: add one, edit one. Written once here and declared by a module in a line each.

add = adds(Store, needs="stores.edit")
edit = edits(Store, needs="stores.edit")
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bo.core.kernel.command import command
from bo.core.kernel.errors import BadValue
from bo.core.kernel.kinds import Facts
from bo.core.kernel.record import KERNEL_FIELDS, Record, info_of
from bo.core.kernel.tx import Tx

R = TypeVar("R", bound=Record)
FIXED = KERNEL_FIELDS | {"state", "extra"}


def adds(cls: type[R], *, needs: str, without: tuple[str, ...] = (), where: str = "anywhere") -> Callable[..., R]:
    """A command that makes a record from its fields."""
    info = info_of(cls)
    names = _names(cls, without)

    def add(tx: Tx, **values: Any) -> R:
        given = {name: value for name, value in values.items() if value is not None}
        return tx.add(cls(**given))

    required = {*info.key, *(item.name for item in info.fields if item.required)}
    _dress(add, cls, names, required, f"Add a {info.name.replace('_', ' ')}.", subject=False)
    return command(needs=needs, where=where)(add)


def edits(
    cls: type[R],
    *,
    needs: str,
    without: tuple[str, ...] = (),
    confirm: str = "",
    where: str = "anywhere",
    also: Mapping[str, object] | None = None,
    then: Callable[[Tx, R, Mapping[str, Any]], None] | None = None,
    name: str = "edit",
    doc: str = "",
) -> Callable[..., None]:
    """A command that sets fields of a record; a field that is not given stays, one given as blank is cleared.

    `also` are further parameters with their kinds, which `then` carries out, after the fields are set: it receives all
    that was given. `name` and `doc` are those of the command, where it is not the record's plain edit.
    """
    info = info_of(cls)
    more = dict(also or {})
    names = [item for item in _names(cls, without) if item not in more]
    defaults = {item.name: item.default for item in info.fields}
    required = {item.name for item in info.fields if item.required}

    def edit(tx: Tx, record: R, **values: Any) -> None:
        for name, value in values.items():
            if name in more:
                continue
            if value is None and name in required:
                raise BadValue("{field} cannot be blank", hint="Give it another value.", field=name)
            wanted = {**record.extra, **(value or {})} if name == "extra" else value
            setattr(record, name, defaults[name] if wanted is None else wanted)
        if then is not None:
            then(tx, record, values)

    edit.__name__ = name
    told = doc or f"Change fields of a {info.name.replace('_', ' ')}."
    _dress(edit, cls, names, set(), told, subject=True, also=more)
    return command(needs=needs, confirm=confirm, where=where)(edit)


def _names(cls: type[Record], without: tuple[str, ...]) -> list[str]:
    return [item.name for item in info_of(cls).fields if item.name not in FIXED and item.name not in without]


def _dress(
    function: Callable[..., Any],
    cls: type[Record],
    names: list[str],
    required: set[str],
    doc: str,
    *,
    subject: bool,
    also: Mapping[str, object] | None = None,
) -> None:
    """Give the function the signature that the registry reads: the record's own annotations."""
    hints = inspect.get_annotations(cls, eval_str=False)
    parameters = [inspect.Parameter("tx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Tx)]
    annotations: dict[str, Any] = {"tx": Tx, "return": None if subject else cls}
    if subject:
        parameters.append(inspect.Parameter("record", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=cls))
        annotations["record"] = cls
    for name in names:
        hint = hints[name] if name in required else hints[name] | None
        annotations[name] = hint
        default = inspect.Parameter.empty if name in required else None
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=default))
    for name, kind in (also or {}).items():
        hint = kind | None  # type: ignore[operator]  # an annotation, as in a signature
        annotations[name] = hint
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=None))
    annotations["extra"] = Facts | None
    parameters.append(inspect.Parameter("extra", inspect.Parameter.KEYWORD_ONLY, annotation=Facts | None, default=None))
    function.__doc__ = doc
    function.__annotations__ = annotations
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__module__ = cls.__module__.rpartition(".")[0] + ".commands"
