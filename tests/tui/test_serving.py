"""The screen in a browser: who is let in, who is not, and that a tab is a process of the screen."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientSession, CookieJar, WSServerHandshakeError, web
from aiohttp.test_utils import unused_port
from argon2 import PasswordHasher

from bo.core.kernel.workspace import Workspace
from bo.core.office import context_for, create, open_office
from bo.sync import accounts, passwords
from bo.tui import serving
from bo.tui.doors import AccountsDoor, TokenDoor, accounts_of
from bo.tui.serving import Address, Screens, ScreenServer

PASSWORD = "two herons over the marsh"
DRAWN_S = 30.0


class Browser:
    """A browser that has opened the address, with cookies of its own."""

    def __init__(self, session: ClientSession, address: Address, tokens: list[str]) -> None:
        self.session = session
        self.address = address
        self.tokens = tokens

    @property
    def origin(self) -> dict[str, str]:
        return {"Origin": self.address.url}

    async def open(self, path: str = "/", headers: Mapping[str, str] | None = None) -> ClientResponse:
        return await _whole(self.session.get(self.address.url + path, headers=headers, allow_redirects=False))

    async def log_in(self, user: str, password: str, code: str = "", origin: str = "") -> ClientResponse:
        form = {"user": user, "password": password, "code": code}
        headers = {"Origin": origin or self.address.url}
        return await _whole(
            self.session.post(self.address.url + "/login", data=form, headers=headers, allow_redirects=False)
        )

    async def refused(self, headers: Mapping[str, str]) -> int:
        """The status that a websocket is refused with."""
        with pytest.raises(WSServerHandshakeError) as told:
            await self.session.ws_connect(self.address.url + "/ws", headers=headers)
        return told.value.status

    async def drawn(self, words: str, keys: str = "") -> str:
        """Open the screen, press keys, and wait until these words have been drawn."""
        async with self.session.ws_connect(
            self.address.url + "/ws?width=100&height=30", headers=self.origin, max_msg_size=0
        ) as socket:
            seen = ""
            async with asyncio.timeout(DRAWN_S):
                while words not in seen:
                    seen += (await socket.receive_bytes()).decode(errors="replace")
                if keys:
                    await socket.send_json(["stdin", keys])
                    await socket.receive()
        return seen


async def _whole(asked: Awaitable[ClientResponse]) -> ClientResponse:
    """An answer that has been read, so that its connection is free again."""
    answer = await asked
    await answer.read()
    return answer


Story = Callable[[Browser], Awaitable[None]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = create(tmp_path / "office", context_for("CN"), operator="ann")
    made.do("leads.report", name="王伟", phone="13800138000")
    made.close()
    return tmp_path / "office"


@pytest.fixture
def store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same office as a central store: Ann and Bo have passwords."""
    made = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords._nobodys.cache_clear()
    monkeypatch.setattr(passwords, "_hasher", lambda: made)
    office = open_office(folder, operator="ann")
    office.do("operators.add", login="bo", roles=["admin"])
    for login in ("ann", "bo"):
        accounts.set_password(office, id_of(office, login), PASSWORD)
    office.close()
    yield folder
    passwords._nobodys.cache_clear()


def id_of(office: Workspace, login: str) -> str:
    return str(office.reader().page("operators", f"login:{login}", fields=("id",)).rows[0][0])


def play(folder: Path, story: Story, words: tuple[str, ...] = ()) -> None:
    """Serve the screen of an office while a browser does what the story tells."""

    async def run() -> None:
        address = Address(port=unused_port())
        tokens: list[str] = []
        central = accounts_of(folder)
        door = TokenDoor("ann", tokens.append) if central is None else AccountsDoor(central)
        server = ScreenServer(address, door, Screens(words, {"BO_WORKSPACE": str(folder), "BO_LANG": "en"}))
        runner = web.AppRunner(await server._make_app(), shutdown_timeout=10)
        await runner.setup()
        try:
            await web.TCPSite(runner, address.host, address.port).start()
            async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
                await story(Browser(session, address, tokens))
        finally:
            await runner.cleanup()
            door.close()

    asyncio.run(run())


# -- an office without accounts ----------------------------------------------------------------------------------------


def test_without_the_token_nothing_is_shown(folder: Path) -> None:
    async def story(browser: Browser) -> None:
        for path in ("/", "/?token=", "/?token=wrong", f"/?token={'x' * 5_000}"):
            answer = await browser.open(path)
            assert answer.status == 401
            assert "Set-Cookie" not in answer.headers
            assert "textual.js" not in await answer.text()
        assert await browser.refused(browser.origin) == 401

    play(folder, story)


def test_the_token_lets_one_browser_in_and_is_used_up(folder: Path) -> None:
    async def story(browser: Browser) -> None:
        (token,) = browser.tokens

        answer = await browser.open(f"/?token={token}")

        assert (answer.status, answer.headers["Location"]) == (303, "/")
        kept = answer.headers["Set-Cookie"]
        assert "HttpOnly" in kept
        assert "SameSite=Strict" in kept
        assert "textual.js" in await (await browser.open()).text()
        browser.session.cookie_jar.clear()
        assert (await browser.open(f"/?token={token}")).status == 401
        assert len(browser.tokens) == 2
        assert (await browser.open(f"/?token={browser.tokens[1]}")).status == 303

    play(folder, story)


def test_who_guesses_has_to_wait(folder: Path) -> None:
    async def story(browser: Browser) -> None:
        answers = [(await browser.open("/?token=wrong")).status for _ in range(31)]
        assert answers[:30] == [401] * 30
        assert answers[30] == 429

    play(folder, story)


