"""Customers: people who bought, as far as leads and rewards need them.

Owns Customer. Two people may share a telephone, so a number known already is shown and not refused.

Invariants
- A customer number stands for one customer.
- A customer belongs to the store where they bought last, or to none.
"""
