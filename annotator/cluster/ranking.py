"""`rank` on Ray Data: model actors describe hands of the project, the choice among them is made here.

Actors open the project themselves: its folder is on a file system that they share, or it is on PostgreSQL.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotator.cluster.engine import Engine, needed
from annotator.cluster.models import content_of, loaded, quiet_data
from annotator.cluster.relay import blocks
from annotator.project import HandEntry, Project

if TYPE_CHECKING:
    from annotator.rounds.selection.ranking import Described

BATCH = 16  # hands an actor takes at a time


def describing(engine: Engine, place: str):
    """What `rounds.rank` takes as `describe`, for the project at `place`."""

    def describe(
        project: Project, checkpoint: Path | None, entries: Sequence[HandEntry]
    ) -> Iterator[tuple[HandEntry, Described]]:
        if not entries:
            return
        with engine.connected() as ray:
            parts = [pickle.dumps(entries[at : at + BATCH]) for at in range(0, len(entries), BATCH)]
            by_id: dict[str, Any] = {}
            for block in blocks(ray, _pipeline, engine, place, content_of(checkpoint), parts):
                for row in block.to_pylist():  # our own workers' pickles, made for us a moment ago
                    by_id |= {entry.id: seen for entry, seen in pickle.loads(row["seen"])}
            # strategies break ties by order: it is the local engine's
            yield from ((entry, by_id[entry.id]) for entry in entries)

    return describe


def _pipeline(engine: Engine, place: str, weights: bytes | None, parts: list[bytes]):
    """The lazy Ray dataset of descriptions."""
    ray, data = needed("ray"), quiet_data()
    return data.from_items([{"entries": part} for part in parts], override_num_blocks=len(parts)).map_batches(
        Describer,
        fn_constructor_kwargs={"weights": [ray.put(weights)], "place": place, "engine": engine},
        batch_size=None,
        batch_format="pyarrow",
        compute=data.ActorPoolStrategy(size=engine.actors(ray)),
        num_cpus=engine.cpus,
        num_gpus=engine.gpus or None,
    )


class Describer:
    """A model actor. Only it imports torch: who hands on its blocks starts seconds sooner."""

    def __init__(self, weights: list, place: str, engine: Engine):
        self.model = loaded(needed("ray").get(weights[0]), engine)
        self.place = place

    def __call__(self, block):
        from annotator.rounds.selection.ranking import descriptions

        seen = []
        with Project.open(self.place) as project:
            for work in block.to_pylist():
                seen += list(descriptions(project, self.model, pickle.loads(work["entries"])))
        arrow = needed("pyarrow")
        return arrow.table({"seen": arrow.array([pickle.dumps(seen)], arrow.large_binary())})
