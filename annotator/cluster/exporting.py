"""`export` on Ray Data: workers rebuild hands from the project, check their photos and fit other hand models.

The records come back in the project's order, so the data set is the local engine's, byte for byte. Workers open the
project themselves: its folder is on a file system that they share, or it is on PostgreSQL.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator, Sequence

from annotator.cluster.engine import Engine, needed
from annotator.errors import InputError
from annotator.formats.base import LabelledHand
from annotator.formats.filters import Filter
from annotator.formats.from_project import labelled_hands
from annotator.formats.refit import Residuals, refit
from annotator.hand import load_hand
from annotator.project import Project

BATCH = 32  # hands a worker takes at a time


def labelled(
    engine: Engine, place: str, states: Sequence[str], wanted: Filter, hand: str = "", left_over: Residuals | None = None
) -> Iterator[LabelledHand]:
    """`labelled_hands` of the project at `place`, filtered, refitted to hand model `hand`, by the engine's workers.

    left_over: gets the residuals. InputError: as locally.
    """
    with Project.open(place) as opened:
        ids = [entry.id for entry in opened.hands(list(states), copies=False)]
    with engine.connected():
        data = needed("ray.data")
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = data.DataContext.get_current()
        context.enable_progress_bars, context.execution_options.preserve_order = False, True
        work = [{"ids": ids[at : at + BATCH]} for at in range(0, len(ids), BATCH)]
        hands = data.from_items(work, override_num_blocks=len(work)).map_batches(
            _hands,
            batch_size=None,
            batch_format="pyarrow",
            fn_kwargs={"place": place, "states": tuple(states), "wanted": wanted, "hand": hand},
            num_cpus=engine.cpus,
            concurrency=engine.workers or None,
        )
        try:
            for row in hands.iter_rows():
                if row["error"]:
                    raise InputError(row["error"])
                record, residual = pickle.loads(row["record"])  # our own workers' pickles, made for us a moment ago
                if residual is not None and left_over is not None:
                    left_over.add(*residual)
                yield record
        finally:
            context.execution_options.preserve_order = False


def _hands(block, place: str, states: tuple[str, ...], wanted: Filter, hand: str):
    arrow = needed("pyarrow")
    ids = [one for work in block.to_pylist() for one in work["ids"]]
    rows, error = [], ""
    try:
        model = load_hand(hand) if hand else None
        with Project.open(place) as project:
            for record in wanted(labelled_hands(project, states, ids)):
                residual = None
                if model is not None and record.hand_model not in (model.digest, model.name):
                    record, *residual = refit(record, model)
                rows.append({"record": pickle.dumps((record, residual)), "error": ""})
    except InputError as problem:
        error = str(problem)
    if error:
        rows = [{"record": b"", "error": error}]
    return arrow.Table.from_pylist(rows, arrow.schema([("record", arrow.large_binary()), ("error", arrow.string())]))
