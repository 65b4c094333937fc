"""The tables of a project.

`events` is the journal: rows are only ever added (the database itself refuses to change or delete one), and
replaying them gives the current state of every hand. `hands` and `records` hold that current state ready to
use; they can be rebuilt from the journal at any time and `checking.verify` compares the two.

The same tables are made in SQLite and in PostgreSQL. Numbers (`seq`, `id`, `number`) are given out by the
program, one after the other without gaps, under the write lock: a gap means that something was removed.
Times are UTC, ISO 8601 to the millisecond, so that their order as text is their order in time.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
    func,
    select,
)

VERSION = 5  # migrations.py leads here from every earlier one
metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

photos = Table(
    "photos",
    metadata,
    Column("id", Integer, primary_key=True),
    # of the file's bytes; of a frame of a video, of the video's and its number: a photo is what it shows
    Column("sha256", String(64), nullable=False, unique=True),
    Column("path", Text, nullable=False),  # absolute; of a frame `clip.mp4#frame=120`
    Column("relative", Text, nullable=False),  # from the project's folder: holds when both move together
    Column("height", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("bytes", BigInteger),  # the file's size: only files of that size are hashed when one is looked for
    Column("added", String, nullable=False),
    # of a frame of a video: what the video contains (SHA-256), the frame's number in it, its time stamp in seconds
    Column("video", String(64)),
    Column("frame", Integer),
    Column("seconds", Float),
    Index("photos_by_frame", "video", "frame"),
)

# What proposed a hand: checkpoint, hand model and code, told apart by the digest of the document.
sources = Table(
    "sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("model_digest", String, nullable=False),
    Column("document", Text, nullable=False),  # JSON
)

# Which photo was looked at by which model: also those where no hand was found, or a resumed run would look
# again.
looked_at = Table(
    "looked_at",
    metadata,
    Column("photo", ForeignKey("photos.id"), primary_key=True),
    Column("model_digest", String, primary_key=True),
    Column("at", String, nullable=False),
)

hands = Table(
    "hands",
    metadata,
    Column("id", String, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),  # order of creation
    Column("photo", ForeignKey("photos.id"), nullable=False, index=True),
    Column("source", ForeignKey("sources.id"), nullable=False),
    Column("hand_model", String, nullable=False),
    Column("hand_model_digest", String, nullable=False),
    Column("created", String, nullable=False),
    # from here on a copy of what the journal says
    Column("side", String, nullable=False),
    Column("state", String, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("corrections", Integer, nullable=False),
    Column("version", Integer, nullable=False),  # the number of the hand's events
    Column("changed", String, nullable=False),
    Column("root", Integer, nullable=False),  # seq of the proposal
    Column("head", Integer, nullable=False),  # seq of the event in force
    Index("hands_by_state", "state", "number"),
    Index("hands_by_head", "head"),
    Index("hands_in_queue", "state", "confidence", "number"),
)

# Apart from `hands`, so that going through 100,000 hands does not read 200 MB.
records = Table(
    "records",
    metadata,
    Column("hand", ForeignKey("hands.id"), primary_key=True),
    Column("record", LargeBinary, nullable=False),  # record.py
    Column("parametric", LargeBinary),  # the parametric stage's parameters if they were given, never changed
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("hand", ForeignKey("hands.id", deferrable=True, initially="DEFERRED"), nullable=False),
    Column("version", Integer, nullable=False),  # of the hand, after this event
    Column("kind", String, nullable=False),
    Column("who", String, nullable=False),
    Column("at", String, nullable=False),  # UTC, ISO 8601
    Column("base", Integer),  # the event in force when this one was made (None: the proposal)
    Column("target", Integer),  # undo, redo: the event taken back or put in force again
    Column("delta", LargeBinary),  # record before xor record after, packed (record.py); undo and redo have none
    Column("check", BigInteger, nullable=False),  # CRC-32 of the record after
    Column("note", Text),  # JSON: the maker's remarks (joint, seconds, drags, ...)
    # of this event and all before it of the hand (journal.link): no byte of the journal can change unseen
    Column("chain", LargeBinary),
    CheckConstraint("kind in ('propose', 'edit', 'state', 'undo', 'redo')", name="event_kind"),
    Index("events_of_hand", "hand", "version", unique=True),
    Index("events_by_base", "hand", "base"),
    sqlite_autoincrement=True,
)
_IS_UNDO = events.c.kind == "undo"
Index("undos", events.c.seq, sqlite_where=_IS_UNDO, postgresql_where=_IS_UNDO)

# Who works on a hand just now. A row whose time is over means nothing.
leases = Table(
    "leases",
    metadata,
    Column("hand", ForeignKey("hands.id"), primary_key=True),
    Column("who", String, nullable=False),
    Column("until", String, nullable=False),
)

# What a second person said of a hand as it was at the event `head`. Rows are only ever added.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hand", ForeignKey("hands.id"), nullable=False),
    Column("head", Integer, nullable=False),
    Column("who", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("remark", Text, nullable=False),
    Column("at", String, nullable=False),
    CheckConstraint("verdict in ('agreed', 'returned')", name="review_verdict"),
    Index("reviews_of_hand", "hand", "head"),
)

# Hands whose truth is known, and their copies that people label without knowing it.
gold = Table(
    "gold",
    metadata,
    Column("hand", ForeignKey("hands.id"), primary_key=True),
    Column("record", LargeBinary, nullable=False),  # the truth, whatever happens to the hand later
    Column("who", String, nullable=False),
    Column("at", String, nullable=False),
)
trials = Table(
    "trials",
    metadata,
    Column("hand", ForeignKey("hands.id"), primary_key=True),
    Column("gold", ForeignKey("gold.hand"), nullable=False),
    Column("who", String, nullable=False),
    Index("trials_of_person", "who", "gold", unique=True),
)
people = Table(
    "people",
    metadata,
    Column("who", String, primary_key=True),
    Column("handed", Integer, nullable=False),  # how many hands `next_hand` gave them
)

# What people said of photos, beyond single hands: whose hands they show, how large these are. A statement is taken
# back by another one; what holds is the replay of all (`project.statements`).
statements = Table(
    "statements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("topic", String, nullable=False),  # what kind of thing it is about: "subject"
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),  # of the thing
    Column("document", Text, nullable=False),  # JSON
    Column("who", String, nullable=False),
    Column("at", String, nullable=False),
    Column("target", Integer),  # undo, redo: the statement taken back or put in force again
    Column("chain", LargeBinary, nullable=False),  # of this statement and all before it
    Index("statements_by_topic", "topic", "id"),
)

# Which hands are one hand through a video, and what speaks against it. A hand is on one track at most.
tracked = Table(
    "tracked",
    metadata,
    Column("hand", ForeignKey("hands.id"), primary_key=True),
    Column("track", Integer, nullable=False),  # tracks are numbered from 1 through the whole project
    Column("kind", String, nullable=False),
    Column("reasons", Text, nullable=False),  # words, apart by commas
    Index("tracked_by_track", "track"),
    CheckConstraint("kind in ('seen', 'bridged')", name="tracked_kind"),
)

KEPT = (events, reviews, statements)  # tables that only grow

for _table in KEPT:
    for _verb in ("UPDATE", "DELETE"):
        event.listen(
            _table,
            "after_create",
            DDL(
                f"CREATE TRIGGER {_table.name}_no_{_verb.lower()} BEFORE {_verb} ON {_table.name} "
                "BEGIN SELECT RAISE(ABORT, 'the journal can only be added to'); END"
            ).execute_if(dialect="sqlite"),
        )
    for _statement in (
        "CREATE OR REPLACE FUNCTION only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RAISE EXCEPTION ''the journal can only be added to''; END'",
        f"CREATE TRIGGER {_table.name}_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON {_table.name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION only_grows()",
    ):
        event.listen(_table, "after_create", DDL(_statement).execute_if(dialect="postgresql"))

# Both hold numbers that do not compress, of some 2 kB a hand: PostgreSQL would try it, and put them elsewhere.
for _table in (records, events):
    event.listen(
        _table,
        "after_create",
        DDL(f"ALTER TABLE {_table.name} SET (toast_tuple_target = 8160)").execute_if(dialect="postgresql"),
    )


def create(connection: Connection) -> None:
    """Make all tables, in the connection's transaction."""
    metadata.create_all(connection)


def next_number(connection: Connection, column: Column) -> int:
    """One more than the largest of a column of numbers; call it under the write lock."""
    return (connection.scalar(select(func.max(column))) or 0) + 1
