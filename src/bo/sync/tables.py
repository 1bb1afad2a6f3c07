"""Tables that only a central store uses, and that no command writes: tokens, answers, how far each device has come.

They are kept out of the journal on purpose: a secret does not belong into a history that is copied to devices.
"""

from __future__ import annotations

import sqlalchemy as sa

from bo.core.kernel.tables import INTEGER, MOMENT, TEXT, metadata

# What was answered to an operation that was not applied. Whoever sends it again gets the same answer.
answer = sa.Table(
    "answer",
    metadata,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("device", TEXT, nullable=False),
    sa.Column("digest", TEXT, nullable=False),
    sa.Column("status", TEXT, nullable=False),
    sa.Column("answer", TEXT, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sqlite_strict=True,
)
# What could not be carried out because of a fault of ours, or came from a device that is shut out; kept whole.
quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("device", TEXT, nullable=False),
    sa.Column("operator", TEXT, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("body", TEXT, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sqlite_strict=True,
)
# How far each device has come; the device itself is a record (`devices`).
contact = sa.Table(
    "contact",
    metadata,
    sa.Column("device", TEXT, primary_key=True),
    sa.Column("device_seq", INTEGER, nullable=False),
    sa.Column("seq", INTEGER, nullable=False),
    sa.Column("forks", INTEGER, nullable=False),
    sa.Column("skew_ms", INTEGER, nullable=False),
    sa.Column("last_words", INTEGER, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sqlite_strict=True,
)
token = sa.Table(
    "token",
    metadata,
    sa.Column("hash", TEXT, primary_key=True),
    sa.Column("operator", TEXT, nullable=False),
    sa.Column("device", TEXT, nullable=False),  # blank: a program's
    sa.Column("name", TEXT, nullable=False),
    sa.Column("made_at", MOMENT, nullable=False),
    sa.Column("used_at", MOMENT, nullable=False),
    sa.Column("expires_at", MOMENT, nullable=False),
    sqlite_strict=True,
)
sa.Index("token_operator", token.c.operator)
sa.Index("token_device", token.c.device)
# Up to which operation the journal is in a verified backup.
stable = sa.Table(
    "stable",
    metadata,
    sa.Column("only", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("seq", INTEGER, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sqlite_strict=True,
)
# How far each webhook has been told, and what keeps it.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("webhook", TEXT, primary_key=True),
    sa.Column("secret", TEXT, nullable=False),
    sa.Column("seq", INTEGER, nullable=False),
    sa.Column("attempts", INTEGER, nullable=False),
    sa.Column("next_at", MOMENT, nullable=False),
    sa.Column("lease_until", MOMENT, nullable=False),
    sa.Column("error", TEXT, nullable=False),
    sqlite_strict=True,
)
