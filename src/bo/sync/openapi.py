"""The OpenAPI 3.1 document of an organisation's endpoints, read off the registry.

It says nothing that the registry does not know: paths from names, arguments from kinds, words from docstrings. Kinds
take more spellings than their schema says (`2026/11/3` for a day); what is documented is what comes back.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from bo import __version__
from bo.core.kernel.command import Command, Param, Query, Registry
from bo.core.kernel.kinds import ChoiceKind, Field, Kind, RefKind, RowsKind, TextKind, WholeKind
from bo.core.kernel.reader import PAGE, PAGE_MOST
from bo.core.kernel.record import FieldInfo, RecordInfo, declared_records, info_of, read_annotation
from bo.core.kernel.wire import CURRENCY, kinds_of

Schema = dict[str, Any]

OPENAPI: Final = "3.1.0"
SUBJECT_LONGEST: Final = 200
SAFE_WHOLE: Final = 2**53 - 1  # what every reader of JSON keeps exactly
EXAMPLE_PARAMS: Final = 6
AMOUNT: Final = r"^-?[0-9]+(\.[0-9]+)?$"
RATE: Final = r"^-?[0-9]+\.[0-9]{2}%$"
DESCRIPTION: Final = (
    "Commands change, queries and lists read. Errors are problems (RFC 9457) with a stable `code`. Send an "
    "`Idempotency-Key` with every command: the same key and the same call are carried out once, however often they "
    "are sent. Amounts are text in major units with their currency beside them; an integer given as an amount is in "
    "minor units. Moments are UTC."
)
PROBLEMS: Final = {
    "400": "the request cannot be understood: an unknown or missing argument, a malformed body",
    "401": "no token, or one that is not good any more",
    "403": "the operator may not do that",
    "404": "there is no such record, or it is out of sight",
    "409": "a rule refuses, the record is in another state, or an id stands for several",
    "413": "the body is too large",
    "415": "the body is not JSON",
    "422": "a value cannot be read, or an idempotency key came before with another call",
    "429": "too many requests; Retry-After says when",
    "503": "somebody else is writing, or the store cannot work; try again",
}
ONLY_WITH_BODY: Final = frozenset(("413", "415"))
EXAMPLES: Final[dict[str, object]] = {
    "phone": "13800138000",
    "email": "li@example.com",
    "whole": 3,
    "amount": "1234.50",
    "rate": "2.50%",
    "currency": "CNY",
    "day": "2026-11-03",
    "moment": "2026-11-03T02:00:00.000Z",
    "flag": True,
    "tags": ["vip"],
}


def document(registry: Registry, organisation: str) -> Schema:
    """The document for the endpoints of one organisation. The same registry gives the same document."""
    registry.load_all()
    infos = records_of(registry)
    return {
        "openapi": OPENAPI,
        "info": {"title": "bo", "version": __version__, "description": DESCRIPTION},
        "servers": [{"url": f"/{organisation}/v1"}],
        "security": [{"token": []}],
        "tags": [{"name": noun, "description": _summary(infos.get(noun))} for noun in registry.nouns],
        "paths": _paths(registry, infos),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "parameters": _parameters(),
            "responses": {code: _problem_response(words) for code, words in PROBLEMS.items()},
            "schemas": {**_shared_schemas(), **{info.name: _record_schema(info) for info in infos.values()}},
        },
    }


def records_of(registry: Registry) -> dict[str, RecordInfo]:
    """The records of the registry's modules, by noun."""
    found = declared_records()
    return {noun: found[noun] for noun in registry.nouns if noun in found}


def path_of(item: Command | Query) -> str:
    """The path of a command or query."""
    return f"/{item.noun}/{item.verb}" if item.subject is None else f"/{item.noun}/{{id}}/{item.verb}"


def _paths(registry: Registry, infos: dict[str, RecordInfo]) -> Schema:
    paths: Schema = {}
    for noun, info in infos.items():
        paths[f"/{noun}"] = {"get": _list(noun, info)}
        paths[f"/{noun}/{{id}}"] = {"get": _show(noun, info)}
        paths[f"/{noun}/{{id}}/history"] = {"get": _history(noun, info)}
    for query in registry.queries.values():
        paths.setdefault(path_of(query), {})["get"] = _query(query)
    for command in registry.commands.values():
        paths.setdefault(path_of(command), {})["post"] = _command(command)
    paths["/batch"] = {"post": _batch()}
    paths["/openapi.json"] = {"get": _itself()}
    return dict(sorted(paths.items()))


