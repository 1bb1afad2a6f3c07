"""Settlement: what is due for a period, approved by somebody else, paid once, and explained to who is paid.

Owns Settlement and Payout, the payout file and the statement; takes its lines from rewards and its accounts from
referrers.

Invariants
- A reward line is in one live settlement at most, and is paid at most once.
- The total of a settlement is the sum of its lines, for each currency, checked again in the approving transaction.
- Nobody approves what they made, edited, or wrote a rule of; nobody does both approvals.
- An approval binds a hash of the content: any edit makes the settlement a draft again.
- Approval and export happen at central only. Paid and posted rows never change.
- A statement made again for the same payee and period has the same bytes.
"""
