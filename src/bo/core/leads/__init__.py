"""Leads: from the report of a customer to a sale, a loss or a refusal, and who answers for each step in between.

Owns Lead, FollowUp, Appeal, and the rules of review, duplicates, assignment and deadlines.

Invariants
- Every lead received is in exactly one state, and none is ever dropped: a duplicate is marked and keeps its first.
- Of two open leads with one phone the earlier to arrive at central is the first, whichever machine it came from.
- Who reviewed a lead does not decide the appeal against that review.
- An invalid, lost or declined lead says why, in a reason of the tables in `rules`.
- What has no store waits in the overflow queue with the reason; the reason for every pick is kept on the lead.
- A clock stops only while information is asked for or the customer asked to wait.
"""
