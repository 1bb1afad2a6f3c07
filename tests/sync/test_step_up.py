"""A second factor is asked for whichever way a decision comes to the central store: from a program or a device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bo.core.access.proving import WrongCode
from bo.core.office import registry
from bo.core.settlement.records import Settlement
from bo.sync import accounts
from bo.sync.client import Report
from bo.sync.openapi import document
from tests.sync.desk import Desk, code_of, furnish
from tests.sync.stage import Device, Stage


class Approver:
    """A settlement that waits for carl, who has a second factor."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder)
        self.desk = Desk(self.stage)
        self.desk.hire("carl", "approver")
        self.id = furnish(self.stage)["settlement"]
        office = self.stage.office
        office.do("settlements.submit", self.id)
        self.codes = accounts.set_up_second_factor(office, self.desk.operators["carl"])[1]

    @property
    def made(self) -> Settlement:
        return self.stage.office.reader().get(Settlement, self.id)

    def post(self, code: str = "", *, key: str = "", hash_: str = "") -> Any:
        headers = {"bo-code": code} if code else {}
        body = {"hash": hash_ or self.made.content_hash}
        return self.desk.post(f"/settlements/{self.id}/approve", "carl", json=body, headers=headers, key=key)

    def batch(self, code: str, calls: int = 1) -> list[dict[str, Any]]:
        call = {"command": "settlements.approve", "subject": self.id, "args": {"hash": self.made.content_hash}}
        sent = self.desk.post("/batch", "carl", json={"calls": [call] * calls}, headers={"bo-code": code})
        found = sent.json()["results"]
        assert isinstance(found, list)
        return found

    def waiting(self) -> Device:
        """A laptop of carl's on which it was approved: that waits for central."""
        laptop = self.stage.device("carl")
        laptop.do("settlements.approve", self.id, hash=self.made.content_hash)
        return laptop


@pytest.fixture
def approver(tmp_path: Path) -> Iterator[Approver]:
    made = Approver(tmp_path)
    yield made
    made.stage.close()


# -- programs ----------------------------------------------------------------------------------------------------------


def test_a_program_sends_the_code_in_a_header(approver: Approver) -> None:
    head = approver.desk.head()
    assert code_of(approver.post()) == (403, "proof_wanted")
    assert code_of(approver.post("000000")) == (403, "wrong_code")
    assert approver.desk.head() == head

    approved = approver.post(approver.codes[0])

    assert (approved.status_code, approver.made.state) == (200, "approved")


def test_a_proof_does_not_outlive_its_request(approver: Approver) -> None:
    assert code_of(approver.post(approver.codes[0], hash_="another"))[0] == 409
    assert code_of(approver.post()) == (403, "proof_wanted")
    assert approver.desk.post("/leads/report", "hugo", json={"name": "x", "phone": "13800138099"}).status_code == 200
    assert code_of(approver.post()) == (403, "proof_wanted")


def test_the_same_call_sent_again_gets_its_answer_though_the_code_is_used_up(approver: Approver) -> None:
    first = approver.post(approver.codes[0], key="a")
    again = approver.post(approver.codes[0], key="a")

    assert (first.json()["status"], again.json()["status"]) == ("applied", "repeated")


def test_a_code_is_spent_only_where_something_wants_one(approver: Approver) -> None:
    body = {"calls": [{"command": "settlements.return", "subject": approver.id, "args": {"reason": "x"}}]}
    assert approver.desk.post("/batch", "carl", json=body, headers={"bo-code": "000000"}).status_code == 200
    dry = approver.desk.post(
        f"/settlements/{approver.id}/approve?dry_run=true", "carl", json={"hash": "x"}, headers={"bo-code": "000000"}
    )
    assert code_of(dry) == (409, "wrong_state")


def test_one_code_goes_for_a_batch(approver: Approver) -> None:
    assert approver.batch("")[0]["error"]["code"] == "proof_wanted"
    assert [item["status"] for item in approver.batch(approver.codes[0])] == ["applied"]


def test_the_document_names_the_header_where_it_is_wanted() -> None:
    paths = document(registry(), "acme")["paths"]
    wanted = {"$ref": "#/components/parameters/code"}

    taking = {path for path, ways in paths.items() if wanted in ways.get("post", {}).get("parameters", ())}

    assert taking == {"/settlements/{id}/approve", "/batch"}


# -- devices -----------------------------------------------------------------------------------------------------------


def test_a_device_sends_the_code_with_what_waits(approver: Approver) -> None:
    laptop = approver.waiting()
    laptop.client.code = approver.codes[0]

    report = laptop.sync()

    assert (report.refused, approver.made.state) == (0, "approved")


def test_without_a_code_central_refuses_what_waited(approver: Approver) -> None:
    laptop = approver.waiting()

    report = laptop.sync()

    assert (report.refused, approver.made.state) == (1, "submitted")
    assert [item.answer.count("proof_wanted") for item in laptop.client.conflicts()] == [1]


def test_a_wrong_code_leaves_all_as_it_was_and_another_is_taken(approver: Approver) -> None:
    laptop = approver.waiting()
    laptop.client.code = "000000"
    with pytest.raises(WrongCode):
        laptop.sync()
    assert (len(laptop.client.pending()), approver.made.state) == (1, "submitted")

    laptop.client.code = approver.codes[0]
    laptop.sync()

    assert approver.made.state == "approved"


def test_what_was_carried_out_before_wants_no_code_again(approver: Approver) -> None:
    # given a push whose answer was lost
    laptop = approver.waiting()
    laptop.client.code = approver.codes[0]
    laptop.client.push(Report())
    assert approver.made.state == "approved"

    # when it is sent again with the code that is used up
    report = laptop.sync()

    # then
    assert (report.refused, laptop.client.pending()) == (0, [])
