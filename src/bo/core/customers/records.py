"""Customers, as far as a lead needs them."""

from typing import Annotated

from bo.core.kernel.kinds import Email, Field, Flag, Note, PersonName, Phone, RefKind, Tags, Text
from bo.core.kernel.record import Record, record


@record(
    "customers",
    prefix="cust",
    key=("number",),
    create="customers.add",
    edit="customers.edit",
    columns=("name", "phone", "email", "city", "store", "tags"),
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
    company: Annotated[Text, Field(search=True, aliases=("公司",))] = ""
    country: Annotated[Text, Field(aliases=("国家",))] = ""
    province: Annotated[Text, Field(aliases=("省份", "省", "State"))] = ""
    city: Annotated[Text, Field(index=True, aliases=("城市", "市"))] = ""
    address: Annotated[PersonName, Field(aliases=("地址", "详细地址", "Street"))] = ""
    store: Annotated[str, RefKind("stores"), Field(index=True, aliases=("门店",))] | None = None
    consent: Annotated[Flag, Field(help="may be contacted")] = True
    tags: Tags = ()
    note: Annotated[Note, Field(aliases=("备注",))] = ""
    import_key: (
        Annotated[Text, Field(lookup=True, unique=True, internal=True, help="stands for a file row that has no number")]
        | None
    ) = None

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"
