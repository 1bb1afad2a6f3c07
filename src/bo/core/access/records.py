"""Operators and roles."""

from typing import Annotated

from bo.core.kernel.kinds import ChoiceKind, Email, Field, Flag, PersonName, RefKind, Tags, Text
from bo.core.kernel.record import Record, record

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


@record(
    "operators",
    prefix="oper",
    key=("login",),
    create="operators.add",
    edit="operators.edit",
    columns=("login", "name", "roles", "store", "active"),
)
class Operator(Record, kw_only=True):
    """Who works here: a person, or a service such as cron. With a store set, that operator sees this shop's rows
    only."""

    login: Annotated[Text, Field(lookup=True, unique=True, aliases=("user", "username", "账号", "登录名"))]
    name: Annotated[PersonName, Field(search=True, aliases=("姓名",))] = ""
    email: Email | None = None
    kind: OperatorKind = "person"
    roles: Annotated[Tags, Field(aliases=("角色",))] = ()
    store: Annotated[str, RefKind("stores"), Field(index=True, aliases=("门店",))] | None = None
    active: Flag = True

    def held_by(self) -> str:
        return "hq"
