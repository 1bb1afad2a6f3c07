"""HTTP for programs: every command and query of the registry is an endpoint, and every record can be listed and read.

    POST /{noun}/{verb}          POST /{noun}/{id}/{verb}          a command; the body is an object of its arguments
    GET  /{noun}                 GET  /{noun}/{id}                 GET /{noun}/{id}/history
    GET  /{noun}/{query}         GET  /{noun}/{id}/{query}         POST /batch        GET /openapi.json

Nothing is written twice: paths, arguments and the document are read off the registry. It refuses what it cannot read
word for word: unknown arguments, double names, half characters, what is nested too deeply.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import Final, TypeAlias, TypeVar
from urllib.parse import quote, unquote_to_bytes

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bo.core.kernel.command import Command, Query, Registry
from bo.core.kernel.errors import BadValue, BoError, NotFound, UsageError, fill
from bo.core.kernel.reader import PAGE
from bo.core.office import registry as new_registry
from bo.sync import problems, programs
from bo.sync.central import Caller, Central, Revoked, problem_of
from bo.sync.openapi import document, path_of, records_of
from bo.sync.programs import FACT_LONGEST, File, Listed, Result, Wanted

Authenticated: TypeAlias = Callable[[Request], Awaitable[tuple[Central, Caller]]]
T = TypeVar("T")

BATCH_MOST: Final = 1000
STREAM_PAGE: Final = 1000
TEXT_LONGEST: Final = 40_000  # longer than any field; below what a pattern of the database may have
DEPTH_MOST: Final = 16
PARAMS_MOST: Final = 200
EXACT: Final = 2**53  # beyond it, readers of JSON lose digits
CODE_HEADER: Final = "bo-code"  # of the second factor: in a header, so that it is in no log of bodies and addresses
JSON: Final = "application/json"
LINES: Final = "application/x-ndjson"
MEDIA: Final = {"csv": "text/csv", "pdf": "application/pdf"}
LIST_PARAMS: Final = ("filter", "fields", "limit", "after")


class WrongMethod(BoError):
    """The path is there, and it is asked in another way."""

    code = "wrong_method"


class UnknownMedia(BoError):
    """A body that is not JSON."""

    code = "unknown_media"


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several calls in one request."""

    calls: list[BatchCall]
    atomic: bool = False


class BatchCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of them. `key` is an idempotency key of its own."""

    command: str
    subject: str | None = None
    args: dict[str, object] = {}
    key: str | None = None


class Target(msgspec.Struct, frozen=True):
    """What a request is about: `kind` is one of document batch command query list record history."""

    kind: str
    path: str  # as the document writes it
    noun: str = ""
    subject: str | None = None
    command: Command | None = None
    query: Query | None = None


def routes(authenticated: Authenticated) -> list[Route]:
    """The routes for programs, to be mounted under an organisation's path, behind those for devices and people.

    `authenticated` says who asks, of which central store; it raises what the server answers by itself.
    """
    return [Route("/{rest:path}", Endpoint(authenticated))]


class Endpoint:
    """An ASGI application. One for all paths, so that an id may hold any character, also an escaped slash."""

    def __init__(self, authenticated: Authenticated) -> None:
        self.authenticated = authenticated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        central, caller = await self.authenticated(request)
        try:
            if caller.revoked:
                raise Revoked("this device has been shut out", hint="Ask an administrator.")
            response = await _answer(request, central, caller)
        except BoError as error:
            if error.code in problems.INTERNAL:
                raise  # the words may name files and hosts
            response = _refused(error)
        except RecursionError:
            response = _refused(_too_deep())
        await response(scope, receive, send)


async def _answer(request: Request, central: Central, caller: Caller) -> Response:
    segments = _segments(request.scope)
    method = "GET" if request.method == "HEAD" else request.method
    target = find(_registry(), method, segments)
    request.scope["route"] = _route(target.path)  # for whoever counts requests by route
    return await HANDLERS[target.kind](request, central, caller, target)


# -- what is asked for -------------------------------------------------------------------------------------------------


@cache
def _registry() -> Registry:
    """Names and signatures, which are the same for every organisation."""
    return new_registry().load_all()


@lru_cache(maxsize=4096)
def _route(path: str) -> Route:
    return Route(path, _answer)


def find(registry: Registry, method: str, segments: Sequence[str]) -> Target:
    """What a path means. Raises NotFound, WrongMethod, or UsageError for a command that needs an id or takes none."""
    found = _target(registry, method, segments)
    if found is not None:
        return found
    if method == "POST":
        _say_how(registry, segments)
    allowed = [other for other in ("GET", "POST") if other != method and _target(registry, other, segments)]
    if not allowed:
        raise NotFound("there is nothing at this path", hint="openapi.json lists what there is.")
    raise WrongMethod("this is not asked that way", hint="Use {allowed}.", allowed=", ".join(allowed))


def _target(registry: Registry, method: str, segments: Sequence[str]) -> Target | None:
    noun, *rest = segments
    if method == "POST":
        if segments == ["batch"]:
            return Target("batch", "/batch")
        command = registry.commands.get(f"{noun}.{rest[-1]}") if rest else None
        if command is None or len(rest) != (1 if command.subject is None else 2):
            return None
        return Target("command", path_of(command), noun, rest[0] if len(rest) == 2 else None, command)
    if method != "GET":
        return None
    if segments == ["openapi.json"]:
        return Target("document", "/openapi.json")
    query = registry.queries.get(f"{noun}.{rest[-1]}") if rest else None
    if query is not None and len(rest) == (1 if query.subject is None else 2):
        return Target("query", path_of(query), noun, rest[0] if len(rest) == 2 else None, None, query)
    if noun not in records_of(registry) or len(rest) > 2 or (len(rest) == 2 and rest[1] != "history"):
        return None
    kind, path = (("list", ""), ("record", "/{id}"), ("history", "/{id}/history"))[len(rest)]
    return Target(kind, f"/{noun}{path}", noun, rest[0] if rest else None)


def _say_how(registry: Registry, segments: Sequence[str]) -> None:
    """Raise UsageError where a command is meant, with an id too many or too few."""
    command = registry.commands.get(f"{segments[0]}.{segments[-1]}") if len(segments) in (2, 3) else None
    if command is not None and len(segments) != (2 if command.subject is None else 3):
        words = "{command} takes no subject" if command.subject is None else "{command} needs the id of a record"
        raise UsageError(words, hint="POST {path}", command=command.name, path=path_of(command))


def _segments(scope: Scope) -> list[str]:
    """The parts of the path below the mount, each unescaped by itself. Raises UsageError for half characters."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    parts = raw.partition(b"?")[0].lstrip(b"/").split(b"/")
    prefix = [part for part in str(scope.get("root_path", "")).split("/") if part]
    try:
        return [unquote_to_bytes(part).decode() for part in parts[len(prefix) :]] or [""]
    except UnicodeDecodeError:
        raise UsageError("the path is not UTF-8") from None


# -- what is given -----------------------------------------------------------------------------------------------------


async def _body(request: Request) -> dict[str, object]:
    """The JSON object of a body; an empty body is an empty object. Raises UnknownMedia, UsageError, BadValue."""
    media = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    body = await request.body()
    if body and media != JSON and not media.endswith("+json"):
        raise UnknownMedia("the body is not JSON", hint="Content-Type: application/json")
    return read_object(body)


def read_object(body: bytes) -> dict[str, object]:
    """A JSON object that means one thing only. Raises UsageError for double names, NaN, half characters, depth."""
    if not body.strip():
        return {}
    try:
        found = msgspec.json.decode(body)
        json.loads(body.decode(), object_pairs_hook=_once)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise UsageError("the body cannot be read: {reason}", reason=str(error)[:200]) from None
    if not isinstance(found, dict):
        raise UsageError("the body is not an object", hint='Send {{"argument": "value"}}.')
    _require_bounds(found, DEPTH_MOST)
    return found


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found


def _require_bounds(value: object, depth: int) -> None:
    if isinstance(value, str) and (len(value) > TEXT_LONGEST or "\0" in value):
        raise BadValue("no field takes text of {length} characters, or with a NUL", length=len(value))
    if not isinstance(value, (dict, list)):
        return
    if not depth:
        raise _too_deep()
    for item in (*value, *value.values()) if isinstance(value, dict) else value:
        _require_bounds(item, depth - 1)


def _too_deep() -> UsageError:
    return UsageError("the body is nested too deeply")


def _params(request: Request, allowed: Sequence[str] | None = None) -> dict[str, str | list[str]]:
    """The query string by name; a name that comes several times is a list. Raises UsageError for one that is not
    `allowed`, and for what is not UTF-8."""
    try:
        request.scope["query_string"].decode("ascii")
        for part in request.scope["query_string"].replace(b"+", b" ").split(b"&"):
            unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise UsageError("the query string is not UTF-8") from None
    items = request.query_params.multi_items()
    if len(items) > PARAMS_MOST:
        raise UsageError("there are more than {most} parameters", most=PARAMS_MOST)
    given: dict[str, list[str]] = {}
    for name, value in items:
        _require_bounds([name, value], 1)
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        if allowed is not None and (name not in allowed or len(values) > 1):
            words = "{field} occurs twice" if name in allowed else "there is no parameter {field}"
            raise UsageError(words, hint="It takes: {names}.", field=name[:80], names=", ".join(allowed))
    return {name: values[0] if len(values) == 1 else values for name, values in given.items()}


