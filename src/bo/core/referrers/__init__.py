"""Referrers: who reports leads and is paid for it, and where to.

Invariants
- A referrer has one active account in each currency; it is changed or retired, and who did that and when is kept.
- An account that was changed less than seven days ago, or that another referrer has too, is not paid to.
- Nobody is deleted: a referrer is blocked with a reason, and what was earned waits.
"""
