"""Whatever is told of a product in whatever order: no two of its variants have the same values of its options, and a
variant's key is made of them."""

from __future__ import annotations

from random import Random

import pytest

from bo.core.catalog.records import Product, Variant
from bo.core.catalog.rules import option_parts
from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import Refused
from bo.core.kernel.workspace import Workspace

STEPS = 120
COLORS, SIZES = ("Red", "Blue", "red"), ("S", "M", "")


def random_call(office: Workspace, chance: Random) -> Call:
    handle = chance.choice(("cap", "mug"))
    options = {"option1": chance.choice(COLORS), "option2": chance.choice(SIZES)}
    row = {**options, "sku": chance.choice(("A", "B", "C", None)), "price": "1"}
    calls = [
        Call("products.edit", handle, {"variants": [row, {**row, "option1": chance.choice(COLORS)}]}),
        Call("variants.add", None, {"product": handle, **row}),
        Call("products.matrix", handle, {"options": "Color: Red, Blue; Size: S, M"}),
    ]
    known = office.reader().records(Variant)
    if known:
        one = chance.choice(known).id
        calls += [Call("variants.edit", one, options), Call(f"variants.{chance.choice(('archive', 'activate'))}", one)]
    return chance.choice(calls)


@pytest.mark.parametrize("seed", range(4))
def test_the_options_of_a_variant_are_its_own(office: Workspace, seed: int) -> None:
    chance = Random(seed)
    for handle in ("cap", "mug"):
        office.do("products.record", handle=handle, title=handle, option1="Color", option2="Size")
    applied = 0
    for _step in range(STEPS):
        outcome = office.run([random_call(office, chance)])[0]
        assert outcome.error is None or isinstance(outcome.error, Refused), outcome
        applied += outcome.status == "applied"
        require_own_options(office)
    assert applied > STEPS // 6


def require_own_options(office: Workspace) -> None:
    products = {item.id for item in office.reader().records(Product)}
    variants = office.reader().records(Variant)
    told = [(item.product, tuple(str(value) for value in item.options.values())) for item in variants]
    assert len(set(told)) == len(told)
    for item in variants:
        assert item.product in products
        assert len(option_parts(item.option_key)) >= len(item.options)