def _one(params: Mapping[str, str | list[str]], name: str) -> str:
    return str(params.get(name, ""))


def _flag(params: Mapping[str, str | list[str]], name: str) -> bool:
    text = _one(params, name).lower()
    if text not in ("", "true", "false", "1", "0"):
        raise BadValue("{value} is neither true nor false", field=name, value=text[:80])
    return text in ("true", "1")


def _key(request: Request) -> str:
    """The idempotency key, plain or in quotation marks as the draft has it. Raises UsageError for two."""
    values = request.headers.getlist("idempotency-key")
    if len(values) > 1:
        raise UsageError("there are two idempotency keys", hint="Send one.")
    if not values:
        return ""
    key = values[0].strip(" \t")
    if len(key) > 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not key:
        raise UsageError("the idempotency key is blank", hint="Leave the header away, or give a key.")
    return key


# -- answering ---------------------------------------------------------------------------------------------------------


async def _command(request: Request, central: Central, caller: Caller, target: Target) -> Response:
    assert target.command is not None
    params = _params(request, ("dry_run",))
    key, args = _key(request), await _body(request)
    operation = programs.operation_for(_organisation(request), caller.operator, key) if key else ""
    wanted = Wanted(target.command.name, target.subject, args, operation)
    code = request.headers.get(CODE_HEADER, "")
    (result,) = await _carried_out(central, caller, [wanted], dry_run=_flag(params, "dry_run"), code=code)
    if result.error is not None:
        raise result.error
    return _json(result.said)


async def _batch(request: Request, central: Central, caller: Caller, _target: Target) -> Response:
    params = _params(request, ("dry_run",))
    key, found = _key(request), await _body(request)
    try:
        batch = msgspec.convert(found, Batch)
    except msgspec.MsgspecError as error:
        raise UsageError("the body is no batch: {reason}", reason=str(error)[:200]) from None
    if not 0 < len(batch.calls) <= BATCH_MOST:
        raise UsageError("a batch has 1 to {most} calls", most=BATCH_MOST)
    of_key = partial(programs.operation_for, _organisation(request), caller.operator)
    wanted = []
    for place, call in enumerate(batch.calls):
        own = call.key if call.key is not None else f"{key}:{place}" if key else None
        wanted.append(Wanted(call.command, call.subject, call.args, of_key(own) if own is not None else ""))
    code, dry_run = request.headers.get(CODE_HEADER, ""), _flag(params, "dry_run")
    results = await _carried_out(central, caller, wanted, atomic=batch.atomic, dry_run=dry_run, code=code)
    return _json({"results": [_in_batch(result) for result in results]})


def _in_batch(result: Result) -> dict[str, object]:
    return result.said if result.error is None else {**result.said, "error": problem(result.error)}


async def _carried_out(
    central: Central, caller: Caller, wanted: Sequence[Wanted], *, atomic: bool = False, dry_run: bool = False,
    code: str = "",
) -> list[Result]:  # fmt: skip
    def work() -> list[Result]:
        with central.writing(caller.operator) as ws:
            return programs.carry_out(ws, wanted, atomic=atomic, dry_run=dry_run, code=code)

    return await anyio.to_thread.run_sync(work)


async def _list(request: Request, central: Central, caller: Caller, target: Target) -> Response:
    params = _params(request, LIST_PARAMS)
    names = [name.strip() for name in _one(params, "fields").split(",") if name.strip()]
    limit, after = _limit(_one(params, "limit")), _one(params, "after") or None
    text = _one(params, "filter")

    async def page(size: int, after: str | None) -> Listed:
        work = partial(_paged, central, caller, target.noun, text, names, size, after)
        return await anyio.to_thread.run_sync(work)

    if _prefers(request, LINES):
        first = await page(min(limit or STREAM_PAGE, STREAM_PAGE), after)
        return StreamingResponse(_lines(page, first, limit), media_type=LINES)
    found = await page(limit or PAGE, after)
    return _json({"rows": found.rows, "after": found.after})


