"""Tests side by side: what shares something that takes long to make runs in one process, and begins first."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("xdist")

COLLECTION = [
    "tests/rounds/test_round.py::test_a",
    "tests/rounds/test_judging.py::test_b",
    "tests/rounds/test_round.py::test_c[x@y]",
    "tests/vision/test_photos.py::test_d",
    "tests/vision/test_video.py::test_e",
    "tests/vision/test_photos.py::test_f",
    "tests/hand/test_rounds.py::test_g",
]


class Node:
    """A process that notes what it is sent."""

    def __init__(self, name: str):
        self.gateway, self.sent, self.shutting_down = SimpleNamespace(id=name), [], False

    def send_runtest_some(self, indices):
        self.sent += indices

    def shutdown(self):
        self.shutting_down = True


@pytest.fixture
def nodes(pytestconfig):
    """Two processes whose tests are all done as soon as they are sent."""

    def value(name: str, *default):
        return {"dist": "loadfile", "tx": ["2*popen"], "loadscopereorder": False}.get(name, *default)

    options = SimpleNamespace(loadscopereorder=False)
    config = SimpleNamespace(getvalue=value, option=options, hook=pytestconfig.hook, rootpath=pytestconfig.rootpath)
    scheduler = pytestconfig.hook.pytest_xdist_make_scheduler(config=config, log=None)
    made = [Node("gw0"), Node("gw1")]
    for node in made:
        scheduler.add_node(node)
    for node in made:
        scheduler.add_node_collection(node, COLLECTION)
    scheduler.schedule()
    done: set[int] = set()
    while waiting := [(node, index) for node in made for index in node.sent if index not in done]:
        for node, index in waiting:
            done.add(index)
            scheduler.mark_test_complete(node, index)
    return made


def test_a_file_goes_to_one_process_and_so_does_a_folder_that_shares(nodes):
    sent = {COLLECTION[index]: node.gateway.id for node in nodes for index in node.sent}
    assert set(sent) == set(COLLECTION)
    assert len({sent[name] for name in COLLECTION if name.startswith("tests/rounds/")}) == 1
    assert len({sent[name] for name in COLLECTION if "test_photos" in name}) == 1
    assert len(set(sent.values())) == 2


def test_what_comes_first_begins_first(nodes):
    assert [node.sent[0] for node in nodes] == [0, 3]
