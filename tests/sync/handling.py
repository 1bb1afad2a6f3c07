"""What tests of faults do by hand: work on a device, what it would send, and what must be true in the end."""

from __future__ import annotations

import msgspec

from bo.core.kernel.workspace import SCHEMA_VERSION
from bo.sync.protocol import Answer, Push, Pushed, Sent, encode
from tests.sync import judging
from tests.sync.lossy import Lossy
from tests.sync.stage import Call, Device, Stage


def lossy(device: Device) -> Lossy:
    line = device.client.transport
    assert isinstance(line, Lossy)
    return line


def reported(device: Device, count: int = 1, first: int = 0) -> list[str]:
    """Leads that are reported on a device, together; the ids of the operations."""
    calls = [
        Call("leads.report", None, {"name": "王小明", "phone": f"1391{place:07}", "number": f"N-{place}"})
        for place in range(first, first + count)
    ]
    return [made.operation for made in device.ws.run(calls, atomic=True)]


def sent(device: Device) -> list[Sent]:
    """What the device would push."""
    return device.client._part(device.client.pending())


def pushed(stage: Stage, device: Device, ops: list[Sent]) -> tuple[Answer, ...]:
    body = Push(SCHEMA_VERSION, len(ops), stage.clock(), tuple(ops))
    return msgspec.json.decode(stage.central.answer(device.caller(), "push", encode(body)), type=Pushed).results


def in_step(stage: Stage, device: Device) -> None:
    """The device has nothing waiting and holds what central shows it, and nothing was done twice."""
    shown = judging.rows_shown_to(stage.office, device.ws.actor)
    assert judging.difference(judging.rows_held(device.ws), shown) == ""
    assert not device.client.pending()
    assert set(judging.journal_of(stage.office).values()) == {1}


def numbers(stage: Stage) -> list[str]:
    return [row[0] for row in judging.selected(stage.office, "SELECT number FROM lead ORDER BY n")]
