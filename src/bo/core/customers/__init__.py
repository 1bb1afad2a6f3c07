"""Customers: people and firms who bought, how they are reached, and what was spoken with them.

Owns Customer, Address, ContactPoint and Communication. Two people may share a telephone, so a number known already is
shown and not refused. What a customer bought belongs to the modules above; what is done with all of it at once, such
as merging two customers, stands in `hub`.

Invariants
- A customer number stands for one customer.
- A customer belongs to the store where they bought last, or to none; what is written about them goes with them.
- A customer who was merged into another stays as a redirect: what is said of them is meant of the other.
- At most one address of a customer, and one contact of each kind, is the preferred one.
"""
