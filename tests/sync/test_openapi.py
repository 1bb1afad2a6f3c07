"""The OpenAPI document: what it says of every endpoint, and that the endpoints do it, whatever they are sent."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from bo.core.kernel.kinds import ChoiceKind, Kind, RefKind
from bo.core.office import registry
from bo.sync.openapi import PROBLEMS, document, path_of, taken
from tests.sync.desk import Desk, furnish
from tests.sync.stage import Stage

EXAMPLES_MOST: Final = 3  # of each endpoint and each sort: as documented, and not as documented
SEED: Final = 4711
REGISTRY: Final = registry().load_all()
DOCUMENT: Final = document(REGISTRY, "acme")
OPERATIONS: Final = {
    item["operationId"]: (method, path, item)
    for path, methods in DOCUMENT["paths"].items()
    for method, item in methods.items()
}


def test_every_command_query_and_record_has_its_endpoint() -> None:
    records = [noun for noun in REGISTRY.nouns if f"/{noun}/{{id}}" in DOCUMENT["paths"]]
    asides = {"op", "ledger", "reports", "dashboard", "notifications"}
    assert set(REGISTRY.nouns) - set(records) <= asides
    assert len(records) > 50
    assert set(OPERATIONS) == {
        *REGISTRY.commands,
        *REGISTRY.queries,
        *(f"{noun}.{verb}" for noun in records for verb in ("list", "show", "history")),
        "batch",
        "openapi",
    }
    for command in REGISTRY.commands.values():
        assert OPERATIONS[command.name][:2] == ("post", path_of(command))
    for query in REGISTRY.queries.values():
        assert OPERATIONS[query.name][:2] == ("get", path_of(query))
    assert OPERATIONS["leads.assign"][1] == "/leads/{id}/assign"
    assert OPERATIONS["leads.report"][1] == "/leads/report"


def test_a_command_is_described_from_its_docstring_and_its_kinds() -> None:
    item = OPERATIONS["leads.reject"][2]
    body = item["requestBody"]["content"]["application/json"]["schema"]
    assert item["summary"] == REGISTRY.commands["leads.reject"].summary
    assert "Permission: `leads.review`." in item["description"]
    assert body["additionalProperties"] is False
    assert body["required"] == ["reason"]
    assert "unreachable" in body["properties"]["reason"]["enum"]
    report = OPERATIONS["leads.report"][2]["requestBody"]
    assert report["required"] is False
    assert report["content"]["application/json"]["schema"]["properties"]["budget"]["type"] == [
        "string",
        "integer",
        "null",
    ]
    assert report["content"]["application/json"]["example"]["phone"] == "13800138000"


def test_a_record_is_described_as_it_is_written() -> None:
    lead = DOCUMENT["components"]["schemas"]["lead"]["properties"]
    assert lead["budget"] == {"type": ["string", "null"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
    assert lead["due_at"] == {"type": ["string", "null"], "format": "date-time", "description": "due"}
    assert lead["tags"] == {"type": "array", "items": {"type": "string"}}
    assert lead["state"]["enum"][:2] == ["received", "duplicate"]
    assert DOCUMENT["components"]["schemas"]["settlement"]["properties"]["total"]["type"] == "string"


def test_every_kind_has_a_schema() -> None:
    kinds = {param.kind for command in REGISTRY.commands.values() for param in command.params}
    for command in REGISTRY.commands.values():
        for param in command.params:
            assert taken(param)["type"], param.name
    assert {kind.name for kind in kinds} == _names(Kind)


def _names(cls: type[Kind]) -> set[str]:
    return {name for child in cls.__subclasses__() for name in {child.name, *_names(child)}}


def test_every_answer_and_error_is_described() -> None:
    for method, _path, item in OPERATIONS.values():
        left_out = set() if method == "post" else {"413", "415"}
        assert set(item["responses"]) == {"200", *PROBLEMS} - left_out
        assert item["summary"].endswith((".", "?")), item["operationId"]
    assert DOCUMENT["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}


def test_the_document_is_the_same_each_time_and_is_what_is_served(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    served = Desk(stage).get("/openapi.json").json()
    stage.close()
    assert served == json.loads(json.dumps(document(registry(), "acme"))) == json.loads(json.dumps(DOCUMENT))
    assert document(REGISTRY, "other")["servers"] == [{"url": "/other/v1"}]


# -- whatever is sent --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An office that the examples of all endpoints go to, one after the other."""
    stage = Stage(tmp_path_factory.mktemp("fuzzed"))
    furnish(stage)
    yield Desk(stage)
    stage.close()


@pytest.fixture(scope="module")
def schema(desk: Desk) -> Any:
    """The document as schemathesis reads it; ids and references are mostly some that there are."""
    import schemathesis
    from schemathesis.checks import load_all_checks
    from schemathesis.config import SchemathesisConfig

    load_all_checks()
    made = copy.deepcopy(DOCUMENT)
    for name, (method, path, _item) in OPERATIONS.items():
        _use_what_there_is(desk, made["paths"][path][method], name)
    loaded = schemathesis.openapi.from_dict(made, config=SchemathesisConfig())
    loaded.app = desk.app
    return loaded


def _use_what_there_is(desk: Desk, item: dict[str, Any], name: str) -> None:
    noun = name.partition(".")[0]
    command, query = REGISTRY.commands.get(name), REGISTRY.queries.get(name)
    kinds = {param.name: param.kind for param in (command or query).params} if command or query else {}  # type: ignore[union-attr]
    for parameter in item.get("parameters", ()):
        if parameter.get("in") == "path":
            parameter["schema"] = {"enum": _some(desk, noun)}
        elif isinstance(kind := kinds.get(parameter.get("name")), RefKind):
            parameter["schema"] = {"enum": _some(desk, kind.record)}
    properties = item["requestBody"]["content"]["application/json"]["schema"]["properties"] if command else {}
    for field in properties:
        kind = kinds[field]
        if isinstance(kind, RefKind):
            properties[field] = {"enum": [*_some(desk, kind.record), None]}


def _some(desk: Desk, noun: str) -> list[str]:
    """Ids, keys and ends of ids of records that there are, and one that there is not."""
    reader = desk.stage.office.reader()
    info = reader.info(noun)
    names = ("id", *info.key[:1])
    rows = [[str(item) for item in row if item] for row in reader.page(noun, fields=names, limit=3).rows]
    return [*(item for row in rows for item in row), *(row[0][-6:] for row in rows[:1]), "zzzzzz"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_endpoint_answers_as_documented_whatever_it_is_sent(desk: Desk, schema: Any, name: str) -> None:
    """No 5xx, no status, media type or body that the document does not have; valid requests and broken ones."""
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    method, path, _item = OPERATIONS[name]
    operation = schema[path][method]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @seed(SEED)
        @settings(
            max_examples=EXAMPLES_MOST,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers_as_documented(case: Any) -> None:
            case.call_and_validate(checks=checks, headers={"authorization": "Bearer boss"})

        answers_as_documented()


def test_the_examples_of_the_document_are_good() -> None:
    for name, command in REGISTRY.commands.items():
        content = OPERATIONS[name][2]["requestBody"]["content"]["application/json"]
        example = content.get("example", {})
        assert set(example) <= {param.name for param in command.params}
        for param in command.params:
            if isinstance(param.kind, ChoiceKind) and param.name in example:
                assert example[param.name] in param.kind.options
