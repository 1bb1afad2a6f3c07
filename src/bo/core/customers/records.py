"""Customers, their addresses and contacts, and the log of what was spoken with them."""

from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    ChoiceKind,
    Count,
    Email,
    FactsKind,
    Field,
    Flag,
    FlagKind,
    Moment,
    Note,
    PersonName,
    Phone,
    RefKind,
    RowsKind,
    Tags,
    Text,
    TextKind,
    Whereabouts,
)
from bo.core.kernel.record import Record, record

CustomerId = Annotated[str, RefKind("customers")]
StoreId = Annotated[str, RefKind("stores")]
CONTACT_KINDS = ("phone", "email", "wechat", "whatsapp", "line", "website", "other")
ContactKind = Annotated[str, ChoiceKind(*CONTACT_KINDS)]
CommunicationKind = Annotated[str, ChoiceKind("call", "message", "mail", "visit", "note")]
Direction = Annotated[str, ChoiceKind("in", "out", labels=("from the customer", "to the customer"))]
PLACE = ("country", "province", "city", "district", "postcode", "address")

# Addresses and contacts as a file tells them together with their customer.
AddressRows = Annotated[
    tuple[dict[str, object], ...],
    RowsKind(
        label=TextKind(200), name=TextKind(200, personal=True), phone=TextKind(100, personal=True), company=TextKind(),
        country=TextKind(), province=TextKind(), city=TextKind(), district=TextKind(), postcode=TextKind(100),
        address=TextKind(personal=True), preferred=FlagKind(), extra=FactsKind(),
    ),
]  # fmt: skip
ContactRows = Annotated[
    tuple[dict[str, object], ...],
    RowsKind(
        "value", kind=ChoiceKind(*CONTACT_KINDS), value=TextKind(300, personal=True), name=TextKind(200, personal=True),
        preferred=FlagKind(), consent=FlagKind(), note=TextKind(),
    ),
]  # fmt: skip


class InconsistentCustomer(Refused):
    """A customer record that contradicts itself."""

    code = "inconsistent_customer"


@record(
    "customers",
    prefix="cust",
    key=("number",),
    create="customers.add",
    edit="customers.edit",
    columns=("number", "name", "phone", "email", "city", "store", "tags"),
    stays=True,
)
class Customer(Record, kw_only=True):
    """Somebody who bought, or of whom an accepted lead says they will."""

    number: (
        Annotated[
            Text,
            Field(lookup=True, unique=True, label="customer number", aliases=("客户编号", "Customer ID", "ContactID")),
        ]
        | None
    ) = None
    name: Annotated[
        PersonName, Field(search=True, aliases=("姓名", "客户姓名", "客户名称", "FullName", "Full Name"))
    ] = ""
    phone: (
        Annotated[
            Phone,
            Field(search=True, lookup=True, aliases=("电话", "手机", "手机号", "联系电话", "Mobile", "MobilePhone")),
        ]
        | None
    ) = None
    email: Annotated[Email, Field(search=True, lookup=True, aliases=("邮箱", "E-mail", "Email Address"))] | None = None
    email_key: (
        Annotated[
            Text, Field(lookup=True, internal=True, needs="personal.see", help="the mailbox, however it is spelt")
        ]
        | None
    ) = None
    company: Annotated[Text, Field(search=True, aliases=("公司",))] = ""
    country: Annotated[Text, Field(aliases=("国家",))] = ""
    province: Annotated[Text, Field(aliases=("省份", "省", "State"))] = ""
    city: Annotated[Text, Field(index=True, aliases=("城市", "市"))] = ""
    postcode: Annotated[Text, Field(aliases=("邮编", "Zip"))] = ""
    address: Annotated[Whereabouts, Field(aliases=("地址", "详细地址", "Street"))] = ""
    store: Annotated[StoreId, Field(index=True, aliases=("门店",))] | None = None
    consent: Annotated[Flag, Field(help="may be contacted")] = True
    tags: Tags = ()
    note: Annotated[Note, Field(aliases=("备注",))] = ""
    merged_into: Annotated[CustomerId, Field(lookup=True, help="the same customer, who is kept")] | None = None
    erased_at: Annotated[Moment, Field(label="personal data erased")] | None = None
    addresses_key: Annotated[Text, Field(internal=True, help="stands for its addresses as a file told them last")] = ""
    contacts_key: Annotated[Text, Field(internal=True, help="stands for its contacts as a file told them last")] = ""
    import_key: (
        Annotated[Text, Field(lookup=True, unique=True, internal=True, help="stands for a file row that has no number")]
        | None
    ) = None

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"

    def stands_for(self) -> str:
        return self.merged_into or ""

    def check(self) -> None:
        if self.merged_into == self.id:
            raise InconsistentCustomer("a customer is not merged with themselves")


