"""Leads and what is written about them: follow-ups and appeals.

The states are those of the report form's whole life.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated

from bo.core.kernel.errors import Refused
from bo.core.kernel.kinds import (
    Amount,
    ChoiceKind,
    Count,
    Currency,
    Day,
    Email,
    Field,
    Flag,
    Id,
    Moment,
    Note,
    PersonName,
    Phone,
    RefKind,
    Tags,
    Text,
    Whereabouts,
)
from bo.core.kernel.record import Record, State, record
from bo.core.leads.keys import sought_for

RECEIVED, DUPLICATE, PENDING_REVIEW = State("received"), State("duplicate"), State("pending_review")
NEEDS_INFO, VALID, INVALID = State("needs_info"), State("valid"), State("invalid")
ASSIGNED, ACCEPTED, CONTACTED = State("assigned"), State("accepted"), State("contacted")
VISIT_BOOKED, VISITED, QUOTED = State("visit_booked"), State("visited"), State("quoted")
WON, LOST, ON_HOLD, REVERSED = State("won"), State("lost"), State("on_hold"), State("reversed")
LEAD_STATES = (
    RECEIVED,
    DUPLICATE,
    PENDING_REVIEW,
    NEEDS_INFO,
    VALID,
    INVALID,
    ASSIGNED,
    ACCEPTED,
    CONTACTED,
    VISIT_BOOKED,
    VISITED,
    QUOTED,
    WON,
    LOST,
    ON_HOLD,
    REVERSED,
)
FOLLOW_UP_STATES = ACCEPTED | CONTACTED | VISIT_BOOKED | VISITED | QUOTED
OPEN_AT_STORE = ("assigned", "accepted", "contacted", "visit_booked", "visited", "quoted", "on_hold")
OPEN_STATES = ("received", "pending_review", "needs_info", "valid", *OPEN_AT_STORE)
LeadState = Annotated[str, ChoiceKind(*LEAD_STATES)]
LeadId = Annotated[str, RefKind("leads")]

InvalidReason = Annotated[
    str,
    ChoiceKind(
        "unreachable",
        "wrong_number",
        "not_applicant",
        "no_intent",
        "out_of_territory",
        "out_of_category",
        "existing_customer",
        "duplicate",
        "internal_or_competitor",
        "test_data",
        "fabricated",
        "no_consent",
        "incomplete",
        "late_report",
        "no_response",
    ),
]
LostReason = Annotated[
    str,
    ChoiceKind("price", "competitor", "no_budget", "no_need", "timing", "unreachable", "product", "service", "other"),
]
DeclineReason = Annotated[
    str, ChoiceKind("no_capacity", "out_of_territory", "out_of_category", "conflict", "closed", "other")
]
FollowUpKind = Annotated[str, ChoiceKind("call", "message", "visit", "note")]
FollowUpOutcome = Annotated[
    str,
    ChoiceKind(
        "reached", "no_answer", "call_back", "interested", "visit_booked", "visited", "quoted", "not_interested", "note"
    ),
]


class InconsistentLead(Refused):
    """A lead without what its state needs: a store, a reason, an order."""

    code = "inconsistent_lead"


AppealState = Annotated[str, ChoiceKind("open", "upheld", "rejected", "withdrawn")]
OPEN, UPHELD, REJECTED, WITHDRAWN = State("open"), State("upheld"), State("rejected"), State("withdrawn")


@record(
    "leads",
    prefix="lead",
    key=("number",),
    states=LEAD_STATES,
    create="leads.report",
    edit="leads.edit",
    columns=("number", "state", "name", "phone", "city", "source", "store", "referrer", "due_at", "created_at"),
)
class Lead(Record, kw_only=True):
    """A customer that somebody reported.

    Never dropped: a later report of the same person becomes a duplicate of the first.
    """

    number: (
        Annotated[
            Text,
            Field(
                lookup=True,
                unique=True,
                label="report number",
                aliases=(
                    "报备编号",
                    "线索编号",
                    "编号",
                    "Lead ID",
                    "LeadID",
                    "Prospect ID",
                    "Lead Number",
                    "External ID",
                ),
            ),
        ]
        | None
    ) = None
    state: Annotated[LeadState, Field(aliases=("状态",))] = RECEIVED
    name: Annotated[
        PersonName,
        Field(
            search=True, aliases=("姓名", "客户姓名", "客户名称", "联系人", "FullName", "Full Name", "Customer Name")
        ),
    ] = ""
    phone: (
        Annotated[
            Phone,
            Field(
                search=True,
                index=True,
                aliases=(
                    "电话",
                    "手机",
                    "手机号",
                    "手机号码",
                    "联系电话",
                    "联系方式",
                    "Mobile",
                    "MobilePhone",
                    "Phone Number",
                    "Tel",
                ),
            ),
        ]
        | None
    ) = None
    phone2: Annotated[Phone, Field(search=True, label="second phone", aliases=("备用电话", "Home_Phone__c"))] | None = (
        None
    )
    email: Annotated[Email, Field(search=True, aliases=("邮箱", "电子邮箱", "E-mail", "Email Address"))] | None = None
    platform_id: Annotated[Text, Field(label="platform id", aliases=("平台ID", "微信", "微信号", "WeChat"))] | None = (
        None
    )
    company: Annotated[Text, Field(search=True, aliases=("公司", "公司名称", "企业名称"))] = ""
    country: Annotated[Text, Field(aliases=("国家",))] = ""
    province: Annotated[Text, Field(aliases=("省份", "省", "State"))] = ""
    city: Annotated[Text, Field(index=True, aliases=("城市", "市", "所在城市"))] = ""
    district: Annotated[Text, Field(aliases=("区", "区县"))] = ""
    community: Annotated[Text, Field(aliases=("小区", "楼盘"))] = ""
    room: Annotated[Text, Field(aliases=("房号", "门牌号"))] = ""
    address: Annotated[Whereabouts, Field(aliases=("地址", "详细地址", "Street"))] = ""
    category: Annotated[Text, Field(aliases=("品类", "类目", "意向产品", "Category", "Product Interest"))] = ""
    source: Annotated[Text, Field(index=True, aliases=("来源", "渠道", "客户来源", "Lead Source", "LeadSource"))] = ""
    brand: Annotated[Text, Field(aliases=("品牌",))] = ""
    referrer: (
        Annotated[
            str, RefKind("referrers"), Field(index=True, needs="referrers.read", aliases=("推荐人", "报备人", "设计师"))
        ]
        | None
    ) = None
    reported_at: (
        Annotated[Moment, Field(label="reported", aliases=("报备时间", "创建时间", "CreatedDate", "Created Date"))]
        | None
    ) = None
    wanted_store: (
        Annotated[str, RefKind("stores"), Field(label="store named on the form", aliases=("意向门店",))] | None
    ) = None
    budget: Annotated[Amount, Field(aliases=("预算", "预算金额"))] | None = None
    currency: Currency = ""
    consent: Annotated[Flag, Field(aliases=("同意联系",))] = True
    tags: Annotated[Tags, Field(aliases=("标签",))] = ()
    note: Annotated[Note, Field(search=True, aliases=("备注", "说明", "描述", "Notes", "Description", "Comment"))] = ""

    # What duplicates are looked up by, kept in step with the fields above by `leads.receiving`. Blank where there is
    # nothing to compare, and where so many leads share the key already that it says nothing.
    phone_key: Annotated[Text, Field(lookup=True, internal=True, needs="personal.see")] | None = None
    phone2_key: Annotated[Text, Field(lookup=True, internal=True, needs="personal.see")] | None = None
    platform_key: Annotated[Text, Field(lookup=True, internal=True, needs="personal.see")] | None = None
    email_key: (
        Annotated[
            Text, Field(lookup=True, internal=True, needs="personal.see", help="the mailbox, however it is spelt")
        ]
        | None
    ) = None
    home_key: (
        Annotated[Text, Field(lookup=True, internal=True, needs="personal.see", help="district, community and room")]
        | None
    ) = None
    neighbour_key: Annotated[Text, Field(lookup=True, internal=True, help="community and name")] | None = None

    import_key: (
        Annotated[Text, Field(lookup=True, unique=True, internal=True, help="stands for a file row that has no number")]
        | None
    ) = None
    customer: Annotated[str, RefKind("customers"), Field(index=True)] | None = None
    store: Annotated[str, RefKind("stores"), Field(index=True, aliases=("门店",))] | None = None
    assigned_at: Annotated[Moment, Field(label="assigned")] | None = None
    assigned_reason: Annotated[Text, Field(label="why this store")] = ""
    tried_stores: Annotated[Tags, Field(internal=True)] = ()
    overflow: Annotated[Flag, Field(help="valid, but no store can take it")] = False
    duplicate_of: Annotated[LeadId, Field(lookup=True)] | None = None
    duplicate_score: Annotated[Count, Field(help="80 and more: marked by the system; 60-79: a person decides")] = 0
    invalid_reason: Annotated[InvalidReason, Field(label="why invalid")] | None = None
    lost_reason: Annotated[LostReason, Field(label="why lost")] | None = None
    decline_reason: Annotated[DeclineReason, Field(label="why declined")] | None = None
    reviewed_by: Text = ""
    reviewed_at: Moment | None = None
    contested_by: Annotated[
        Text, Field(internal=True, help="whose decision was appealed against with success: somebody else decides now")
    ] = ""
    due_kind: Annotated[Text, Field(label="what is due")] = ""
    due_at: Annotated[Moment, Field(index=True, label="due")] | None = None
    due_from: Annotated[Moment, Field(internal=True)] | None = None
    due_seconds_left: Annotated[Count, Field(internal=True, help="business time left on a stopped clock")] = 0
    stopped_kind: Annotated[Text, Field(internal=True, help="the clock that stands still")] = ""
    breaches: Annotated[Count, Field(help="deadlines missed")] = 0
    breached_due: Annotated[Moment, Field(internal=True, help="the deadline whose miss has been counted")] | None = None
    attempts: Annotated[Count, Field(help="calls and messages without an answer")] = 0
    first_attempt_on: Annotated[Day, Field(internal=True)] | None = None
    follow_ups: Annotated[Count, Field(help="entries so far")] = 0
    next_at: Annotated[Moment, Field(label="next contact")] | None = None
    held_from: Annotated[Text, Field(internal=True, help="the state before on_hold or needs_info")] = ""
    hold_until: Day | None = None
    visit_at: Annotated[Moment, Field(label="visit booked for")] | None = None
    visited_at: Annotated[Moment, Field(label="visited")] | None = None
    quoted: Annotated[Amount, Field(label="quoted amount")] | None = None
    order_number: Annotated[Text, Field(lookup=True, label="order", aliases=("订单号", "订单编号"))] | None = None
    order_amount: Annotated[Amount, Field(label="order amount", aliases=("订单金额", "成交金额"))] | None = None
    order_net: Annotated[Amount, Field(label="net of tax and shipping")] | None = None
    refunded: Annotated[Amount, Field(label="refunded so far")] = 0
    won_at: Moment | None = None
    lost_at: Moment | None = None

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"

    @classmethod
    def sought(cls, values: Mapping[str, object]) -> Iterable[tuple[type[Record], str, object]]:
        """The lookup fields and values that such a report looks for; a batch fetches them at once."""
        return [(cls, name, value) for name, value in sought_for(values)]

    def check(self) -> None:
        state = self.state
        if state == PENDING_REVIEW:
            whole = not self.store and not self.duplicate_of
        elif state in OPEN_AT_STORE:
            whole = bool(self.store)
        elif state == DUPLICATE:
            whole = bool(self.duplicate_of) and self.duplicate_of != self.id
        elif state == INVALID:
            whole = bool(self.invalid_reason)
        elif state in (WON, REVERSED):
            whole = bool(self.order_number) and 0 <= self.refunded <= (self.order_amount or 0)
        else:
            whole = state != RECEIVED and (state != LOST or bool(self.lost_reason))
        if not whole:
            raise InconsistentLead(
                "lead {id} cannot be {state}: what that state needs is missing", id=self.id, state=state
            )


@record("follow_ups", prefix="fup", columns=("lead", "kind", "outcome", "note", "next_at", "by", "at"))
class FollowUp(Record, kw_only=True):
    """One contact with a lead, and what came of it."""

    lead: Annotated[LeadId, Field(lookup=True)]
    store: Annotated[str, RefKind("stores"), Field(internal=True)] | None = None
    kind: FollowUpKind
    outcome: FollowUpOutcome
    note: Annotated[Note, Field(search=True)] = ""
    at: Moment
    next_at: Annotated[Moment, Field(label="next contact")] | None = None
    by: Text = ""

    def held_by(self) -> str:
        return f"store:{self.store}" if self.store else "hq"


@record(
    "appeals",
    prefix="appl",
    states=(OPEN, UPHELD, REJECTED, WITHDRAWN),
    columns=("lead", "state", "reason", "opened_by", "decided_by", "decision"),
)
class Appeal(Record, kw_only=True):
    """Somebody contests a decision on a lead; who decides is not who decided before."""

    lead: Annotated[LeadId, Field(lookup=True)]
    state: AppealState = OPEN
    reason: Note
    against: Annotated[Id, Field(help="who made the contested decision", internal=True)] = ""
    opened_by: Text = ""
    due_at: Annotated[Moment, Field(index=True, label="answer due")] | None = None
    decided_by: Text = ""
    decision: Note = ""

    def held_by(self) -> str:
        return "hq"