# -- operations --------------------------------------------------------------------------------------------------------


def _command(command: Command) -> Schema:
    required = [param.name for param in command.params if param.required]
    body = {
        "type": "object",
        "properties": {param.name: taken(param) for param in command.params},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }
    content: Schema = {"schema": body}
    if example := _example(command.params):
        content["example"] = example
    return {
        **_operation(command.name, command.noun, command.summary, _about(command)),
        "parameters": [
            *_subject(command.subject),
            _shared("idempotency_key"),
            _shared("dry_run"),
            *([_shared("code")] if command.step_up else []),
        ],
        "requestBody": {"required": bool(required), "content": {"application/json": content}},
        "responses": _responses("what became of it", _ref("outcome"), body=True),
    }


def _query(query: Query) -> Schema:
    schema, is_file = _answer(query.function)
    answers = _responses("the answer", schema)
    if is_file:
        binary = {"schema": {"type": "string", "format": "binary"}}
        answers["200"]["content"] |= {"application/pdf": binary, "text/csv": binary, "application/octet-stream": binary}
    about = f"{_rest(query.doc)}\n\nPermission: `{query.needs}`.".strip()
    return {
        **_operation(query.name, query.noun, query.summary, about),
        "parameters": [*_subject(query.subject), *(_in_query(param) for param in query.params)],
        "responses": answers,
    }


def _list(noun: str, info: RecordInfo) -> Schema:
    rows = {"type": "array", "items": _ref(info.name)}
    schema = {
        "type": "object",
        "properties": {"rows": rows, "after": {"type": ["string", "null"]}},
        "required": ["rows", "after"],
        "additionalProperties": False,
    }
    answers = _responses("a page, newest first unless the filter sorts", schema)
    answers["200"]["content"]["application/x-ndjson"] = {"schema": {"type": "string", "description": "a row a line"}}
    about = (
        f"{_summary(info)} `after` of a page is where the next one begins. With `Accept: application/x-ndjson` all "
        f"rows come, one a line.\n\nPermission: `{noun}.read`."
    )
    return {
        **_operation(f"{noun}.list", noun, f"List {noun.replace('_', ' ')}.", about),
        "parameters": [_shared(name) for name in ("filter", "fields", "limit", "after")],
        "responses": answers,
    }


def _show(noun: str, info: RecordInfo) -> Schema:
    about = f"With `can`: the commands that it can be the subject of now.\n\nPermission: `{noun}.read`."
    return {
        **_operation(f"{noun}.show", noun, f"Read one {info.name.replace('_', ' ')}.", about),
        "parameters": [_id_of(noun), _shared("fields")],
        "responses": _responses("the record", _ref(info.name)),
    }


def _history(noun: str, info: RecordInfo) -> Schema:
    about = f"The newest first.\n\nPermission: `{noun}.read`."
    return {
        **_operation(f"{noun}.history", noun, f"What was done to a {info.name.replace('_', ' ')}.", about),
        "parameters": [_id_of(noun)],
        "responses": _responses("what was done", _rows_of(_ref("happening"))),
    }


def _batch() -> Schema:
    results = {"type": "array", "items": _ref("batch_result")}
    schema = {
        "type": "object",
        "properties": {"results": results},
        "required": ["results"],
        "additionalProperties": False,
    }
    about = (
        "In one transaction, in order; each call has its own result, unless `atomic` makes all stand or fall together. "
        "An `Idempotency-Key` of the request stands for one of each call's place."
    )
    example = {"calls": [{"command": "leads.report", "args": {"name": "李雷", "phone": "13800138000"}, "key": "4711"}]}
    return {
        **_operation("batch", "", "Carry out up to 1000 commands.", about),
        "parameters": [_shared("idempotency_key"), _shared("dry_run"), _shared("code")],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("batch"), "example": example}},
        },
        "responses": _responses("a result for each call", schema, body=True),
    }


def _itself() -> Schema:
    answers = _responses("OpenAPI 3.1", {"type": "object"})
    return {**_operation("openapi", "", "This document.", ""), "responses": answers}


