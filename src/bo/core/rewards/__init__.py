"""Rewards: what is owed to whom for a valid lead, a visit or a sale, and why that sum.

Owns RewardRule, RewardLine and Dispute, and the arithmetic between them. Knows only causes, bases and parties: leads
and orders hand those in.

Invariants
- A line freezes the rule's version and its inputs as numbers; from these its arithmetic is told again in any language,
  and nobody needs to remember a rule to explain a payment.
- A paid line never changes. A refund brings a clawback line; all clawbacks of a line together never exceed it.
- An order pays only while it is won and not reversed.
- Caps and budgets clamp a reward, they do not refuse it. What referrer and store get of one reward adds up to it.
- A disputed line goes into no settlement; who decides had no hand in it, and what makes good is a line of its own.
- Rules have no gaps and no overlaps between tiers, and each is in force from a day up to, and without, another.
"""
