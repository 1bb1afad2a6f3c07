"""Making a variant."""

from bo.core.catalog.records import Product, Variant
from bo.core.kernel.command import command
from bo.core.kernel.kinds import Flag, Text
from bo.core.kernel.tx import Tx


@command(needs="anyone")
def make(
    tx: Tx, *, sku: Text, title: Text = "", bin: Text = "", tracked: Flag = True, backorder: Flag = False
) -> Variant:
    """Make a product with one variant."""
    product = tx.add(Product(handle=sku, title=title or sku))
    return tx.add(
        Variant(
            product=product.id, sku=sku, title=title, option_key=f"{product.id}/", bin=bin, tracked=tracked,
            backorder=backorder,
        )
    )  # fmt: skip


@command(needs="anyone")
def allow(tx: Tx, variant: Variant, *, backorder: Flag) -> None:
    """Allow to sell ahead, or forbid it."""
    variant.backorder = backorder
