"""`--view NAME`: a saved view, or one that comes with the office, as the filter, order and columns of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo.cli.manifest import dashed
from bo.core.kernel.errors import NotFound

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.core.kernel.workspace import Workspace


def apply_view(asked: Asked, workspace: Workspace) -> str:
    """The filter to list by. Columns of the view are asked for where none were; an order that is asked for counts.

    Raises:
        NotFound: no view of these records is called so.
    """
    said = " ".join(asked.many("filter"))
    name = asked.text("view")
    if not name:
        return said
    filter_text, sort, columns = _named(workspace, asked.noun, name)
    if columns and not asked.text("fields"):
        asked.values = {**asked.values, "fields": columns}
    order = f"sort:{sort}" if sort and not any(word.startswith("sort:") for word in said.split()) else ""
    return " ".join(part for part in (filter_text, said, order) if part)


def _named(workspace: Workspace, noun: str, name: str) -> tuple[str, str, str]:
    from bo.core.views.shipped import VIEWS, split_sort

    kept = workspace.ask("views.mine", None, of=noun)
    own = {view.name: (view.filter, view.sort, view.columns) for view in kept}
    if name in own:
        return own[name]
    shipped = {dashed(known): text for known, text in VIEWS.get(noun, {}).items()}
    wanted = dashed(name.lower().replace(" ", "-"))
    if wanted in shipped:
        return (*split_sort(shipped[wanted]), "")
    raise NotFound(
        "there is no view {name} of {noun}", hint="There are: {known}.",
        name=name, noun=noun, known=", ".join([*own, *shipped]) or "-",
    )  # fmt: skip
