"""Finding what is sold: plain functions for the modules above."""

from __future__ import annotations

from bo.core.catalog.records import Variant
from bo.core.kernel.tx import Tx


def variant_called(tx: Tx, sku: str) -> Variant | None:
    """The variant with that SKU, to look at only; none where several have it, for a guess would move the wrong
    stock."""
    found = tx.view_all(Variant, "sku", sku)
    return found[0] if len(found) == 1 else None
