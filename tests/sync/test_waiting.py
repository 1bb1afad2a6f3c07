"""Those who wait for news: woken by whoever writes, let go in time, and in nobody's way."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from pathlib import Path

import httpx
import pytest

from bo.sync.organisations import Organisations
from bo.sync.protocol import Cursor, Page, Pushed, Ticket
from tests.sync.house import (
    ORG,
    House,
    hello_body,
    json_as,
    pull_body,
    push_body,
    require_problem,
    sync,
    waiting,
)

_numbers = count(1)


def test_a_pull_waits_until_another_device_pushes(house: House, hugo: Ticket) -> None:
    boss, welcome = house.login("boss"), house.hello(hugo.token)
    house.post(sync("hello"), hello_body(), boss.token)

    async def both() -> tuple[Page, float]:
        wait = asyncio.create_task(waiting(house, hugo, house_cursor, welcome.view, 10))
        await asyncio.sleep(0.3)
        pushed_at = time.monotonic()
        answer = await house.posting(sync("push"), push_body("13711112222"), boss.token)
        assert json_as(answer, Pushed).results[0].status == "applied"
        page, _waited = await wait
        return page, time.monotonic() - pushed_at

    house_cursor = house.hello(hugo.token).head
    page, after = house.run(both())
    assert [made.op.name for made in page.commits] == ["leads.report"]
    assert after < 0.2


def test_a_pull_sees_what_another_process_wrote_within_a_look(
    house: House, hugo: Ticket, furnished: tuple[Path | None, str]
) -> None:
    another = Organisations(*furnished)
    welcome = house.hello(hugo.token)

    async def both() -> tuple[Page, float]:
        wait = asyncio.create_task(waiting(house, hugo, welcome.head, welcome.view, 10))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(write)
        written_at = time.monotonic()
        page, _waited = await wait
        return page, time.monotonic() - written_at

    def write() -> None:
        with another.central(ORG).writing("system") as ws:
            ws.do("leads.report", name="韩梅梅", phone="13644445555", city="上海")

    page, after = house.run(both())
    another.close()
    assert len(page.commits) == 1
    assert after < 1.3


def test_a_pull_ends_after_its_wait_with_what_it_knows(house: House, hugo: Ticket) -> None:
    welcome = house.hello(hugo.token)
    page, waited = house.run(waiting(house, hugo, welcome.head, welcome.view, 0.4))
    assert (page.commits, page.to, page.more, page.status) == ((), welcome.head, False, "ok")
    assert 0.35 < waited < 1.0


@pytest.mark.parametrize("wait", [-5, 0, 1e300])
def test_a_pull_with_news_answers_at_once(house: House, hugo: Ticket, wait: float) -> None:
    welcome = house.hello(hugo.token)
    for cursor, view, status in (
        (Cursor(), welcome.view, "ok"),
        (Cursor(), "another", "view"),
        (Cursor(10**12), welcome.view, "diverged"),
    ):
        page, waited = house.run(waiting(house, hugo, cursor, view, wait))
        assert page.status == status
        assert waited < 0.5


def test_who_is_shut_out_while_waiting_gets_nothing_more(house: House, hugo: Ticket) -> None:
    welcome = house.hello(hugo.token)

    async def both() -> httpx.Response:
        body = pull_body(welcome.head, welcome.view, 10)
        wait = asyncio.create_task(house.posting(sync("pull"), body, hugo.token))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(house.revoke, hugo.device)
        return await wait

    require_problem(house.run(both()), 403, "revoked")


def test_a_shops_device_is_not_woken_by_what_it_may_not_see(house: House, anna: Ticket) -> None:
    welcome = house.hello(anna.token)

    async def both() -> tuple[Page, float]:
        wait = asyncio.create_task(waiting(house, anna, welcome.head, welcome.view, 0.8))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(house.do, "leads.report", name="李雷", phone="13500001111", city="北京")
        return await wait

    page, waited = house.run(both())
    assert page.commits == ()
    assert page.to.seq == welcome.head.seq + 1  # it need not look there again
    assert waited > 0.7


def test_those_who_wait_take_no_thread_from_those_who_work(house: House, hugo: Ticket) -> None:
    tickets = [house.login("boss") for _ in range(6)]
    welcome, shown = house.hello(hugo.token), house.hello(tickets[0].token)

    async def all_of_them() -> float:
        waits = [
            asyncio.create_task(waiting(house, ticket, welcome.head, shown.view, 5))
            for ticket in tickets
            for _ in range(10)
        ]
        await asyncio.sleep(0.5)
        started = time.monotonic()
        answer = await house.posting(sync("hello"), hello_body(), hugo.token)
        took = time.monotonic() - started
        assert answer.status_code == 200
        await asyncio.to_thread(house.do, "leads.report", name="李雷", phone=f"137{next(_numbers):08}", city="上海")
        pages = await asyncio.gather(*waits)
        assert {len(page.commits) for page, _waited in pages} == {1}
        return took

    welcome = house.hello(hugo.token)
    assert house.run(all_of_them()) < 0.5


def test_one_caller_has_only_so_many_requests_at_once(house: House, hugo: Ticket) -> None:
    welcome = house.hello(hugo.token)

    async def many() -> list[int]:
        body = pull_body(welcome.head, welcome.view, 0.5)
        answers = await asyncio.gather(*(house.posting(sync("pull"), body, hugo.token) for _ in range(20)))
        return sorted(answer.status_code for answer in answers)

    assert house.run(many()) == [200] * 16 + [429] * 4
    assert house.post(sync("hello"), hello_body(), hugo.token).status_code == 200