def _operation(name: str, noun: str, summary: str, about: str) -> Schema:
    tags = {"tags": [noun]} if noun else {}
    return {"operationId": name, **tags, "summary": summary, **({"description": about} if about else {})}


def _about(command: Command) -> str:
    parts = [_rest(command.doc)]
    if command.moves is not None:
        target = f" Leads to `{command.moves.target}`." if command.moves.target else ""
        parts.append("Offered in " + ", ".join(f"`{state}`" for state in command.moves.sources) + "." + target)
    if command.step_up:
        parts.append("An operator with a second factor sends a fresh code of it: `Bo-Code`.")
    parts.append(f"Permission: `{command.needs}`.")
    return "\n\n".join(part for part in parts if part)


def _rest(doc: str) -> str:
    return doc.partition("\n\n")[2].strip()


def _summary(info: RecordInfo | None) -> str:
    return " ".join((info.cls.__doc__ or "").split("\n\n")[0].split()) if info is not None else ""


def _responses(words: str, schema: Schema, *, body: bool = False) -> Schema:
    codes = [code for code in PROBLEMS if body or code not in ONLY_WITH_BODY]
    good = {"description": words, "content": {"application/json": {"schema": schema}}}
    return {"200": good, **{code: {"$ref": f"#/components/responses/{code}"} for code in codes}}


def _problem_response(words: str) -> Schema:
    return {"description": words, "content": {"application/problem+json": {"schema": _ref("problem")}}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


# -- parameters --------------------------------------------------------------------------------------------------------


def _shared(name: str) -> Schema:
    return {"$ref": f"#/components/parameters/{name}"}


def _parameters() -> Schema:
    key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"}
    return {
        "idempotency_key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "the same key and the same call are carried out once; keys are your operator's own",
            "schema": key,
        },
        "code": {
            "name": "Bo-Code",
            "in": "header",
            "description": "six digits of the operator's second factor, or a code from paper, each good once; what "
            "wants one is refused with `proof_wanted`",
            "schema": {"type": "string", "maxLength": 60},
        },
        "dry_run": _query_param("dry_run", {"type": "boolean"}, "carry it out, tell the result, and undo it"),
        "filter": _query_param(
            "filter", {"type": "string", "maxLength": 2000}, "such as `state:valid city:上海 sort:-created_at`"
        ),
        "fields": _query_param("fields", {"type": "string"}, "names by comma, or `all`"),
        "limit": _query_param(
            "limit", {"type": "integer", "minimum": 1, "maximum": PAGE_MOST, "default": PAGE}, "rows at most"
        ),
        "after": _query_param("after", {"type": "string", "minLength": 1}, "`after` of the page before"),
    }


def _query_param(name: str, schema: Schema, words: str) -> Schema:
    return {"name": name, "in": "query", "description": words, "schema": schema}


def _in_query(param: Param) -> Schema:
    schema = taken(param, nullable=False)
    return {"name": param.name, "in": "query", "required": param.required, "schema": schema}


def _subject(subject: Param | None) -> Iterator[Schema]:
    if subject is not None and subject.record is not None:
        yield _id_of(info_of(subject.record).noun)


def _id_of(noun: str) -> Schema:
    schema = {"type": "string", "minLength": 1, "maxLength": SUBJECT_LONGEST}
    words = f"the id of one of the {noun.replace('_', ' ')}, the unique end of its id, or its key"
    return {"name": "id", "in": "path", "required": True, "description": words, "schema": schema}


def _example(params: Sequence[Param]) -> Schema:
    """What is required, and some more of what can be made up."""
    wanted = [param for param in params if param.required] or [
        param for param in params if not isinstance(param.kind, RefKind) and param.name != "extra"
    ]
    made = {param.name: _example_of(param) for param in wanted[:EXAMPLE_PARAMS] if _example_of(param) is not None}
    return made if all(param.name in made for param in params if param.required) else {}


def _example_of(param: Param) -> object:
    kind = param.kind
    if isinstance(kind, ChoiceKind):
        return kind.options[0]
    return EXAMPLES.get(kind.name, param.name.replace("_", " ") if kind.name == "text" else None)


# -- kinds -------------------------------------------------------------------------------------------------------------


