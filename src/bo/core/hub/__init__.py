"""The customer hub: what is done with all that there is of one customer, in whichever module it stands.

Owns no record. It knows customers, leads, orders and returns, and asks each to hand over, to tell or to erase what is
its own.

Invariants
- Merging gives everything of one customer to another and leaves a redirect; taking it back gives everything back.
- An entry of store credit is final: it stays with whom it was written for, and counts for whom they were merged into.
- Nobody is merged with themselves, and nobody twice.
"""
