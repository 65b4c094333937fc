"""Where a project is kept: SQLite or PostgreSQL, schema, migrations, snapshots, copies."""
