"""Settlement: what is due for a period, approved by somebody else, paid once, and explained to who is paid.

Owns Settlement and Payout, the payout file, the statement and our own bank accounts; takes its lines from rewards and
the payees' accounts and tax from referrers.

Invariants
- A reward line is in one live settlement at most, and is paid at most once.
- The total of a settlement is the sum of its lines, for each currency, checked again in the approving transaction.
- Nobody approves what they made, edited, or wrote a rule, account or tax treatment of; nobody does both approvals, and
  no rule does one in somebody's name.
- An approval binds a hash of the content: any edit makes the settlement a draft again.
- Approval and export happen at central only. Posted rows never change; a paid line changes when the bank returns it.
- What is exported is reserved in the ledger, and resolved once: paid, or failed. There is one file of a settlement.
- A statement made again for the same payee and period has the same bytes.
"""
