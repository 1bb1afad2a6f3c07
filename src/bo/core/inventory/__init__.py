"""Inventory: what lies where, what is promised, and why it changed.

Owns Warehouse, StockLevel, Movement, Reservation, Transfer, StockCount, ReorderRule.

Invariants
- What a level has on hand is the sum of its movements; movements are never changed, a wrong one is reversed by another.
- 0 <= allocated <= on hand, unless the variant may be sold when there is none.
- Allocated is the sum of the open reservations of that level.
- A transfer takes away as much as it brings.
"""
