"""How Alembic runs our migrations: on the connection it is given and in that one's transaction, so that an upgrade is
whole or not at all."""

from __future__ import annotations

from alembic import context


def run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, transaction_per_migration=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


run()