def _paged(
    central: Central, caller: Caller, noun: str, text: str, names: Sequence[str], size: int, after: str | None
) -> Listed:
    with central.workspace(caller.operator) as ws:
        return programs.page(ws, noun, text, names, limit=size, after=after)


async def _lines(
    page: Callable[[int, str | None], Awaitable[Listed]], found: Listed, limit: int | None
) -> AsyncIterator[bytes]:
    """Rows as they are read, page by page: who reads slowly holds no connection to the database, and a right that is
    taken away ends the answer."""
    encode = msgspec.json.Encoder().encode_lines
    left = limit
    while True:
        if found.rows:
            yield encode(found.rows)
        left = left - len(found.rows) if left is not None else None
        if found.after is None or left == 0:
            return
        found = await page(min(left or STREAM_PAGE, STREAM_PAGE), found.after)


async def _record(request: Request, central: Central, caller: Caller, target: Target) -> Response:
    names = [name.strip() for name in _one(_params(request, ("fields",)), "fields").split(",") if name.strip()]

    def work() -> dict[str, object]:
        with central.workspace(caller.operator) as ws:
            return programs.show(ws, target.noun, target.subject or "", names)

    return _json(await anyio.to_thread.run_sync(work))


async def _history(request: Request, central: Central, caller: Caller, target: Target) -> Response:
    _params(request, ())

    def work() -> list[dict[str, object]]:
        with central.workspace(caller.operator) as ws:
            return programs.history(ws, target.noun, target.subject or "")

    return _json({"rows": await anyio.to_thread.run_sync(work)})


async def _query(request: Request, central: Central, caller: Caller, target: Target) -> Response:
    query = target.query
    assert query is not None
    args = _params(request)

    def work() -> File | dict[str, object]:
        with central.workspace(caller.operator) as ws:
            return programs.ask(ws, query, target.subject, args)

    answer = await anyio.to_thread.run_sync(work)
    if not isinstance(answer, File):
        return _json(answer)
    if _prefers(request, JSON):
        return _json(answer.fields)
    media = MEDIA.get(answer.name.rpartition(".")[2], "application/octet-stream")
    name = f"attachment; filename*=UTF-8''{quote(answer.name, safe='')}"
    return Response(answer.content, media_type=media, headers={"content-disposition": name})


async def _document(request: Request, _central: Central, _caller: Caller, _target: Target) -> Response:
    _params(request, ())
    return Response(_written(_organisation(request)), media_type=JSON)


@lru_cache(maxsize=64)
def _written(organisation: str) -> bytes:
    return msgspec.json.encode(document(_registry(), organisation))


HANDLERS: Final[dict[str, Callable[[Request, Central, Caller, Target], Awaitable[Response]]]] = {
    "document": _document,
    "batch": _batch,
    "command": _command,
    "query": _query,
    "list": _list,
    "record": _record,
    "history": _history,
}


def _organisation(request: Request) -> str:
    return str(request.path_params.get("org", ""))


def _limit(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise BadValue("{value} is not a number of rows", field="limit", value=text[:40])
    return int(text)


def _prefers(request: Request, media: str) -> bool:
    """Whether this is what is asked for by name; `*/*` means the usual."""
    names = [item.partition(";")[0].strip().lower() for item in request.headers.get("accept", "").split(",")]
    return media in names


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type=JSON)


# -- errors ------------------------------------------------------------------------------------------------------------

STATUS: Final = {**problems.STATUS, "wrong_method": 405, "unknown_media": 415, "key_reused": 422}


def problem(error: BoError) -> dict[str, object]:
    """An error as RFC 9457 writes it: `title` and `hint` are the texts as they are translated, `detail` is the title
    with its facts."""
    found = problem_of(error)
    facts = {name: _fact(value) for name, value in found.facts.items()}
    status = STATUS.get(error.code, found.status)
    detail, hint = fill(error.message, facts), fill(error.hint, facts)
    made = msgspec.structs.replace(found, status=status, facts=facts, hint=hint)
    return {**msgspec.to_builtins(made), "detail": detail[: 2 * FACT_LONGEST]}


def _fact(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT:
        return str(value)[:FACT_LONGEST]
    return value[:FACT_LONGEST] if isinstance(value, str) else value


def _refused(error: BoError) -> Response:
    made = problem(error)
    response = Response(msgspec.json.encode(made), int(str(made["status"])), media_type=problems.MEDIA_TYPE)
    if isinstance(error, WrongMethod):
        response.headers["allow"] = str(error.facts["allowed"])
    if error.retryable:
        response.headers["retry-after"] = "1"
    return response
