"""Finance reports: what the books say, and what stands behind it in rewards. It owns no records and changes nothing.

Every report says as of which day it speaks, and comes to what the ledger holds: what no record behind it explains has a
row of its own.
"""
