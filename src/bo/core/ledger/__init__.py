"""The ledger: every money fact as a balanced double entry.

Invariants
- The postings of an entry sum to zero in each currency, and there are at least two.
- Entries and postings are append-only; a correction is a reversing entry, and an entry is reversed once at most.
- The same source makes one entry.
"""
