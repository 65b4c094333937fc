"""Large projects: what a question costs does not grow with the number of hands. Counted in the database's own steps and
in bytes, so that a busy machine does not matter; benchmarks/large_project.py takes the times of 100,000 hands."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import pytest

from annotator.project import Project

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks"))
from large_project import build

FEW, MANY = 400, 4000


@pytest.fixture(scope="module")
def sizes(tmp_path_factory):
    """Two projects, the second of ten times as many hands."""
    folders = [tmp_path_factory.mktemp("large") / f"{count}" for count in (FEW, MANY)]
    for folder, count in zip(folders, (FEW, MANY), strict=True):
        build(folder, count, None)
    return folders


def steps(folder: Path, work) -> int:
    """How many steps SQLite's machine makes for `work(project)`, the second time: the first one prepares."""
    with Project.open(folder, who="Ada") as project:
        work(project)
        count = [0]

        def step():
            count[0] += 1

        with project._database.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
        raw.set_progress_handler(step, 1)
        work(project)
        raw.set_progress_handler(None, 1)
    assert count[0] > 20  # it was this connection that did the work
    return count[0]


def edit(project):
    hand = project.next_hand(gold_every=None)
    project.edit(hand, joint_states={3: "occluded"})
    project.edit(hand, joint_states={3: "proposed"})


@pytest.mark.parametrize(
    "work",
    [
        lambda project: project.next_hand(gold_every=None),
        lambda project: project.next_hand(gold_every=1),
        edit,
        lambda project: (edit(project), project.undo(), project.redo()),
        lambda project: project.hands(limit=100),
        lambda project: project.hand(project.next_hand(lease=False)),
    ],
    ids=["next hand", "gold hand", "edit", "undo and redo", "a page", "one hand"],
)
def test_a_step_costs_the_same_in_a_large_project(sizes, work):
    few, many = (steps(folder, work) for folder in sizes)
    assert many < 1.5 * few + 100


def test_counting_reads_the_index_alone(sizes):
    few, many = (steps(folder, lambda project: project.status()) for folder in sizes)
    assert many < 25 * MANY and many < 15 * few  # some steps a hand: 100,000 hands in milliseconds


def test_the_list_of_a_large_project_needs_no_more_memory(sizes):
    peaks = []
    for folder in sizes:
        with Project.open(folder) as project:
            sum(1 for _ in project.each_hand())
            tracemalloc.start()
            assert sum(1 for _ in project.each_hand()) in (FEW, MANY)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 4 * peaks[0]  # a page of 1,000 against 400 hands, not 4,000
