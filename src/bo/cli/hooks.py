"""`bo central webhook`: how far each webhook has been told, its secret, and going on after a failure.

A webhook itself is a record: `bo webhooks add`, `edit`, `list`. What stands here is beside the journal and works on the
central store itself, like the rest of `bo central`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from bo.cli.leaf import EVERYWHERE, READS, Argument, Leaf, Option

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.sync.central import Central

READ: Final = "webhooks.read"
EDIT: Final = "webhooks.edit"  # who has the secret can speak as this office
SHOWN: Final = ("name", "host", "operator", "state", "behind", "attempts", "next_at", "error")


def leaves(org: Argument, place: tuple[Option, ...]) -> dict[tuple[str, ...], Leaf]:
    """The commands; `org` and `place` say which organisation, and where it lies, as for all of `bo central`."""
    hook = Argument("webhook", "WEBHOOK", "name or id", required=True)

    def leaf(verb: str, summary: str, *arguments: Argument, options: tuple[Option, ...] = (), doc: str = "") -> Leaf:
        return Leaf(
            f"central.webhook.{verb}", summary, f"bo.cli.hooks:webhook_{verb}", arguments=(org, *arguments),
            options=(*options, *place, *EVERYWHERE), doc=doc,
        )  # fmt: skip

    made = {
        "list": leaf(
            "list", "List the webhooks: how far each has been told, and what keeps it.", options=READS[:1],
            doc="Permission: webhooks.read.",
        ),
        "secret": leaf(
            "secret", "Show the secret that a receiver checks signatures by, or make another.", hook,
            options=(Option("new", "make another one; the old one signs too for 24 hours", kind="flag"),),
            doc="Permission: webhooks.edit.",
        ),
        "resume": leaf(
            "resume", "Let a webhook that waits, or was parked, go on at once where it stood.", hook,
            options=(Option("from_now", "leave out what has happened so far", kind="flag"),),
            doc="Permission: webhooks.edit.",
        ),
        "test": leaf(
            "test", "Send a webhook an event of type webhooks.test. Nothing else moves.", hook,
            doc="Exits 69 where the answer is not 2xx. Permission: webhooks.edit.",
        ),
    }  # fmt: skip
    return {("central", "webhook", verb): item for verb, item in made.items()}


GROUP: Final = {"central webhook": "Addresses that are told what happens."}


def webhook_list(asked: Asked) -> int:
    """Write how each webhook is doing."""
    from bo.cli import exit_codes
    from bo.cli.central import _plain, _wanted, _write
    from bo.cli.output import Column
    from bo.sync.webhooks import status

    columns = (
        Column("webhook", "id", "id"), Column("name"), Column("host"), Column("operator", "id"), Column("state"),
        Column("behind", "whole"), Column("attempts", "whole"), Column("next_at", "moment", "next attempt"),
        Column("error"),
    )  # fmt: skip
    with _central(asked, READ) as central:
        with central.workspace() as ws:
            zone = ws.context.zone
        rows = [{**_plain(item), "id": item.webhook} for item in status(central)]
        _write(asked, _wanted(asked, columns, SHOWN, "webhook"), [rows], zone=zone)
    return exit_codes.OK


def webhook_secret(asked: Asked) -> int:
    """Write the secret."""
    from bo.cli import diagnostics, exit_codes, output
    from bo.sync.webhooks import rotate_secret, secret_of

    with _central(asked, EDIT) as central:
        make = rotate_secret if asked.flag("new") else secret_of
        secret = make(central, asked.text("webhook"))
    if asked.form in ("", "ids"):
        output.write(f"{secret}\n")
    else:
        output.record(asked, [output.Column("secret")], [secret])
    if asked.flag("new"):
        diagnostics.note(asked, "The old one signs too for 24 hours.")
    return exit_codes.OK


def webhook_resume(asked: Asked) -> int:
    """Let a webhook go on."""
    from bo.cli import diagnostics, exit_codes
    from bo.sync.webhooks import resume

    with _central(asked, EDIT) as central:
        resume(central, asked.text("webhook"), from_now=asked.flag("from_now"))
    diagnostics.note(asked, "{name} goes on", name=asked.text("webhook"))
    return exit_codes.OK


def webhook_test(asked: Asked) -> int:
    """Send a test event and write what came back."""
    from bo.cli import exit_codes, output
    from bo.cli.output import Column
    from bo.sync.webhooks import send_test

    with _central(asked, EDIT) as central:
        made = send_test(central, asked.text("webhook"))
    columns = [
        Column("id"), Column("ok", "flag"), Column("status", "whole"), Column("text"), Column("milliseconds", "whole"),
    ]  # fmt: skip
    output.record(asked, columns, [made.id, made.ok, made.status, made.text, made.milliseconds])
    return exit_codes.OK if made.ok else exit_codes.UNREACHABLE


@contextmanager
def _central(asked: Asked, needs: str) -> Iterator[Central]:
    """The organisation's store, once it is known that whoever acts may do this. Raises NotFound, NotAllowed."""
    from bo.cli.central import _operator, organisations
    from bo.core.kernel.errors import NotAllowed
    from bo.core.kernel.tx import SYSTEM

    with closing(organisations(asked)) as held:
        central = held.central(asked.text("org"))
        with central.workspace() as ws:
            if asked.text("as") and asked.text("as") != SYSTEM.id:
                ws.actor = _operator(ws, asked.text("as")).id
            actor = ws.who()
        if not actor.may(needs):
            raise NotAllowed(
                "{actor} may not {permission}", hint="Ask an administrator.", actor=actor.name, permission=needs
            )
        yield central
