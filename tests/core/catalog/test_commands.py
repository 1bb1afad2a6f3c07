"""Products, variants, categories and pictures: made, changed, merged, archived, and refused where they cannot be."""

from __future__ import annotations

from typing import Any

from bo.core.catalog.records import Category
from bo.core.kernel.workspace import Workspace
from tests.core.catalog.seen import pictures, product, refused, variants

SHIRT: dict[str, Any] = {
    "handle": "shirt",
    "title": "Shirt",
    "option1": "Color",
    "option2": "Size",
    "variants": [
        {"option1": "Red", "option2": "S", "sku": "SH-R-S", "price": "19.90", "weight_g": 200},
        {"option1": "Red", "option2": "M", "sku": "SH-R-M", "price": "21.90"},
    ],
    "media": [{"url": "https://shop.example/1.jpg", "alt": "Red shirt"}, {"url": "https://shop.example/2.jpg"}],
}


def test_a_product_is_recorded_with_its_variants_and_pictures(office: Workspace) -> None:
    office.do("products.record", **SHIRT, tags="men, summer")

    made = product(office, "shirt")
    assert (made.title, made.state, made.option1, made.option2, made.tags) == (
        "Shirt", "active", "Color", "Size", ("men", "summer"),
    )  # fmt: skip
    first, second = variants(office, "shirt")
    assert (first.sku, first.price, first.currency, first.weight_g) == ("SH-R-S", 1990, "USD", 200)
    assert (first.title, first.options) == ("Red / S", {"Color": "Red", "Size": "S"})
    assert (second.sku, second.price, second.position) == ("SH-R-M", 2190, 2)
    assert [(item.position, item.alt) for item in pictures(office, "shirt")] == [(1, "Red shirt"), (2, "")]


def test_a_product_without_a_handle_gets_one_of_its_title(office: Workspace) -> None:
    office.do("products.record", title="Garden Chair, teak")
    office.do("products.record", title="garden chair (Teak)")
    office.do("products.record", title="折叠椅")

    assert product(office, "garden-chair-teak").title == "Garden Chair, teak"
    assert product(office, "garden-chair-teak-2").title == "garden chair (Teak)"
    assert product(office, "折叠椅").title == "折叠椅"


def test_a_handle_is_given_once(office: Workspace) -> None:
    office.do("products.record", handle="shirt", title="Shirt")

    assert refused(office, "products.record", handle="shirt", title="Another") == "refused"


def test_an_option_that_only_says_that_there_is_none_is_none(office: Workspace) -> None:
    row = {"option1": "Default Title", "price": "5", "compare_at": "5"}
    office.do("products.record", handle="mug", title="Mug", option1="Title", variants=[row])

    (only,) = variants(office, "mug")
    assert (only.options, only.title, only.compare_at) == ({}, "", None)
    assert product(office, "mug").option1 == ""


def test_two_variants_of_the_same_options_are_refused(office: Workspace) -> None:
    rows = [{"option1": "Red", "price": "1"}, {"option1": "Red", "price": "2"}]

    assert refused(office, "products.record", title="Cap", option1="Color", variants=rows) == "double_options"


def test_variants_without_options_are_told_apart_by_their_sku(office: Workspace) -> None:
    rows = [{"sku": "A", "price": "1"}, {"sku": "B", "price": "2"}]
    office.do("products.record", handle="cap", title="Cap", variants=rows)

    assert [item.options for item in variants(office, "cap")] == [{"option 1": "A"}, {"option 1": "B"}]


def test_a_price_below_nothing_is_refused(office: Workspace) -> None:
    assert refused(office, "products.record", title="Cap", variants=[{"price": "-1"}]) == "negative_price"


def test_told_again_variants_are_merged_by_options_then_by_sku_and_blanks_keep(office: Workspace) -> None:
    office.do("products.record", **SHIRT)
    ids = [item.id for item in variants(office, "shirt")]

    rows = [
        {"option1": "Red", "option2": "S", "price": "18"},  # known by its options; the SKU stays
        {"option1": "Red", "option2": "Medium", "sku": "SH-R-M"},  # known by its SKU; another name for its size
        {"option1": "Blue", "option2": "S", "sku": "SH-B-S", "price": "20"},
    ]
    office.do("products.edit", "shirt", variants=rows)

    small, medium, blue = variants(office, "shirt")
    assert [small.id, medium.id] == ids
    assert (small.sku, small.price, small.weight_g) == ("SH-R-S", 1800, 200)
    assert (medium.options, medium.price) == ({"Color": "Red", "Size": "Medium"}, 2190)
    assert (blue.sku, blue.price, blue.position) == ("SH-B-S", 2000, 3)


def test_a_variant_that_is_told_no_more_stays(office: Workspace) -> None:
    office.do("products.record", **SHIRT)
    office.do("products.edit", "shirt", variants=[{"option1": "Red", "option2": "S", "price": "18"}])

    assert [item.sku for item in variants(office, "shirt")] == ["SH-R-S", "SH-R-M"]


def test_pictures_are_merged_by_their_address(office: Workspace) -> None:
    office.do("products.record", **SHIRT)
    rows = [{"url": "https://shop.example/2.jpg", "alt": "Back"}, {"url": "https://shop.example/3.jpg"}]
    office.do("products.edit", "shirt", media=rows)

    assert [(item.url[-5], item.alt) for item in pictures(office, "shirt")] == [
        ("1", "Red shirt"), ("2", "Back"), ("3", ""),
    ]  # fmt: skip


