"""What the tests of the catalog look at, and refusals that changed nothing."""

from __future__ import annotations

from bo.core.catalog.records import Media, Product, Variant
from bo.core.kernel.errors import BoError
from bo.core.kernel.workspace import Workspace


def product(office: Workspace, handle: str) -> Product:
    return office.reader().get(Product, handle)


def variants(office: Workspace, handle: str) -> list[Variant]:
    """The variants of a product, in their order."""
    found = office.reader().records(Variant, f"product:{product(office, handle).id}")
    return sorted(found, key=lambda item: item.position)


def pictures(office: Workspace, handle: str) -> list[Media]:
    """The pictures of a product, in their order."""
    found = office.reader().records(Media, f"product:{product(office, handle).id}")
    return sorted(found, key=lambda item: item.position)


def refused(office: Workspace, command: str, subject: str | None = None, **args: object) -> str:
    """The code of the refusal; whatever was there is as it was."""
    before = contents(office)
    try:
        office.do(command, subject, **args)
    except BoError as error:
        assert contents(office) == before
        return error.code
    raise AssertionError(f"{command} was not refused")


def contents(office: Workspace) -> list[object]:
    reader = office.reader()
    return [reader.records(cls) for cls in (Product, Variant, Media)]
