"""Operators and roles."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    ChoiceKind,
    Count,
    Email,
    Field,
    Flag,
    Id,
    Moment,
    Note,
    PersonName,
    RefKind,
    Tags,
    Text,
)
from bo.core.kernel.record import Record, State, record


class WrongAddress(Refused):
    """An address that nothing is sent to."""

    code = "wrong_address"


OperatorKind = Annotated[str, ChoiceKind("person", "service")]


@record(
    "roles",
    prefix="role",
    key=("code",),
    create="roles.add",
    edit="roles.edit",
    columns=("code", "permissions", "note"),
)
class Role(Record, kw_only=True):
    """A named set of permissions such as `leads.assign`, `leads.*` or `*`."""

    code: Annotated[Text, Field(lookup=True, unique=True, aliases=("角色", "role"))]
    permissions: Annotated[Tags, Field(aliases=("权限",))] = ()
    note: Text = ""

    def held_by(self) -> str:
        return "everyone"


@record(
    "operators",
    prefix="oper",
    key=("login",),
    create="operators.add",
    edit="operators.edit",
    columns=("login", "name", "roles", "store", "active"),
    called=("name", "login"),
)
class Operator(Record, kw_only=True):
    """Who works here: a person, or a service such as cron. With a store set, that operator sees this shop's rows
    only."""

    login: Annotated[Text, Field(lookup=True, unique=True, aliases=("user", "username", "账号", "登录名"))]
    name: Annotated[PersonName, Field(search=True, aliases=("姓名",))] = ""
    email: Annotated[Email, Field(public=True)] | None = None
    kind: OperatorKind = "person"
    roles: Annotated[Tags, Field(aliases=("角色",))] = ()
    store: Annotated[str, RefKind("stores"), Field(index=True, aliases=("门店",))] | None = None
    active: Flag = True

    def held_by(self) -> str:
        return f"operator:{self.id}"


ACTIVE, REVOKED = State("active"), State("revoked")
DeviceState = Annotated[str, ChoiceKind(ACTIVE, REVOKED)]


@record(
    "devices",
    prefix="dev",
    states=(ACTIVE, REVOKED),
    columns=("name", "operator", "state", "created_at"),
)
class Device(Record, kw_only=True):
    """A machine that works offline in one operator's name and syncs with this central store."""

    operator: Annotated[str, RefKind("operators"), Field(index=True)]
    name: Annotated[Text, Field(search=True)] = ""
    state: DeviceState = ACTIVE
    revoked_reason: Annotated[Text, Field(label="why revoked")] = ""

    def held_by(self) -> str:
        return f"operator:{self.operator}"


@record(
    "webhooks",
    prefix="hook",
    key=("name",),
    columns=("name", "url", "events", "active"),
)
class Webhook(Record, kw_only=True):
    """An address that is told what happens: every operation whose name one of the `events` stands for."""

    name: Annotated[Text, Field(lookup=True, unique=True)]
    url: Text
    events: Annotated[Tags, Field(help="names such as leads.win, leads.* or *")] = ("*",)
    operator: Annotated[
        str, RefKind("operators"), Field(help="whose eyes the address has: it is told what they may see")
    ]
    active: Flag = True

    def held_by(self) -> str:
        return "hq"

    def check(self) -> None:
        if not self.url.startswith(("https://", "http://")) or "@" in self.url:
            raise WrongAddress(
                "{url} is no address that can be told",
                hint="It begins with https:// and holds no user name.",
                url=self.url,
            )


@record("settings", prefix="set", key=("key",), columns=("key", "value", "updated_at"))
class OfficeSetting(Record, kw_only=True):
    """A setting that is not as it is by itself. `value` is the JSON of what its kind holds."""

    key: Annotated[Text, Field(lookup=True, unique=True, label="setting")]
    value: Annotated[Text, Field(label="kept value", help="JSON; amounts in minor units")]

    def held_by(self) -> str:
        return "everyone"


@record("reveals", prefix="rev", append_only=True, columns=("at", "operator", "of", "subject", "fields"))
class Reveal(Record, kw_only=True):
    """Somebody who sees personal data masked has looked at what is behind the masks of one record."""

    operator: Annotated[str, RefKind("operators"), Field(index=True)]
    of: Annotated[Text, Field(label="records", help="such as leads")]
    subject: Annotated[Id, Field(lookup=True, label="which record")]
    fields: Annotated[Tags, Field(help="what was shown")] = ()
    at: Moment

    def held_by(self) -> str:
        return "hq"


HANDED, SETTLED = State("handed"), State("settled")
HandoverState = Annotated[str, ChoiceKind(HANDED, SETTLED)]


@record("handovers", prefix="hand", states=(HANDED, SETTLED), columns=("created_at", "of", "giver", "to", "state"))
class Handover(Record, kw_only=True):
    """An operation that was refused, for somebody else to decide about. With nobody named it is for whoever may settle
    such."""

    state: HandoverState = HANDED
    of: Annotated[Text, Field(label="command", help="such as leads.take")]
    of_version: Annotated[Count, Field(internal=True)] = 1
    subject: Annotated[Id, Field(label="which record")] = ""
    values: Annotated[Note, Field(internal=True, needs="personal.see", help="JSON of the arguments")] = ""
    reason: Annotated[Note, Field(internal=True, needs="personal.see", help="JSON of the central store's answer")] = ""
    note: Annotated[Note, Field(help="for whoever settles it")] = ""
    giver: Annotated[str, RefKind("operators"), Field(index=True, label="who handed it over")]
    to: Annotated[str, RefKind("operators"), Field(index=True, label="for whom")] | None = None

    def held_by(self) -> str:
        return f"operator:{self.to}" if self.to else "hq"
