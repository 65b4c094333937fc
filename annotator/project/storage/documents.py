"""Small JSON documents of a project, by key, in the table `meta`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, update

from annotator.project.storage.schema import meta


def get(connection: Connection, key: str) -> dict | None:
    """The document of this key; None: there is none."""
    text = connection.scalar(select(meta.c.value).where(meta.c.key == key))
    return None if text is None else json.loads(text)


def below(connection: Connection, prefix: str) -> dict[str, dict]:
    """key -> document, of all whose key begins so."""
    rows = connection.execute(select(meta).where(meta.c.key.startswith(prefix, autoescape=True)))
    return {row.key: json.loads(row.value) for row in rows}


def put(connection: Connection, key: str, content: Mapping) -> None:
    """Keep a document under a key; one that is there is replaced."""
    text = json.dumps(content, sort_keys=True)
    if connection.scalar(select(meta.c.key).where(meta.c.key == key)) is None:
        connection.execute(insert(meta), [{"key": key, "value": text}])
    else:
        connection.execute(update(meta).where(meta.c.key == key).values(value=text))
