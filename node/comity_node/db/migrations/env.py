"""Alembic's entry: the caller always brings the connection."""

from alembic import context

from comity_node.db import rows

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=rows.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
