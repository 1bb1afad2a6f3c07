"""Access: operators (who works here), roles (what they may do), and which shop's rows they see.

Invariants: an operator's name is unique; the last operator who may change operators cannot lose that; nobody changes
their own rights.
"""
