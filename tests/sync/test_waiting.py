"""Those who wait for news: woken by whoever writes, let go in time, and in nobody's way."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path

import httpx
import pytest

from bo.sync import news
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


def test_a_pull_waits_until_another_device_pushes(house: House, hugo: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "LOOK_SECONDS", 60.0)  # so that nothing but the push can wake it in time
    boss, welcome = house.login("boss"), house.hello(hugo.token)
    house.post(sync("hello"), hello_body(), boss.token)

    async def both() -> tuple[Page, float]:
        wait = asyncio.create_task(waiting(house, hugo, house_cursor, welcome.view, 25))
        await asyncio.sleep(0.3)
        answer = await house.posting(sync("push"), push_body("13711112222"), boss.token)
        assert json_as(answer, Pushed).results[0].status == "applied"
        return await wait

    house_cursor = house.hello(hugo.token).head
    page, waited = house.run(both())
    assert [made.op.name for made in page.commits] == ["leads.report"]
    assert waited < 20


def test_a_pull_sees_what_another_process_wrote_within_a_look(
    house: House, hugo: Ticket, furnished: tuple[Path | None, str]
) -> None:
    another = Organisations(*furnished)
    welcome = house.hello(hugo.token)

    async def both() -> tuple[Page, float]:
        wait = asyncio.create_task(waiting(house, hugo, welcome.head, welcome.view, 25))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(write)
        return await wait

    def write() -> None:
        with another.central(ORG).writing("system") as ws:
            ws.do("leads.report", name="韩梅梅", phone="13644445555", city="上海")

    page, waited = house.run(both())
    another.close()
    assert len(page.commits) == 1
    assert waited < 20


def test_a_pull_ends_after_its_wait_with_what_it_knows(house: House, hugo: Ticket) -> None:
    welcome = house.hello(hugo.token)
    page, waited = house.run(waiting(house, hugo, welcome.head, welcome.view, 0.4))
    assert (page.commits, page.to, page.more, page.status) == ((), welcome.head, False, "ok")
    assert 0.35 < waited < 20


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
        assert waited < 20


def test_who_is_shut_out_while_waiting_gets_nothing_more(house: House, hugo: Ticket) -> None:
    welcome = house.hello(hugo.token)

    async def both() -> httpx.Response:
        body = pull_body(welcome.head, welcome.view, 25)
        wait = asyncio.create_task(house.posting(sync("pull"), body, hugo.token))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(house.revoke, hugo.device)
        return await wait

    require_problem(house.run(both()), 403, "revoked")


def test_a_shops_device_is_not_woken_by_what_it_may_not_see(house: House, anna: Ticket) -> None:
    welcome = house.hello(anna.token)

    async def both() -> tuple[Page, float]:
        wait = asyncio.create_task(waiting(house, anna, welcome.head, welcome.view, 3.0))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(house.do, "leads.report", name="李雷", phone="13500001111", city="北京")
        return await wait

    page, waited = house.run(both())
    assert page.commits == ()
    assert page.to.seq == welcome.head.seq + 1  # it need not look there again
    assert waited > 2.9


def test_those_who_wait_take_no_thread_from_those_who_work(house: House, hugo: Ticket) -> None:
    tickets = [house.login("boss") for _ in range(6)]
    welcome, shown = house.hello(hugo.token), house.hello(tickets[0].token)

    async def all_of_them() -> None:
        waits = [
            asyncio.create_task(waiting(house, ticket, welcome.head, shown.view, 25))
            for ticket in tickets
            for _ in range(10)
        ]
        await asyncio.sleep(0.5)
        answer = await house.posting(sync("hello"), hello_body(), hugo.token)
        assert answer.status_code == 200
        assert not any(wait.done() for wait in waits)
        await asyncio.to_thread(house.do, "leads.report", name="李雷", phone=f"137{next(_numbers):08}", city="上海")
        pages = await asyncio.gather(*waits)
        assert {len(page.commits) for page, _waited in pages} == {1}

    welcome = house.hello(hugo.token)
    house.run(all_of_them())


def test_one_caller_has_only_so_many_requests_at_once(house: House, hugo: Ticket) -> None:
    welcome = house.hello(hugo.token)

    async def many() -> list[int]:
        body = pull_body(welcome.head, welcome.view, 3.0)
        answers = await asyncio.gather(*(house.posting(sync("pull"), body, hugo.token) for _ in range(20)))
        return sorted(answer.status_code for answer in answers)

    assert house.run(many()) == [200] * 16 + [429] * 4
    assert house.post(sync("hello"), hello_body(), hugo.token).status_code == 200
