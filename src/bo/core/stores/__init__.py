"""Stores: the shops that take leads, when they are open, what they sell, and the parts of the country they serve.

Owns Store and Territory, and the comparison of places. Knows no leads: how many a store has is counted by who asks.

Invariants
- A store closes after it opens, and its days off are days.
- A territory belongs to one store; the narrowest that holds a place wins.
- A closed store takes nothing any more and is not opened again.
"""
