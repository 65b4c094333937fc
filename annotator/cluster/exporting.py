"""`export` on Ray Data: workers rebuild hands from the project, check their photos and fit other hand models.

The records come back in the project's order, so the data set is the local engine's. Workers open the project
themselves: its folder is on a file system that they share, or it is on PostgreSQL.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence

from annotator.cluster.engine import Engine, needed
from annotator.cluster.models import quiet_data
from annotator.cluster.relay import blocks
from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.filters import Filter
from annotator.formats.mano.refit import refit_or_same
from annotator.formats.transfer.from_project import entries, numbered_hands
from annotator.hand import load_hand
from annotator.project import Project

BATCH = 128  # hands a worker takes at a time


def numbered(
    engine: Engine, place: str, states: Sequence[str], wanted: Filter, hand: str = "", after: int = 0
) -> Iterator[tuple[int, LabelledHand | None]]:
    """(number, record) of the hands of the project at `place`, numbered above `after`, as hands of model `hand` if one
    is named; None for those that are not wanted. InputError: as locally."""
    with Project.open(place) as opened:
        numbers = [entry.number for entry in entries(opened, states, after)]
    if not numbers:
        return
    parts = [numbers[at : at + BATCH] for at in range(0, len(numbers), BATCH)]
    with engine.connected() as ray:
        work = [{"first": part[0], "last": part[-1]} for part in parts]
        options = quiet_data().DataContext.get_current().execution_options
        before = options.preserve_order
        try:
            for block in blocks(ray, _pipeline, engine, work, place, tuple(states), wanted, hand):
                for row in block.to_pylist():
                    if row["error"]:
                        raise InputError(row["error"])
                    yield row["number"], pickle.loads(row["record"])  # our own workers' pickles, made a moment ago
        finally:
            options.preserve_order = before


def _pipeline(engine: Engine, work: list[dict], place: str, states: tuple[str, ...], wanted: Filter, hand: str):
    """The lazy Ray dataset of records, in order."""
    data = quiet_data()
    data.DataContext.get_current().execution_options.preserve_order = True
    return data.from_items(work, override_num_blocks=len(work)).map_batches(
        _hands,
        batch_size=None,
        batch_format="pyarrow",
        fn_kwargs={"place": place, "states": states, "wanted": wanted, "hand": hand},
        num_cpus=engine.cpus,
        concurrency=engine.workers or None,
    )


def _hands(block, place: str, states: tuple[str, ...], wanted: Filter, hand: str):
    arrow = needed("pyarrow")
    rows: list[dict] = []
    try:
        model = load_hand(hand) if hand else None
        with Project.open(place) as project:
            for work in block.to_pylist():
                hands = numbered_hands(project, states, work["first"] - 1)
                for number, record in hands:
                    if number > work["last"]:
                        break
                    kept: LabelledHand | None = record
                    if record is None or not wanted.keeps(record):
                        kept = None
                    elif model is not None:
                        kept = refit_or_same(record, model)
                    rows.append({"number": number, "record": pickle.dumps(kept), "error": ""})
    except InputError as error:
        rows.append({"number": 0, "record": b"", "error": str(error)})
    fields = [("number", arrow.int64()), ("record", arrow.large_binary()), ("error", arrow.string())]
    return arrow.Table.from_pylist(rows, arrow.schema(fields))