def taken(param: Param, *, nullable: bool = True) -> Schema:
    """The schema of a value that is given."""
    schema = {**_taken(param.kind), **_described(param.meta)}
    if not param.required and param.default not in (None, "", (), False):
        schema["default"] = _plain(param.default)
    return _nullable(schema) if nullable and not param.required else schema


def _taken(kind: Kind) -> Schema:
    if isinstance(kind, TextKind):
        return {"type": "string", "maxLength": kind.longest}
    if isinstance(kind, WholeKind):
        return {"type": "integer", "minimum": max(kind.least, -SAFE_WHOLE), "maximum": min(kind.most, SAFE_WHOLE)}
    if isinstance(kind, ChoiceKind):
        return {"type": "string", "enum": list(kind.options)}
    if isinstance(kind, RefKind):
        words = f"the id of one of the {kind.record.replace('_', ' ')}, the unique end of its id, or its key"
        return {"type": "string", "minLength": 1, "maxLength": SUBJECT_LONGEST, "description": words}
    if isinstance(kind, RowsKind):
        row = {name: _taken(inner) for name, inner in kind.kinds.items()}
        one = {"type": "object", "properties": row, "required": list(kind.required), "additionalProperties": False}
        return {"type": "array", "maxItems": kind.most, "items": one}
    return dict(TAKEN[kind.name])