@record(
    "addresses", prefix="addr", create="addresses.add", edit="addresses.edit",
    columns=("customer", "label", "name", "phone", "company", "country", "province", "city", "address", "preferred"),
)  # fmt: skip
class Address(Record, kw_only=True):
    """Where a customer lives, works, or has things sent to, beside the address on the customer itself."""

    customer: Annotated[CustomerId, Field(lookup=True)]
    store: Annotated[StoreId, Field(internal=True)] | None = None
    position: Annotated[Count, Field(internal=True)] = 0
    label: Annotated[Text, Field(label="address label", help="home, office, warehouse")] = ""
    name: Annotated[PersonName, Field(search=True, label="recipient")] = ""
    phone: Annotated[Text, Field(search=True)] = ""
    company: Annotated[Text, Field(search=True)] = ""
    country: Text = ""
    province: Text = ""
    city: Annotated[Text, Field(search=True)] = ""
    district: Text = ""
    postcode: Text = ""
    address: Annotated[Whereabouts, Field(search=True)] = ""
    preferred: Annotated[Flag, Field(help="what is sent goes there unless something else is said")] = False
    import_key: Annotated[Text, Field(lookup=True, unique=True, internal=True)] | None = None

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"


@record(
    "contacts", prefix="cont", create="contacts.add", edit="contacts.edit",
    columns=("customer", "name", "kind", "value", "preferred", "consent"),
)  # fmt: skip
class ContactPoint(Record, kw_only=True):
    """One more way to reach a customer, or a person who works for them."""

    customer: Annotated[CustomerId, Field(lookup=True)]
    store: Annotated[StoreId, Field(internal=True)] | None = None
    position: Annotated[Count, Field(internal=True)] = 0
    kind: Annotated[ContactKind, Field(label="kind of contact")] = "phone"
    value: Annotated[Whereabouts, Field(search=True, label="number or address")]
    key: Annotated[
        Text, Field(lookup=True, internal=True, needs="personal.see", help="the same however it is written")
    ] = ""
    name: Annotated[PersonName, Field(search=True, label="contact person")] = ""
    preferred: Flag = False
    consent: Annotated[Flag, Field(help="may be used to contact them")] = True
    note: Note = ""
    import_key: Annotated[Text, Field(lookup=True, unique=True, internal=True)] | None = None

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"


@record(
    "communications", prefix="comm", edit="communications.edit",
    columns=("customer", "at", "kind", "direction", "summary", "outcome", "next_at", "by"),
)  # fmt: skip
class Communication(Record, kw_only=True):
    """What was spoken or written with a customer."""

    customer: Annotated[CustomerId, Field(lookup=True)]
    store: Annotated[StoreId, Field(internal=True)] | None = None
    kind: CommunicationKind
    direction: Direction = "out"
    at: Annotated[Moment, Field(index=True)]
    by: Annotated[str, RefKind("operators"), Field(index=True)] | None = None
    summary: Annotated[Note, Field(search=True, label="what it was about")] = ""
    outcome: Annotated[Text, Field(search=True, label="what came of it")] = ""
    lead: Annotated[str, RefKind("leads"), Field(lookup=True)] | None = None
    order: Annotated[str, RefKind("orders"), Field(lookup=True)] | None = None
    customer_return: Annotated[str, RefKind("returns"), Field(lookup=True, label="return")] | None = None
    next_at: Annotated[Moment, Field(index=True, label="next contact")] | None = None

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"
