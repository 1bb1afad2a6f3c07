"""Rewards: what is owed to whom for a valid lead, a visit or a sale, and why that sum.

Owns RewardRule and RewardLine, and the arithmetic between them. Knows only causes, bases and parties: leads and
orders hand those in.

Invariants
- A line freezes the rule's version, its inputs and the arithmetic in words; nobody needs to remember a rule to
  explain a payment.
- A paid line never changes. A refund brings a clawback line; all clawbacks of a line together never exceed it.
- An order pays only while it is won and not reversed.
- Caps and budgets clamp a reward, they do not refuse it.
- Rules have no gaps and no overlaps between tiers, and each is in force from a day up to, and without, another.
"""