def test_a_websocket_of_another_page_is_refused(folder: Path) -> None:
    async def story(browser: Browser) -> None:
        await browser.open(f"/?token={browser.tokens[0]}")
        for headers in ({}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
            assert await browser.refused(headers) == 403
        elsewhere = f"elsewhere.example:{browser.address.port}"
        assert await browser.refused({"Host": elsewhere, "Origin": f"http://{elsewhere}"}) == 421

    play(folder, story)


def test_another_name_for_this_machine_is_not_answered(folder: Path) -> None:
    async def story(browser: Browser) -> None:
        path = f"/?token={browser.tokens[0]}"
        assert (await browser.open(path, {"Host": f"elsewhere.example:{browser.address.port}"})).status == 421
        assert len(browser.tokens) == 1

    play(folder, story)


def test_a_page_fetches_nothing_from_elsewhere(folder: Path) -> None:
    async def story(browser: Browser) -> None:
        await browser.open(f"/?token={browser.tokens[0]}")
        answer = await browser.open()
        page = await answer.text()
        rules = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in rules
        assert "frame-ancestors 'none'" in rules
        assert set(re.findall(r"\w+://[^\"/]+", page)) == {f"ws://127.0.0.1:{browser.address.port}"}
        for path in re.findall(r'(?:src|href)="(/[^"]+)"', page):
            assert (await browser.open(path)).status == 200, path

    play(folder, story)


def test_a_tab_is_the_screen_of_that_operator(folder: Path) -> None:
    async def story(browser: Browser) -> None:
        await browser.open(f"/?token={browser.tokens[0]}")
        seen = await browser.drawn("王伟", keys="Q")
        assert "ann" in seen
        assert "office" in seen

    play(folder, story)


def test_a_screen_that_does_not_begin_closes_the_tab(folder: Path) -> None:
    async def story(browser: Browser) -> None:
        await browser.open(f"/?token={browser.tokens[0]}")
        async with browser.session.ws_connect(browser.address.url + "/ws", headers=browser.origin) as socket:
            async with asyncio.timeout(DRAWN_S):
                assert (await socket.receive()).type.name == "CLOSE"

    play(folder, story, words=("--of", "nonsense"))


# -- a central store ---------------------------------------------------------------------------------------------------


def test_a_page_asks_for_the_password_and_opens_the_screen_of_whoever_gave_it(store: Path) -> None:
    async def story(browser: Browser) -> None:
        asked = await browser.open()
        assert asked.status == 401
        assert 'name="password"' in await asked.text()
        for user, password in (("ann", "wrong"), ("nobody", PASSWORD), ("", "")):
            wrong = await browser.log_in(user, password)
            assert wrong.status == 401
            assert "Set-Cookie" not in wrong.headers
        assert await browser.refused(browser.origin) == 401

        right = await browser.log_in("bo", PASSWORD)

        assert right.status == 303
        assert all("HttpOnly" in kept and "SameSite=Strict" in kept for kept in right.headers.getall("Set-Cookie"))
        assert " bo " in await browser.drawn("王伟")

    play(store, story)


def test_a_login_from_another_page_is_refused(store: Path) -> None:
    async def story(browser: Browser) -> None:
        assert (await browser.log_in("ann", PASSWORD, origin="https://elsewhere.example")).status == 403
        assert (await browser.open()).status == 401

    play(store, story)


def test_the_second_factor_is_asked_for_where_it_is_on(store: Path) -> None:
    office = open_office(store, operator="ann")
    _uri, codes = accounts.set_up_second_factor(office, id_of(office, "ann"))
    office.close()

    async def story(browser: Browser) -> None:
        without = await browser.log_in("ann", PASSWORD)
        assert without.status == 401
        assert "second factor" in await without.text()
        assert (await browser.log_in("ann", PASSWORD, "000000")).status == 401
        assert (await browser.log_in("ann", PASSWORD, codes[0])).status == 303
        assert (await browser.open()).status == 200

    play(store, story)


def test_a_browser_is_one_device_however_often_it_logs_in(store: Path) -> None:
    async def story(browser: Browser) -> None:
        for user in ("ann", "bo", "ann", "bo"):
            assert (await browser.log_in(user, PASSWORD)).status == 303

    play(store, story)

    office = open_office(store, operator="ann")
    assert [row[0] for row in office.reader().page("devices", fields=("name",)).rows] == ["browser", "browser"]
    office.close()


def test_who_logs_out_or_is_switched_off_sees_nothing_more(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LOOK_AGAIN_S", 0.05)

    async def story(browser: Browser) -> None:
        await browser.log_in("bo", PASSWORD)
        left = await browser.session.post(browser.address.url + "/logout", headers=browser.origin)
        assert left.status == 401
        await browser.log_in("bo", PASSWORD)
        async with browser.session.ws_connect(browser.address.url + "/ws", headers=browser.origin) as socket:
            office = open_office(store, operator="ann")
            office.do("operators.disable", id_of(office, "bo"))
            office.close()
            async with asyncio.timeout(DRAWN_S):
                while (await socket.receive()).type.name != "CLOSE":
                    continue
        assert (await browser.open()).status == 401

    play(store, story)


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("--host", "0.0.0.0"), ("--url", "http://office.example"), ("--port", "no")])
def test_an_address_that_others_could_listen_in_on_is_refused(folder: Path, words: tuple[str, ...]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bo", "tui", "--serve", "--workspace", str(folder), *words],
        capture_output=True, encoding="utf-8", timeout=240, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert ran.stdout == ""


def test_behind_a_proxy_cookies_are_for_tls_alone() -> None:
    address = Address(public="https://office.example/")
    assert address.url == "https://office.example"
    assert address.is_secure
    assert address.hosts == {"office.example"}
    assert Address(port=80).hosts == {"127.0.0.1:80", "localhost:80", "127.0.0.1", "localhost"}
