"""A server with one organisation, asked in this process: its people, what is said to it, and what it holds."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import pytest
from starlette.applications import Starlette

from bo.core.kernel.ids import new_operation_id
from bo.core.kernel.workspace import SCHEMA_VERSION, Workspace, utc_now
from bo.core.office import context_for
from bo.sync import accounts, passwords
from bo.sync.central import Central
from bo.sync.organisations import Organisations
from bo.sync.protocol import Cursor, Page, Ticket, Welcome, encode
from bo.sync.server import Service, Settings, make_app
from tests.sync.judging import selected

ORG: Final = "acme"
PASSWORD: Final = "two herons over the marsh"
BODY_MOST: Final = 1_500_000
TABLES: Final = ("operation", "change", "answer", "quarantine", "contact")
T = TypeVar("T")


def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost next to nothing: what they cost is tested where they are made."""
    from argon2 import PasswordHasher

    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    passwords._nobodys.cache_clear()
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)


def furnish(organisations: Organisations, name: str = ORG) -> Central:
    """Make an organisation with two shops, and people who may log in."""
    central = organisations.create(name, context_for("CN"), operator="boss")
    with central.writing("system") as ws:
        for code, city in (("S1", "上海"), ("S2", "北京")):
            ws.do("stores.add", code=code, name=f"{city}店", city=city)
        for login, role, store in (("hugo", "manager", None), ("anna", "store", "S1"), ("bert", "store", "S2")):
            ws.do("operators.add", login=login, roles=role, store=store)
        for login in ("boss", "hugo", "anna"):
            accounts.set_password(ws, operator_id(ws, login), PASSWORD)
    return central


def operator_id(ws: Workspace, login: str) -> str:
    return ws.reader().get(ws.registry.record("operators"), login).id


class House:
    """A server's application, and a client that speaks to it in this process."""

    def __init__(self, organisations: Organisations, settings: Settings) -> None:
        self.organisations = organisations
        self.central = organisations.central(ORG)
        self.app: Starlette = make_app(organisations, settings)
        self.runner = asyncio.Runner()
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=("10.1.2.3", 40000)), base_url="http://central.example"
        )

    @property
    def service(self) -> Service:
        """What the routes share."""
        found = self.app.state.service
        assert isinstance(found, Service)
        return found

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()
        self.organisations.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def post(self, path: str, body: bytes, token: str = "", **headers: str) -> httpx.Response:
        return self.run(self.posting(path, body, token, **headers))

    async def posting(self, path: str, body: bytes, token: str = "", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            named["authorization"] = f"Bearer {token}"
        return await self.client.post(path, content=body, headers=named)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.run(
            self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        )

    def login(self, user: str, *, org: str = ORG) -> Ticket:
        answer = self.post(f"/{org}/v1/login", login_body(user))
        assert answer.status_code == 200, answer.text
        return json_as(answer, Ticket)

    def hello(self, token: str) -> Welcome:
        answer = self.post(f"/{ORG}/v1/sync/hello", hello_body(), token)
        assert answer.status_code == 200, answer.text
        return json_as(answer, Welcome)

    def held(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything that a refused request leaves as it was."""
        with self.central.workspace() as ws:
            return {name: selected(ws, f"SELECT * FROM {name} ORDER BY 1, 2") for name in TABLES}

    def do(self, name: str, subject: str | None = None, /, **args: object) -> str:
        """A command at headquarters; the id it gives."""
        with self.central.writing("system") as ws:
            return str(ws.do(name, subject, **args).returned)

    def revoke(self, device: str) -> None:
        self.do("devices.revoke", device)


def login_body(user: str, password: str = PASSWORD) -> bytes:
    return json.dumps({"user": user, "password": password, "name": "a laptop"}).encode()


def hello_body() -> bytes:
    said = {"protocols": [1], "app": "test", "schema": SCHEMA_VERSION, "next_device_seq": 1, "cursor": _json(Cursor())}
    return json.dumps({**said, "now": utc_now().isoformat()}).encode()


def pull_body(cursor: Cursor, view: str, wait: float = 0) -> bytes:
    return json.dumps({"cursor": _json(cursor), "schema": SCHEMA_VERSION, "view": view, "wait": wait}).encode()


def push_body(*phones: str, first: int = 1, name: str = "leads.report", **more: object) -> bytes:
    """A push that reports a lead for each telephone number."""
    ops = [_reported(phone, first + place, name) for place, phone in enumerate(phones)]
    said = {"schema": SCHEMA_VERSION, "n": len(ops), "now": utc_now().isoformat(), "ops": ops}
    return json.dumps({**said, **more}).encode()


def _reported(phone: str, device_seq: int, name: str) -> dict[str, object]:
    made = new_operation_id()
    args = {"name": "李雷", "phone": phone, "city": "上海"}
    return {
        "id": made, "device_seq": device_seq, "name": name, "version": 1, "subject": "", "args": args, "batch": made,
        "at": utc_now().isoformat(),
    }  # fmt: skip


def _json(value: object) -> object:
    return json.loads(encode(value))


def json_as(answer: httpx.Response, wanted: type[T]) -> T:
    import msgspec

    return msgspec.json.decode(answer.content, type=wanted)


def opened(furnished: tuple[Path | None, str], **more: object) -> House:
    data, database = furnished
    settings = {"data": str(data or ""), "database": database, "body_most": BODY_MOST, **more}
    return House(Organisations(data, database), Settings(**settings))  # type: ignore[arg-type]


def sync(kind: str) -> str:
    return f"/{ORG}/v1/sync/{kind}"


def require_problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """A problem as it has to be: its status and code, and nothing of how this server is made."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"urn:bo:{code}")
    assert problem["title"]
    for leak in ("Traceback", ".py", "/src/", "sqlite", "psycopg", "SELECT", "msgspec", PASSWORD):
        assert leak not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    return dict(problem)


async def waiting(house: House, ticket: Ticket, cursor: Cursor, view: str, seconds: float) -> tuple[Page, float]:
    """What a pull that waits is told, and how long that took in seconds."""
    started = time.monotonic()
    answer = await house.posting(sync("pull"), pull_body(cursor, view, seconds), ticket.token)
    assert answer.status_code == 200, answer.text
    return json_as(answer, Page), time.monotonic() - started
