"""A project with accepted and other hands, left and right, on real photos."""

from __future__ import annotations

import pytest

from annotator.project import Project, Provenance


@pytest.fixture
def project(tmp_path, sample_photos, make_hand):
    with Project.create(tmp_path / "project", who="Ada") as project:
        photos = project.add_photos([path for path in sample_photos if path.stem in ("signing-0153", "two-hands")])
        source = Provenance("test checkpoint", "d" * 64)
        project.add_proposals(photos[0], [make_hand(1), make_hand(2, "left")], source)
        two = (
            make_hand(3, "left", (382, 720), move=(0.1, 0)),
            make_hand(4, "right", (382, 720), move=(-0.1, 0)),
        )
        for hand_id in project.add_proposals(photos[1], two, source):
            mesh = project.mesh(hand_id)
            label = tuple(mesh.keypoints[8] + (3.1, -2.3))
            project.edit(hand_id, mesh.replace(corrections={8: label}), {20: "occluded"})
        for hand in project.hands()[1:]:
            project.set_state(hand.id, "accepted")
        yield project


@pytest.fixture
def records(project):
    """The project's accepted hands: left on one photo, left and right on another."""
    from annotator.formats.transfer.from_project import labelled_hands

    return list(labelled_hands(project))


@pytest.fixture
def instants(records, tmp_path):
    """Two moments of a right and a left hand seen by two cameras, see `two_cameras_set`."""
    from two_cameras_set import instants_of

    return instants_of(records, tmp_path)
