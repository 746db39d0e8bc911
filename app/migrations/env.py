"""Alembic's environment: migrates over the connection that :func:`app.database.migrate` gives."""

from alembic import context

from app.database import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters tables by copying them
)
with context.begin_transaction():
    context.run_migrations()
