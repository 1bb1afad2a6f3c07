"""`bo central webhook`: how webhooks are doing, their secrets, and going on, from the command line."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from bo.cli import builtin, hooks
from bo.core.office import open_office
from bo.sync.organisations import Organisations
from bo.sync.outbox import Worker
from tests.cli.running import Desk, Ran
from tests.sync.receiver import Receiver, verify

URL: Final = "https://hooks.example.com/T00/path-that-is-a-secret"


class Bench(Desk):
    """A central store on disk with the organisation acme, whose administrator is ann."""

    data: Path

    def hooks(self, *words: str) -> Ran:
        return self.bo("central", "webhook", *words)

    def done(self, *words: str) -> Ran:
        return self.well("central", "webhook", *words)

    def work(self, receiver: Receiver) -> int:
        with closing(Organisations(self.data)) as held:
            return Worker(held.central("acme"), send=receiver).run_once()

    def do(self, name: str, subject: str | None = None, /, **args: object) -> None:
        with closing(open_office(self.data / "acme", operator="ann")) as office:
            office.do(name, subject, **args)


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bench:
    for path, leaf in hooks.leaves(builtin._ORG, builtin._PLACE).items():
        monkeypatch.setitem(builtin.LEAVES, path, leaf)
    monkeypatch.setitem(builtin.GROUPS, "central webhook", hooks.GROUP["central webhook"])
    made = Bench(tmp_path / "nowhere", capsys, monkeypatch)
    made.data = tmp_path / "data"
    monkeypatch.setenv("BO_DATA", str(made.data))
    made.well("central", "org", "create", "acme", "--operator", "ann", "-q")
    made.do("operators.add", login="eve", roles="reviewer")
    made.do("webhooks.add", name="erp", url=URL, events="stores.*", operator="ann")
    return made


def test_a_webhook_is_listed_with_what_keeps_it_and_goes_on(bench: Bench) -> None:
    bench.do("stores.add", code="S1", name="浦东店")
    receiver = Receiver(RuntimeError("a fault"))
    assert bench.work(receiver) == 0

    (listed,) = bench.done("list", "acme", "-o", "json").things()
    assert {name: listed[name] for name in ("name", "host", "state", "attempts", "error")} == {
        "name": "erp", "host": "hooks.example.com", "state": "waiting", "attempts": 1, "error": "RuntimeError",
    }  # fmt: skip
    assert bench.work(receiver) == 0

    bench.done("resume", "acme", "erp")
    assert bench.work(receiver) == 1
    assert receiver.types == ["stores.add", "stores.add"]
    assert "path-that-is-a-secret" not in bench.done("list", "acme", "--fields", "all", "-o", "json").out


def test_what_happened_so_far_can_be_left_out(bench: Bench) -> None:
    bench.do("stores.add", code="S1", name="浦东店")
    bench.done("resume", "acme", "erp", "--from-now")
    bench.do("stores.add", code="S2", name="静安店")

    receiver = Receiver()
    assert bench.work(receiver) == 1
    assert receiver.got[0].row("stores")["code"] == "S2"


def test_a_secret_is_written_and_changed(bench: Bench) -> None:
    first = bench.done("secret", "acme", "erp").out.strip()
    assert first.startswith("whsec_")
    assert bench.done("secret", "acme", "erp").out.strip() == first
    second = bench.done("secret", "acme", "erp", "--new", "-o", "json").thing()["secret"]
    assert second != first

    bench.do("stores.add", code="S1", name="浦东店")
    receiver = Receiver()
    bench.work(receiver)
    (got,) = receiver.got
    for secret in (first, str(second)):
        verify(secret, got.headers, got.body, now=int(got.headers["webhook-timestamp"]))


def test_a_test_says_what_came_back_and_exits_by_it(bench: Bench) -> None:
    bench.do("webhooks.edit", "erp", url="https://127.0.0.1/")
    ran = bench.hooks("test", "acme", "erp", "-o", "json")
    assert ran.code == 69
    assert (ran.thing()["ok"], ran.thing()["status"]) == (False, 0)


def test_who_may_not_edit_webhooks_sees_no_secret_and_moves_nothing(bench: Bench) -> None:
    for words in (("list", "acme"), ("secret", "acme", "erp"), ("resume", "acme", "erp"), ("test", "acme", "erp")):
        ran = bench.hooks(*words, "--as", "eve")
        assert (ran.code, ran.out) == (77, "")
    assert bench.hooks("secret", "acme", "nobody").code == 66
    assert bench.hooks("list", "nobody").code == 66