TAKEN: Final[dict[str, Schema]] = {
    "phone": {"type": "string", "examples": ["13800138000", "+86 138 0013 8000"]},
    "email": {"type": "string", "format": "email"},
    "amount": {
        "type": ["string", "integer"],
        "description": "text: major units; an integer: minor units",
        "examples": ["1234.50", 123450],
    },
    "rate": {
        "type": ["string", "integer"],
        "description": "text: percent; an integer: basis points",
        "examples": ["2.5%", 250],
    },
    "currency": {"type": "string", "pattern": "^[A-Za-z]{3}$"},
    "day": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
    "flag": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "facts": {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean", "null"]}},
    "id": {"type": "string", "minLength": 1},
}
TOLD: Final[dict[str, Schema]] = {
    "amount": {"type": "string", "pattern": AMOUNT},
    "rate": {"type": "string", "pattern": RATE},
    "whole": {"type": "integer"},
    "flag": {"type": "boolean"},
    "day": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
    "tags": TAKEN["tags"],
    "facts": TAKEN["facts"],
}


def _told(kind: Kind, *, optional: bool, blank: bool = False) -> Schema:
    """The schema of a value that is answered; `blank` where text may be empty although a kind has words."""
    if isinstance(kind, ChoiceKind):
        schema: Schema = {"type": "string", "enum": [*kind.options, *([""] if blank else [])]}
    else:
        schema = dict(TOLD.get(kind.name, {"type": "string"}))
    return _nullable(schema) if optional else schema


def _nullable(schema: Schema) -> Schema:
    made = dict(schema)
    own = made["type"]
    made["type"] = [*(own if isinstance(own, list) else [own]), "null"]
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made


def _described(meta: Field) -> Schema:
    words = "; ".join(word for word in (meta.label, meta.help) if word)
    return {"description": words} if words else {}


def _plain(value: object) -> object:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value


# -- records and answers -----------------------------------------------------------------------------------------------


def _record_schema(info: RecordInfo) -> Schema:
    """A record as lists and readers tell it. No field is required, since `fields` chooses among them."""
    properties = {item.name: _field(item) for item in info.fields}
    if any(item.kind.name == "amount" for item in info.fields):
        properties.setdefault(CURRENCY, {"type": "string"})
    properties["can"] = {"type": "array", "items": {"type": "string"}, "description": "what can be done with it now"}
    return {
        "type": "object",
        "description": _summary(info),
        "properties": properties,
        "additionalProperties": False,
    }


def _field(item: FieldInfo) -> Schema:
    told = _told(item.kind, optional=item.optional, blank=item.default == "")
    words = _described(item.meta)
    if isinstance(item.kind, RefKind):
        words.setdefault("description", f"the id of one of the {item.kind.record.replace('_', ' ')}")
    return {**told, **words}


def _answer(function: Callable[..., object]) -> tuple[Schema, bool]:
    """The schema of a query's answer, and whether it is a file."""
    hint = get_type_hints(function, include_extras=True).get("return", object)
    if get_origin(hint) in (list, tuple):
        (held, *_more) = get_args(hint)
        if held is str:
            return _rows_of(_object({"id": {"type": "string"}})), False
        return _rows_of(_of_hint(held)), False
    if isinstance(hint, type) and kinds_of(hint):
        return _of_hint(hint), get_type_hints(hint).get("content") is bytes
    return _object({"value": _of_hint(hint)}), False


def _of_hint(hint: object) -> Schema:
    """The schema of a value of a typed answer."""
    kind, meta, optional = read_annotation(hint)
    if kind is not None:
        return {**_told(kind, optional=optional, blank=True), **_described(meta)}
    if get_origin(hint) in (Union, types.UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        return _nullable(_of_hint(inner[0])) if len(inner) == 1 else {}
    if get_origin(hint) in (list, tuple):
        return {"type": "array", "items": _of_hint(get_args(hint)[0])}
    if isinstance(hint, type) and (issubclass(hint, msgspec.Struct) or hasattr(hint, "__dataclass_fields__")):
        hints = get_type_hints(hint, include_extras=True)
        return _object({name: _of_hint(hints[name]) for name in kinds_of(hint)}, " ".join((hint.__doc__ or "").split()))
    return dict(PLAIN.get(hint, {}))


PLAIN: Final[dict[object, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}


def _rows_of(item: Schema) -> Schema:
    return _object({"rows": {"type": "array", "items": item}})


def _object(properties: Schema, words: str = "", required: Sequence[str] | None = None) -> Schema:
    """An object of these properties and no others; all of them are there unless `required` says less."""
    return {
        "type": "object",
        **({"description": words} if words else {}),
        "properties": properties,
        "required": list(properties if required is None else required),
        "additionalProperties": False,
    }


def _shared_schemas() -> Schema:
    text, optional = {"type": "string"}, {"type": ["string", "null"]}
    changed = {
        "type": "object",
        "description": "fields by name, each as [before, after]",
        "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2},
    }
    change = _object({"noun": text, "id": text, "changed": changed})
    status = {"type": "string", "enum": ["applied", "unchanged", "repeated", "requested"]}
    said = {
        "status": {**status, "description": "`repeated`: this key came before, and this is what came of it then"},
        "operation": {**optional, "description": "its number in the journal; none where nothing was written"},
        "subject": optional,
        "returned": {**optional, "description": "the record that was made, else the subject"},
        "changes": {"type": "array", "items": change},
        "dry_run": {"type": "boolean"},
    }
    facts = {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean", "null"]}}
    problem = {
        "type": {**text, "description": "urn:bo: and the code"},
        "title": {**text, "description": "the text, its {facts} not filled in"},
        "detail": {**text, "description": "the text"},
        "status": {"type": "integer"},
        "code": {**text, "description": "the same code as on the command line, such as wrong_state"},
        "hint": {**text, "description": "what to do next"},
        "facts": {**facts, "description": "what the text speaks of; `field` is the argument at fault"},
        "retryable": {"type": "boolean", "description": "the same request may succeed later"},
    }
    call = {
        "command": {**text, "examples": ["leads.report"]},
        "subject": optional,
        "args": {"type": "object"},
        "key": {**optional, "maxLength": 255, "description": "an idempotency key of this call's own"},
    }
    calls = {"type": "array", "items": _object(call, "", ("command",)), "minItems": 1, "maxItems": 1000}
    refused = {"status": {"type": "string", "const": "refused"}, "error": _ref("problem")}
    cause = {**text, "description": "operation/rule/record that it followed; blank where a person or a program did it"}
    happening = {
        "at": TOLD["moment"], "actor": text, "name": text, "operation": text, "changed": changed, "id": text,
        "cause": cause,
    }  # fmt: skip
    outcome = _object(said, "What became of a command.", [name for name in said if name != "dry_run"])
    return {
        "problem": _object(problem, "An error.", ("type", "title", "status", "code")),
        "outcome": outcome,
        "happening": _object(happening, "One thing that was done to a record."),
        "batch": _object({"calls": calls, "atomic": {"type": "boolean", "default": False}}, "", ("calls",)),
        "batch_result": {"oneOf": [_ref("outcome"), _object(refused, "A call that was refused.")]},
    }
