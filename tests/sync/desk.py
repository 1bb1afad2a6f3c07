"""Programs at the door: the stage's central store behind the HTTP endpoints, with something of everything in it.

A token is the login of whoever has it: who may have which token is the server's business and not looked at here.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import anyio
import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount

from bo.core.kernel.dispatch import Call
from bo.core.kernel.errors import BoError
from bo.sync import api, problems
from bo.sync.central import Caller, Central
from bo.sync.transport import LoggedOut
from tests.sync.stage import Stage

BASE: Final = "/acme/v1"


class Desk:
    """Sends requests in somebody's name."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.operators = {login: stage.operator(login) for login in ("boss", "hugo", "anna", "bert")}
        self.app = Starlette(
            routes=[Mount("/{org}/v1", routes=api.routes(self.authenticated))],
            exception_handlers={BoError: problems.refused, HTTPException: problems.not_routed},
        )

    async def authenticated(self, request: Request) -> tuple[Central, Caller]:
        login = request.headers.get("authorization", "").removeprefix("Bearer ")
        if login not in self.operators:
            raise LoggedOut("the token is not good", hint="Log in again.")
        return self.stage.central, Caller(self.operators[login])

    def hire(self, login: str, role: str, store: str | None = None) -> None:
        made = self.stage.office.do("operators.add", login=login, roles=role, store=store)
        self.operators[login] = str(made.returned)

    def get(self, path: str, who: str = "boss", **more: Any) -> httpx.Response:
        return self.send("GET", path, who, **more)

    def post(self, path: str, who: str = "boss", *, key: str = "", **more: Any) -> httpx.Response:
        headers = {"idempotency-key": key} if key else {}
        return self.send("POST", path, who, headers={**headers, **more.pop("headers", {})}, **more)

    def send(self, method: str, path: str, who: str = "boss", **more: Any) -> httpx.Response:
        return anyio.run(partial(self.sent, method, path, who, **more))

    async def sent(self, method: str, path: str, who: str = "boss", **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        headers = {"authorization": f"Bearer {who}", **more.pop("headers", {})}
        async with httpx.AsyncClient(transport=transport, base_url="http://office") as client:
            return await client.request(method, BASE + path, headers=headers, **more)

    def head(self) -> int:
        """How far the journal is: a refusal must not move it."""
        return self.stage.office.data_version()


def furnish(stage: Stage) -> dict[str, str]:
    """Something of everything: leads of two shops and of headquarters, referrers, money. The leads by their shop."""
    office = stage.office
    calls = [
        Call("territories.add", None, {"code": "T1", "store": "S1", "city": "上海"}),
        Call("referrers.register", None, {"code": "D1", "name": "李设计", "kind": "designer"}),
        Call("payee_accounts.add", None, {"referrer": "D1", "holder": "李设计", "number": "6222000011130001"}),
        Call("reward_rules.add", None, {
            "code": "VALID", "event": "valid_lead", "kind": "fixed", "amount": "50", "effective_from": "2026-01-01",
        }),
        Call("reward_rules.activate", "VALID", {}),
        Call("customers.add", None, {"number": "C1", "name": "客户一", "phone": "13500135001", "store": "S1"}),
        Call("customers.add", None, {"number": "C2", "name": "客户二", "phone": "13500135002", "store": "S2"}),
    ]  # fmt: skip
    office.run(calls, atomic=True)
    leads = {}
    for store, phone in (("S1", "13800138001"), ("S2", "13800138002"), ("", "13800138003")):
        lead = stage.lead(
            number=f"N-{store or 'HQ'}", name=f"{store or 'HQ'}的客户", phone=phone, referrer="D1", budget="1234.50",
            note=f"words about {store or 'HQ'}",
        )  # fmt: skip
        leads[store] = lead
        if store:
            office.do("leads.accept", lead)
            office.do("leads.assign", lead, store=store)
            office.do("leads.take", lead)
            office.do("leads.follow_up", lead, kind="call", outcome="reached", note=f"called {store}")
    office.do("leads.win", leads["S1"], order_number="O-1", amount="10000", won_at="2026-11-02T02:00:00Z")
    stage.clock.later(days=40)
    office.do("rewards.mature")
    made = office.do("settlements.run", period="2026-11")
    leads["settlement"] = str(made.returned)
    return leads


def code_of(response: httpx.Response) -> tuple[int, str]:
    """The status and the code of a problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert (problem["type"], problem["status"]) == (f"urn:bo:{problem['code']}", response.status_code)
    return response.status_code, problem["code"]
