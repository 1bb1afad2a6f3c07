"""What a lint finds, and variants found by what is printed on them."""

from __future__ import annotations

from bo.core.kernel.workspace import Workspace

GOOD_DESCRIPTION = "A shirt of heavy cotton with a collar, in four colours and five sizes, made to last."


def findings(office: Workspace, look: str = "") -> list[tuple[str, str, str, str]]:
    return [(item.handle, item.field, item.what, item.about) for item in office.ask("products.lint", look=look)]


def test_a_good_product_is_not_found(office: Workspace) -> None:
    office.do(
        "products.record",
        handle="shirt",
        title="Shirt",
        seo_description=GOOD_DESCRIPTION,
        variants=[{"sku": "A", "price": "1"}],
        media=[{"url": "https://shop.example/1.jpg", "alt": "A shirt"}],
    )

    assert findings(office) == []


def test_everything_that_is_missing_is_found(office: Workspace) -> None:
    office.do("products.record", handle="bare", title="Bare")
    office.do("products.record", handle="free", title="Free", variants=[{"sku": "F"}], media=[{"url": "x.jpg"}])

    assert findings(office) == [
        ("bare", "seo_description", "missing", ""),
        ("bare", "variants", "missing", ""),
        ("bare", "picture", "missing", ""),
        ("free", "seo_description", "missing", ""),
        ("free", "price", "missing", ""),
        ("free", "alt", "missing", "1"),
    ]


def test_lengths_are_columns_of_text(office: Workspace) -> None:
    office.do("products.record", handle="a", title="T" * 61, seo_description="D" * 49)
    office.do("products.record", handle="b", title="字" * 31, seo_description="字" * 81)
    office.do("products.record", handle="c", title="字" * 30, seo_description="字" * 80)

    assert findings(office, "seo_title") == [("a", "seo_title", "long", "61"), ("b", "seo_title", "long", "62")]
    assert findings(office, "seo_description") == [
        ("a", "seo_description", "short", "49"),
        ("b", "seo_description", "long", "162"),
    ]


def test_doubles_are_found_in_all_that_is_sold(office: Workspace) -> None:
    for handle, state in (("a", "active"), ("b", "draft"), ("c", "archived")):
        rows = [{"sku": "X", "price": "1", "barcode": "4006381333931"}]
        office.do("products.record", handle=handle, title="Same", state=state, variants=rows)

    assert [item for item in findings(office) if item[2] == "double"] == [
        ("a", "seo_title", "double", "Same"),
        ("a", "sku", "double", "X"),
        ("a", "barcode", "double", "4006381333931"),
        ("b", "seo_title", "double", "Same"),
        ("b", "sku", "double", "X"),
        ("b", "barcode", "double", "4006381333931"),
    ]


def test_a_variant_is_found_by_its_sku_or_barcode(office: Workspace) -> None:
    rows = [{"option1": "Red", "sku": "SH-R", "barcode": "4006381333931", "price": "1"}]
    office.do("products.record", handle="shirt", title="Shirt", option1="Color", variants=rows)

    for code in ("SH-R", "4006381333931"):
        (found,) = office.ask("variants.lookup", code=code)
        assert (found.sku, found.product, found.title, found.options, found.price) == (
            "SH-R", "shirt", "Shirt", "Red", 100,
        )  # fmt: skip
    assert office.ask("variants.lookup", code="SH") == []
