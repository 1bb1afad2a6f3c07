"""What syncs: devices, pending operations, answers, secrets. Never changed after its release."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

SQLITE = (
    """CREATE TABLE answer (
    id TEXT NOT NULL,
    device TEXT NOT NULL,
    digest TEXT NOT NULL,
    status TEXT NOT NULL,
    answer TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (id)
)
 STRICT""",
    """CREATE INDEX change_scope_after ON change (scope_after, seq)""",
    """CREATE INDEX change_scope_before ON change (scope_before, seq) WHERE scope_before != '' AND scope_before != scope_after""",
    """CREATE TABLE contact (
    device TEXT NOT NULL,
    device_seq INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    forks INTEGER NOT NULL,
    skew_ms INTEGER NOT NULL,
    last_words INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (device)
)
 STRICT""",
    """CREATE TABLE credential (
    operator TEXT NOT NULL,
    password TEXT NOT NULL,
    totp TEXT NOT NULL,
    totp_step INTEGER NOT NULL,
    recovery TEXT NOT NULL,
    failures INTEGER NOT NULL,
    locked_until TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    PRIMARY KEY (operator)
)
 STRICT""",
    """CREATE TABLE delivery (
    webhook TEXT NOT NULL,
    secret TEXT NOT NULL,
    seq INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at TEXT NOT NULL,
    lease_until TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (webhook)
)
 STRICT""",
    """CREATE TABLE device (
    n INTEGER NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    scope TEXT NOT NULL,
    extra TEXT,
    operator TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    revoked_reason TEXT NOT NULL,
    PRIMARY KEY (n),
    UNIQUE (id)
)
 STRICT""",
    """CREATE INDEX device_operator ON device (operator)""",
    """CREATE INDEX device_state ON device (state, n)""",
    """CREATE TABLE link (
    only INTEGER NOT NULL,
    url TEXT NOT NULL,
    operator TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    stable INTEGER NOT NULL,
    device_seq INTEGER NOT NULL,
    "view" TEXT NOT NULL,
    contact_at TEXT NOT NULL,
    lease_days INTEGER NOT NULL,
    PRIMARY KEY (only)
)
 STRICT""",
    """CREATE INDEX operation_device ON operation (device, seq)""",
    """CREATE TABLE pending (
    device_seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    batch TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    subject TEXT NOT NULL,
    args TEXT NOT NULL,
    actor TEXT NOT NULL,
    at TEXT NOT NULL,
    footprint TEXT NOT NULL,
    state TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (device_seq),
    UNIQUE (id)
)
 STRICT""",
    """CREATE TABLE quarantine (
    id TEXT NOT NULL,
    device TEXT NOT NULL,
    operator TEXT NOT NULL,
    reason TEXT NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (id)
)
 STRICT""",
    """CREATE TABLE stable (
    only INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (only)
)
 STRICT""",
    """CREATE TABLE token (
    hash TEXT NOT NULL,
    operator TEXT NOT NULL,
    device TEXT NOT NULL,
    name TEXT NOT NULL,
    made_at TEXT NOT NULL,
    used_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (hash)
)
 STRICT""",
    """CREATE INDEX token_device ON token (device)""",
    """CREATE INDEX token_operator ON token (operator)""",
    """CREATE TABLE webhook (
    n INTEGER NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    scope TEXT NOT NULL,
    extra TEXT,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT,
    operator TEXT NOT NULL,
    active INTEGER NOT NULL,
    PRIMARY KEY (n),
    UNIQUE (id)
)
 STRICT""",
    """CREATE UNIQUE INDEX webhook_name ON webhook (name)""",
    """CREATE VIRTUAL TABLE device_search USING fts5(body, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')""",
)

POSTGRESQL = (
    """CREATE TABLE answer (
    id TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
)""",
    """CREATE INDEX change_scope_after ON change (scope_after, seq)""",
    """CREATE INDEX change_scope_before ON change (scope_before, seq) WHERE scope_before != '' AND scope_before != scope_after""",
    """CREATE TABLE contact (
    device TEXT COLLATE "C" NOT NULL,
    device_seq BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    forks BIGINT NOT NULL,
    skew_ms BIGINT NOT NULL,
    last_words BIGINT NOT NULL,
    at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    PRIMARY KEY (device)
)""",
    """CREATE TABLE credential (
    operator TEXT COLLATE "C" NOT NULL,
    password TEXT COLLATE "C" NOT NULL,
    totp TEXT COLLATE "C" NOT NULL,
    totp_step BIGINT NOT NULL,
    recovery TEXT COLLATE "C" NOT NULL,
    failures BIGINT NOT NULL,
    locked_until TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    PRIMARY KEY (operator)
)""",
    """CREATE TABLE delivery (
    webhook TEXT COLLATE "C" NOT NULL,
    secret TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    lease_until TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    error TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (webhook)
)""",
    """CREATE TABLE device (
    n BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    created_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    extra TEXT COLLATE "C",
    operator TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    revoked_reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (n),
    UNIQUE (id)
)""",
    """CREATE INDEX device_operator ON device (operator)""",
    """CREATE INDEX device_state ON device (state, n)""",
    """CREATE TABLE link (
    "only" BIGINT NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    operator TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    stable BIGINT NOT NULL,
    device_seq BIGINT NOT NULL,
    view TEXT COLLATE "C" NOT NULL,
    contact_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    lease_days BIGINT NOT NULL,
    PRIMARY KEY ("only")
)""",
    """CREATE INDEX operation_device ON operation (device, seq)""",
    """CREATE TABLE pending (
    device_seq BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    batch TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    args TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    footprint TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (device_seq),
    UNIQUE (id)
)""",
    """CREATE TABLE quarantine (
    id TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    operator TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
)""",
    """CREATE TABLE stable (
    "only" BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    PRIMARY KEY ("only")
)""",
    """CREATE TABLE token (
    hash TEXT COLLATE "C" NOT NULL,
    operator TEXT COLLATE "C" NOT NULL,
    device TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    made_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    PRIMARY KEY (hash)
)""",
    """CREATE INDEX token_device ON token (device)""",
    """CREATE INDEX token_operator ON token (operator)""",
    """CREATE TABLE webhook (
    n BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    created_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP(3) WITH TIME ZONE NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    extra TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    events TEXT COLLATE "C",
    operator TEXT COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    PRIMARY KEY (n),
    UNIQUE (id)
)""",
    """CREATE UNIQUE INDEX webhook_name ON webhook (name)""",
    """CREATE TABLE device_search (n bigint PRIMARY KEY, body tsvector NOT NULL)""",
    """CREATE INDEX device_search_body ON device_search USING gin (body)""",
)


def upgrade() -> None:
    """Run the statements of the dialect at hand."""
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
    op.execute("UPDATE operator SET scope = 'operator:' || id")  # who works for a shop sees their own row
