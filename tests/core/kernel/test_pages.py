"""Lists: pages by key, frozen snapshots and streams give every row once and in the same order on either database."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import NotAllowed, NotFound, UsageError
from bo.core.kernel.reader import PAGE_MOST, Row, wire_row
from bo.core.kernel.snapshot import take_snapshot
from bo.core.kernel.workspace import Workspace
from tests.core.kernel.making import DIALECTS, NewOffice, keeper
from tests.core.kernel.office.records import Gauge, Ticket
from tests.core.kernel.stock import stock

SORTABLE = (
    "label",
    "city",
    "heat",
    "rate",
    "read_at",
    "checked_on",
    "working",
    "email",
    "marks",
    "created_at",
    "scope",
)
ROWS = 60


def furnish(office: Workspace) -> Workspace:
    """Sixty gauges with many equal values, many of them empty."""
    calls = []
    for place in range(ROWS):
        values = {
            "label": f"g{place % 7}" if place % 2 else f"G{place % 5}é",
            "city": ("Hangzhou", "", "西湖", "hangzhou")[place % 4],
            "heat": (1000, 7, 300)[place % 3],
            "rate": (None, "5%", "-1%")[place % 3],
            "read_at": (None, f"2026-11-0{place % 5 + 1} 10:00")[place % 2],
            "checked_on": (None, "2026-11-03", "2026-02-28")[place % 3],
            "working": ("yes", "no")[place % 2],
            "email": (None, f"a{place % 3}@b.cn")[place % 2],
            "marks": ("", "a,b", "b")[place % 3],
        }
        calls.append(Call("gauges.add", None, values))
    office.run(calls, atomic=True)
    return office


@pytest.fixture
def both(new_office: NewOffice) -> list[Workspace]:
    return [furnish(new_office(dialect)) for dialect in DIALECTS]


def paged(office: Workspace, text: str, limit: int) -> list[Row]:
    """All rows, page by page."""
    found: list[Row] = []
    after = None
    while True:
        page = office.reader().page("gauges", text, fields=("id", "label"), limit=limit, after=after)
        found += page.rows
        assert len(page.rows) == limit or page.after is None
        if page.after is None:
            return found
        after = page.after


def in_snapshot(office: Workspace, text: str) -> list[Row]:
    snapshot = take_snapshot(office.reader(), "gauges", text, fields=("id", "label"))
    found = snapshot.window(0, snapshot.count)
    snapshot.close()
    assert [row[0] for row in found] == list(range(ROWS))
    return [row[1:] for row in found]


def streamed(office: Workspace, text: str) -> list[Row]:
    _fields, lists = office.reader().stream("gauges", text, fields=("id", "label"))
    return [row for rows in lists for row in rows]


ORDERS = st.lists(st.sampled_from([*SORTABLE, *(f"-{name}" for name in SORTABLE)]), max_size=3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(order=ORDERS, limit=st.integers(1, 70))
def test_pages_put_together_are_the_whole_list(both: list[Workspace], order: list[str], limit: int) -> None:
    text = f"sort:{','.join(order)}" if order else ""
    expected = [row[:2] for row in both[0].reader().page("gauges", text, fields=("id", "label"), limit=PAGE_MOST).rows]
    assert len(set(expected)) == ROWS

    for office in both:
        assert paged(office, text, limit) == expected
        assert in_snapshot(office, text) == expected
        assert streamed(office, text) == expected


def test_the_order_is_newest_first_unless_another_is_asked_for(office: Workspace) -> None:
    for label in ("g2", "g1", "g3"):
        office.do("gauges.add", label=label)

    def labels(text: str) -> list[object]:
        return [row[0] for row in office.reader().page("gauges", text, fields=("label",)).rows]

    assert labels("") == ["g3", "g1", "g2"]
    assert labels("sort:label") == ["g1", "g2", "g3"]
    assert labels("sort:-label") == ["g3", "g2", "g1"]
    assert labels("sort:heat") == ["g2", "g1", "g3"]
    assert labels("sort:-heat") == ["g3", "g1", "g2"]


def test_a_row_that_was_added_meanwhile_does_not_disturb_the_pages(office: Workspace) -> None:
    furnish(office)
    first = office.reader().page("gauges", "sort:label", fields=("id",), limit=25)
    office.run([Call("gauges.add", None, {"label": label}) for label in ("!", "zzz")])

    rest = office.reader().page("gauges", "sort:label", fields=("id",), limit=50, after=first.after)

    assert len({*first.rows, *rest.rows}) == ROWS + 1
    assert rest.rows[-1] == (office.reader().get(Gauge, "zzz").id,)


def made_up(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "!",
        "é",
        "AAAA",
        made_up("[]"),
        made_up("[1]"),
        made_up('["a",null]'),
        made_up('["a","b"]'),
        made_up("{}"),
    ]
    + [made_up('["\\u0000",1]'), made_up('["a",9223372036854775808]'), made_up('["a",true]'), made_up('[["a"],1]')],
)
def test_a_token_of_another_list_is_refused(office: Workspace, token: str) -> None:
    furnish(office)
    if token:
        with pytest.raises(UsageError, match="page token"):
            office.reader().page("gauges", "sort:label", after=token)
    else:
        assert office.reader().page("gauges", "sort:label", after=token).rows


@pytest.mark.parametrize("token", [made_up('["tomorrow",1]'), made_up("[7,1]"), made_up('["2026-13-01",1]')])
@pytest.mark.parametrize("field", ["read_at", "checked_on", "working"])
def test_a_token_with_a_value_that_its_field_cannot_have_is_refused(office: Workspace, field: str, token: str) -> None:
    with pytest.raises(UsageError, match="page token"):
        office.reader().page("gauges", f"sort:{field}", after=token)


@pytest.mark.parametrize("limit", [0, -1, PAGE_MOST + 1])
def test_a_page_has_a_bounded_size(office: Workspace, limit: int) -> None:
    with pytest.raises(UsageError):
        office.reader().page("gauges", limit=limit)


def test_a_list_shows_its_usual_fields_or_those_asked_for(office: Workspace) -> None:
    office.do("shops.add", code="west")

    assert [item.name for item in office.reader().page("shops").fields] == [
        "id",
        "created_at",
        "updated_at",
        "code",
        "name",
        "tickets",
    ]
    assert [item.name for item in office.reader().page("shops", fields=("code", "created")).fields] == [
        "code",
        "created_at",
    ]
    with pytest.raises(UsageError, match="shops have no field colour"):
        office.reader().page("shops", fields=("colour",))


def test_a_row_is_written_for_people_alike_from_either_database(office: Workspace) -> None:
    office.do("tickets.open", number="T-1", amount="12.5", due="2026-11-05", tags="b,a")
    office.do("tickets.edit", "T-1", urgent="yes", extra={"src": "web"})
    page = office.reader().page(
        "tickets", fields=("number", "amount", "currency", "due", "urgent", "tags", "extra", "created_at", "phone")
    )

    assert wire_row(page.fields, "EUR")(page.rows[0]) == [
        "T-1",
        "12.50",
        "CNY",
        "2026-11-05",
        True,
        ["a", "b"],
        {"src": "web"},
        "2026-11-02T01:00:01.000Z",
        None,
    ]


# -- snapshots and streams ---------------------------------------------------------------------------------------------


def test_a_snapshot_keeps_its_rows_and_shows_their_values_of_today(office: Workspace) -> None:
    furnish(office)
    reader = office.reader()
    snapshot = take_snapshot(reader, "gauges", "sort:label working:yes", fields=("label", "heat"))
    ids = snapshot.ids()
    office.do("gauges.edit", ids[0], heat=42)
    office.do("gauges.add", label="!")

    assert snapshot.count == len(ids) == 30
    assert snapshot.window(0, 2)[0] == (0, reader.get(Gauge, ids[0]).label, 42)
    assert [row[0] for row in snapshot.window(28, 99)] == [28, 29]
    assert snapshot.window(30, 40) == []
    assert snapshot.position(ids[7]) == 7
    assert snapshot.position("gauge_none") is None


def test_a_row_that_is_gone_leaves_a_gap_in_its_snapshot(office: Workspace) -> None:
    stock(office)
    snapshot = take_snapshot(office.reader(), "tickets", "sort:created_at", fields=("name",))
    office.do("tickets.drop", "T-4")

    assert [row[0] for row in snapshot.window(0, 6)] == [0, 1, 2, 4, 5]


def test_several_snapshots_live_side_by_side(office: Workspace) -> None:
    furnish(office)
    up = take_snapshot(office.reader(), "gauges", "sort:label", fields=("label",))
    down = take_snapshot(office.reader(), "gauges", "sort:-label", fields=("label",))
    up.close()

    assert down.window(0, 1)[0][1] == "g6"
    assert take_snapshot(office.reader(), "gauges", "label:none").count == 0


@pytest.mark.parametrize("first", [1, 7, ROWS - 1, ROWS, ROWS + 1])
def test_a_snapshot_that_begins_with_its_first_rows_ends_as_one_that_was_whole_at_once(
    both: list[Workspace], first: int
) -> None:
    for office in both:
        whole = take_snapshot(office.reader(), "gauges", "sort:label", fields=("id",))
        begun = take_snapshot(office.reader(), "gauges", "sort:label", fields=("id",), first=first)
        assert (begun.count, begun.whole) == (min(first, ROWS), first > ROWS)
        assert begun.window(0, ROWS) == whole.window(0, first)
        begun.complete()
        begun.complete()
        assert (begun.count, begun.whole) == (ROWS, True)
        assert begun.window(0, ROWS) == whole.window(0, ROWS)
        assert office.do("gauges.edit", whole.ids()[0], heat=1).status == "applied"


def test_the_rest_of_a_snapshot_is_of_the_moment_of_its_first_rows(office: Workspace) -> None:
    furnish(office)
    own = office.database.connect()
    reader = office.reader(own)
    before = take_snapshot(reader, "gauges", "sort:label", fields=("id",)).ids()
    begun = take_snapshot(reader, "gauges", "sort:label", fields=("id",), first=3)
    office.do("gauges.add", label="!")
    office.do("gauges.edit", before[40], label="!!")
    begun.complete()
    kept = begun.ids()
    after = take_snapshot(reader, "gauges", "sort:label", fields=("id",)).ids()
    own.connection.close()

    assert kept == before
    assert after[1] == before[40]


def test_a_snapshot_that_is_stopped_or_fails_keeps_its_first_rows(office: Workspace) -> None:
    furnish(office)
    reader = office.reader()
    for end in ("stopped", "failed"):
        begun = take_snapshot(reader, "gauges", "sort:label", fields=("id",), first=3)
        first = begun.window(0, 9)
        if end == "failed":
            begun.ordered = "SELECT nothing"
            with pytest.raises(Exception, match="nothing"):
                begun.complete()
        else:
            begun.stop()
        begun.complete()
        assert (begun.whole, begun.window(0, 9)) == (False, first)
        begun.close()
        assert office.do("gauges.add", label=end).status == "applied"


def test_a_stream_gives_lists_of_bounded_size_and_can_be_left_early(office: Workspace) -> None:
    furnish(office)
    session = office.database.session

    def build() -> object:
        import sqlalchemy as sa

        from bo.core.kernel.record import info_of
        from bo.core.kernel.tables import table

        return sa.select(table(info_of(Gauge)).c.n)

    lists: Iterator[list[Row]] = session.stream("test:gauges", build, size=25)  # type: ignore[arg-type]
    assert [len(rows) for rows in lists] == [25, 25, 10]
    early = session.stream("test:gauges", build, size=25)  # type: ignore[arg-type]
    next(early)
    early.close()  # type: ignore[attr-defined]
    assert office.do("gauges.add", label="after").status == "applied"


def test_two_streams_run_side_by_side(office: Workspace) -> None:
    furnish(office)
    streams = [office.reader().stream("gauges", f"sort:{order}label", fields=("label",))[1] for order in ("", "-")]

    ((up, down),) = zip(*streams, strict=True)

    assert up == list(reversed(down))
    assert len(up) == ROWS


# -- who sees what -----------------------------------------------------------------------------------------------------


def test_every_way_of_reading_passes_the_scope_of_who_reads(office: Workspace) -> None:
    stock(office)
    shop = office.do("shops.edit", "west", name="mine").subject
    hidden = office.reader().get(Ticket, "T-1").id
    office.actor = keeper(str(shop))
    reader = office.reader()

    assert sorted(row[0] for row in reader.page("tickets", fields=("number",)).rows) == ["T-2", "T-5"]
    assert reader.count("tickets") == 2
    assert reader.count("tickets", "ann") == 1
    assert sum(len(rows) for rows in reader.stream("tickets")[1]) == 2
    assert take_snapshot(reader, "tickets").count == 2
    assert [item.number for item in reader.records(Ticket, "sort:number")] == ["T-2", "T-5"]
    for text in (hidden, hidden[-8:], "T-1"):
        with pytest.raises(NotFound):
            reader.get(Ticket, text)
    with pytest.raises(NotAllowed):
        reader.count("gauges")


def test_who_may_not_read_a_noun_sees_nothing_of_it(office: Workspace) -> None:
    stock(office)
    office.actor = "guest"
    reader = office.reader()

    for ask in (
        lambda: reader.page("tickets"),
        lambda: reader.count("tickets"),
        lambda: reader.stream("tickets"),
        lambda: take_snapshot(reader, "tickets"),
        lambda: reader.records(Ticket),
    ):
        with pytest.raises(NotAllowed, match=r"guest may not tickets\.read"):
            ask()
