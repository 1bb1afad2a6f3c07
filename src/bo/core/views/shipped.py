"""The views that come with the office: what somebody who works through these records asks for first.

By noun, name -> filter with its order of rows. The place of a view is the digit that opens it on the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_AT_STORES: Final = "state:assigned,accepted,contacted,visit_booked,visited,quoted,on_hold"
_TO_SEND: Final = "state:unfulfilled,part_fulfilled"

VIEWS: Final[Mapping[str, Mapping[str, str]]] = {
    "leads": {
        "to_review": "state:pending_review sort:due_at",
        "needs_info": "state:needs_info sort:due_at",
        "likely_duplicates": "state:pending_review duplicate_score>=60",
        "to_assign": "state:valid overflow:no",
        "overflow": "state:valid overflow:yes",
        "to_take": "state:assigned sort:due_at",
        "at_stores": f"{_AT_STORES} sort:due_at",
        "overdue": "state:received,pending_review,needs_info,valid,assigned,accepted,contacted,visit_booked,visited,"
        "quoted,on_hold due_at<now sort:due_at",
        "contact_today": f"{_AT_STORES} next_at<tomorrow sort:next_at",
    },
    "orders": {
        "to_send": f"{_TO_SEND} payment:paid,overpaid hold_reason:none sort:placed_at",
        "held": f"{_TO_SEND} hold_reason:any sort:placed_at",
        "unpaid": f"{_TO_SEND} payment:unpaid,part_paid sort:placed_at",
        "high_risk": f"{_TO_SEND} risk:high sort:placed_at",
        "not_printed": f"{_TO_SEND} payment:paid,overpaid printed:0 sort:placed_at",
        "given_back": "payment:refunded,part_refunded sort:-placed_at",
    },
    "exceptions": {"open": "state:open sort:created_at", "nobody_has_it": "state:open owner:none sort:created_at"},
    "returns": {"to_approve": "state:requested sort:created_at", "to_receive": "state:approved sort:created_at"},
    "refunds": {"to_carry_out": "state:pending sort:created_at"},
    "rewards": {
        "due": "state:due sort:due_on",
        "held": "state:held sort:-created_at",
        "clawbacks": "kind:clawback sort:-created_at",
    },
    "settlements": {
        "to_approve": "state:submitted sort:-created_at",
        "drafts": "state:draft sort:-created_at",
        "to_pay": "state:approved,exported,part_paid sort:-created_at",
    },
    "payouts": {"held": "state:held sort:-created_at", "failed_payments": "state:failed sort:-created_at"},
    "bank_lines": {"to_match": "state:open,part_matched sort:day", "set_aside": "state:ignored sort:-day"},
    "stock": {"running_low": "on_hand<5 sort:on_hand", "none_left": "on_hand<1 sort:-updated_at"},
    "products": {"drafts": "state:draft sort:-created_at", "archived": "state:archived sort:-created_at"},
}


def split_sort(text: str) -> tuple[str, str]:
    """A filter without its order of rows, and that order."""
    words = text.split()
    sort = ",".join(word.removeprefix("sort:") for word in words if word.startswith("sort:"))
    return " ".join(word for word in words if not word.startswith("sort:")), sort
