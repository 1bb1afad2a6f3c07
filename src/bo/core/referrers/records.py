"""Referrers (who reports leads and is paid) and the accounts they are paid to."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    ChoiceKind,
    Currency,
    Email,
    Field,
    Flag,
    Moment,
    Note,
    PersonName,
    Phone,
    Rate,
    RefKind,
    Text,
    TextKind,
)
from bo.core.kernel.record import Record, record

ReferrerKind = Annotated[str, ChoiceKind("designer", "partner", "shopper", "employee", "store", "other")]
AccountKind = Annotated[str, ChoiceKind("bank", "alipay", "wechat", "other")]
TaxTreatment = Annotated[
    str,
    ChoiceKind("none", "flat", "cn_labour", labels=("no tax withheld", "a flat rate", "labour income (China)")),
]
Language = Annotated[str, ChoiceKind("zh_CN", "en", labels=("Chinese", "English"))]
AccountNumber = Annotated[str, TextKind(64, personal=True)]


class NoStore(Refused):
    """A payee of a store that is not named, or the other way round."""

    code = "no_store"


@record(
    "referrers",
    prefix="ref",
    key=("code",),
    create="referrers.register",
    edit="referrers.edit",
    columns=("code", "name", "kind", "phone", "active"),
)
class Referrer(Record, kw_only=True):
    """Somebody who reports leads, and is rewarded for it."""

    code: Annotated[Text, Field(lookup=True, unique=True, aliases=("推荐人编号", "referrer code"))]
    name: Annotated[PersonName, Field(search=True, aliases=("推荐人", "姓名"))] = ""
    kind: Annotated[ReferrerKind, Field(aliases=("类型",))] = "other"
    phone: Annotated[Phone, Field(search=True, lookup=True, aliases=("电话", "手机", "手机号"))] | None = None
    email: Annotated[Email, Field(aliases=("邮箱",))] | None = None
    company: Annotated[Text, Field(search=True, aliases=("公司",))] = ""
    store: (
        Annotated[
            str, RefKind("stores"), Field(lookup=True, unique=True, help="the store that is paid through this one")
        ]
        | None
    ) = None
    language: Annotated[Language, Field(help="of what is written to them; the office's if not said")] | None = None
    tax: Annotated[TaxTreatment, Field(label="tax treatment")] = "none"
    tax_rate: Annotated[Rate, Field(help="for a flat rate")] = 0
    active: Flag = True
    blocked_reason: Text = ""
    note: Annotated[Note, Field(aliases=("备注",))] = ""

    def held_by(self) -> str:
        return "hq"

    def check(self) -> None:
        if (self.kind == "store") != (self.store is not None):
            raise NoStore(
                "a referrer of kind store is the payee of a store, and nobody else is", hint="Give it with --store."
            )


@record(
    "payee_accounts",
    prefix="acct",
    columns=("referrer", "kind", "holder", "number", "currency", "changed_at", "active"),
)
class PayeeAccount(Record, kw_only=True):
    """Where a referrer is paid. A recent change, or the same account for two payees, holds payment."""

    referrer: Annotated[str, RefKind("referrers"), Field(lookup=True)]
    kind: AccountKind = "bank"
    holder: PersonName
    number: Annotated[AccountNumber, Field(lookup=True, aliases=("账号", "卡号", "IBAN"))]
    bank: Annotated[Text, Field(aliases=("开户行",))] = ""
    bank_code: Annotated[Text, Field(aliases=("BIC", "联行号"))] = ""
    currency: Currency
    changed_at: Moment
    changed_by: Annotated[Text, Field(internal=True)] = ""
    active: Flag = True

    def held_by(self) -> str:
        return "hq"