def test_an_option_of_another_name_is_called_so_in_every_variant(office: Workspace) -> None:
    office.do("products.record", **SHIRT)
    office.do("products.edit", "shirt", option1="Colour")

    assert variants(office, "shirt")[0].options == {"Colour": "Red", "Size": "S"}


def test_many_products_are_edited_at_once_and_undone(office: Workspace) -> None:
    office.do("products.record", handle="a", title="A")
    office.do("products.record", handle="b", title="B")
    done = [office.do("products.edit", handle, vendor="Acme", type="Hat") for handle in ("a", "b")]

    assert [product(office, handle).vendor for handle in ("a", "b")] == ["Acme", "Acme"]
    office.undo(done[1].operation)
    assert [product(office, handle).vendor for handle in ("a", "b")] == ["Acme", ""]


def test_a_product_is_archived_and_sold_again(office: Workspace) -> None:
    office.do("products.record", handle="a", title="A", state="draft")

    office.do("products.activate", "a")
    assert product(office, "a").state == "active"
    office.do("products.archive", "a")
    assert product(office, "a").state == "archived"
    assert refused(office, "products.archive", "a") == "wrong_state"


def test_a_matrix_makes_the_variants_that_are_missing(office: Workspace) -> None:
    office.do("products.record", **SHIRT)
    office.do("products.matrix", "shirt", options="Color: Red, Blue; Size: S, M", price="20", sku="SH-{Color}-{Size}")

    assert [(item.sku, item.price) for item in variants(office, "shirt")] == [
        ("SH-R-S", 1990), ("SH-R-M", 2190), ("SH-BLUE-S", 2000), ("SH-BLUE-M", 2000),
    ]  # fmt: skip


def test_a_matrix_archives_the_variant_that_had_no_options(office: Workspace) -> None:
    office.do("products.record", handle="cap", title="Cap", variants=[{"sku": "CAP", "price": "9"}])
    office.do("products.matrix", "cap", options="颜色：红、蓝")

    plain, red, blue = variants(office, "cap")
    assert (plain.state, red.options, blue.options) == ("archived", {"颜色": "红"}, {"颜色": "蓝"})
    assert (red.price, red.sku) == (900, None)


def test_a_matrix_that_cannot_be_read_is_refused(office: Workspace) -> None:
    office.do("products.record", **SHIRT)
    many = ", ".join(str(number) for number in range(50))

    assert refused(office, "products.matrix", "shirt", options="Color red") == "bad_value"
    assert refused(office, "products.matrix", "shirt", options="Color: red; Color: blue") == "bad_value"
    assert refused(office, "products.matrix", "shirt", options=f"A: {many}; B: {many}") == "bad_value"
    assert refused(office, "products.matrix", "shirt", options="Color: red", sku="S-{Size}") == "bad_value"


def test_a_variant_is_added_edited_and_archived(office: Workspace) -> None:
    office.do("products.record", **SHIRT)
    made = office.do("variants.add", product="shirt", option1="Blue", option2="S", sku="SH-B-S", price="20").returned
    office.do("variants.edit", made, option1="Navy", price="22")

    added = variants(office, "shirt")[2]
    assert (added.options, added.title, added.price) == ({"Color": "Navy", "Size": "S"}, "Navy / S", 2200)
    office.do("variants.archive", made)
    assert variants(office, "shirt")[2].state == "archived"
    office.do("variants.activate", made)
    assert variants(office, "shirt")[2].state == "active"


def test_a_variant_of_options_that_are_taken_is_refused(office: Workspace) -> None:
    office.do("products.record", **SHIRT)
    medium = variants(office, "shirt")[1]

    assert refused(office, "variants.add", product="shirt", option1="Red", option2="S") == "double_options"
    assert refused(office, "variants.edit", medium.id, option2="S") == "double_options"


def test_a_sku_may_be_double(office: Workspace) -> None:
    office.do("products.record", handle="a", title="A", variants=[{"sku": "X", "price": "1"}])
    office.do("products.record", handle="b", title="B", variants=[{"sku": "X", "price": "1"}])

    assert [item.variants for item in office.ask("variants.doubles")] == [2]


def test_a_category_that_moves_takes_along_what_lies_in_it(office: Workspace) -> None:
    for path in ("Garden", "Garden > Tools", "Gardening"):
        office.do("categories.add", path=path)
    office.do("products.record", handle="rake", title="Rake", category="Garden > Tools")
    office.do("products.record", handle="book", title="Book", category="Gardening")
    office.do("categories.edit", "Garden", path="Outdoor")

    assert sorted(item.path for item in office.reader().records(Category)) == [
        "Gardening", "Outdoor", "Outdoor > Tools",
    ]  # fmt: skip
    assert (product(office, "rake").category, product(office, "book").category) == ("Outdoor > Tools", "Gardening")


def test_a_picture_is_added_described_and_taken_away(office: Workspace) -> None:
    office.do("products.record", **SHIRT)
    made = office.do("media.add", product="shirt", url="https://shop.example/9.jpg").returned
    office.do("media.edit", made, alt="Side")

    assert [(item.position, item.alt) for item in pictures(office, "shirt")][2] == (3, "Side")
    office.do("media.remove", made)
    assert len(pictures(office, "shirt")) == 2
