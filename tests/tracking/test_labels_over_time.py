"""Labels over time: a correction speaks to its neighbours, and to nobody's work."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from small_videos import pictures, video  # noqa: E402

from annotator.cli import main  # noqa: E402
from annotator.correcting import solve  # noqa: E402
from annotator.errors import InputError  # noqa: E402
from annotator.project import Project, Provenance  # noqa: E402
from annotator.project.entering.intake import Header, prepare  # noqa: E402
from annotator.project.tracks import TrackedProposal  # noqa: E402
from annotator.tracking import needed_next, propagate, take_back  # noqa: E402
from annotator.tracking.labelling.next_frames import next_frames  # noqa: E402
from annotator.tracking.labelling.propagating import propagated  # noqa: E402
from annotator.tracking.trajectories.motion import curves_of, hand_at  # noqa: E402
from annotator.vision.video import open_video  # noqa: E402

COUNT, RATE = 16, 10.0


@pytest.fixture(autouse=True)
def cache(own_cache):
    """Nothing of these videos stays in the user's cache."""


@pytest.fixture
def hands(make_hand, hand_model):
    """A hand that turns slowly and bends one finger: what the network said of each frame."""
    first = make_hand(4).replace(corrections={}, keypoint_sigma=np.full(21, 12.0))
    curves = curves_of([first] * COUNT, np.arange(COUNT) / RATE, hand_model)
    angles = np.array(curves.angles)
    angles[:, 0] += 0.02 * np.arange(COUNT)
    curves = curves.changed(angles=angles, place=curves.place + 0.002 * np.arange(COUNT)[:, None] * (1, 0, 0))
    return [hand_at(curves, row, first, hand_model) for row in range(COUNT)]


def corrected(hand, hand_model, shift=(9.0, 4.0), joints=(5, 6, 7, 8)):
    places = {k: tuple(hand.keypoints[k] + shift) for k in joints}
    return solve(hand, hand_model, places).hand


def test_neighbours_follow_as_far_as_the_motion_allows(hands, hand_model):
    found = propagated(hands, np.arange(COUNT) / RATE, {4: corrected(hands[4], hand_model)}, hand_model)
    moved = [np.linalg.norm(a.keypoints[8] - b.keypoints[8]) for a, b in zip(found.hands, hands, strict=True)]
    assert moved[4] > 5 and moved[5] > 0.7 * moved[4] and moved[3] > 0.7 * moved[4]
    assert moved[15] < moved[10] < moved[5] and np.all(np.diff(found.reach[4:]) < 0)
    near = {4: corrected(hands[4], hand_model, (2.0, 1.0))}
    found = propagated(hands, np.arange(COUNT) / RATE, near, hand_model)
    shrunk = [a.keypoint_sigma[8] / b.keypoint_sigma[8] for a, b in zip(found.hands, hands, strict=True)]
    assert shrunk[4] < shrunk[5] < shrunk[9] <= 1 and found.joints[5] == (5, 6, 7, 8)


def test_between_two_corrected_frames_the_picture_says_the_way(hands, hand_model):
    """A bump that only the frames between know of is kept: not a straight line from label to label."""
    bent = list(hands)
    curves = curves_of(hands, np.arange(COUNT) / RATE, hand_model)
    angles = np.array(curves.angles)
    angles[7:9, 2 * 9] += 0.15
    curves = curves.changed(angles=angles)
    for row in (7, 8):
        bent[row] = hand_at(curves, row, hands[row], hand_model)
    ends = {row: corrected(hands[row], hand_model) for row in (3, 12)}
    plain = propagated(hands, np.arange(COUNT) / RATE, ends, hand_model)
    bumped = propagated(bent, np.arange(COUNT) / RATE, ends, hand_model)
    for row in (7, 8):
        there = bumped.hands[row].keypoints - plain.hands[row].keypoints
        evidence = bent[row].keypoints - hands[row].keypoints
        assert np.abs(evidence).max() > 2 and np.allclose(there, evidence, atol=0.6 * np.abs(evidence).max())
    assert np.linalg.norm(plain.hands[7].keypoints[8] - hands[7].keypoints[8]) > 5


def test_the_frame_that_tells_most_comes_first(hands, hand_model):
    seconds = np.arange(COUNT) / RATE
    (first,) = next_frames(hands, seconds, [], hand_model)
    assert 4 <= first.row <= 11 and first.frames > COUNT // 2
    chosen = [one.row for one in next_frames(hands, seconds, [first.row], hand_model, 3)]
    assert first.row not in chosen and len(set(chosen)) == 3
    doubt = np.ones(COUNT)
    doubt[14] = 50.0
    assert next_frames(hands, seconds, [first.row], hand_model, 1, doubt)[0].row >= 12
    assert next_frames(hands, seconds, range(COUNT), hand_model) == []


@pytest.fixture
def project(tmp_path, hands):
    """A project with one track of these hands in a video."""
    clip = video(tmp_path / "clip.mp4", pictures(COUNT), rate=int(RATE))
    source = open_video(clip)
    with Project.create(tmp_path / "P", "Ada") as project:
        frames = [
            (Header.of(source.place(k).as_path(), (64, 96)), [TrackedProposal(prepare(hand), 1)])
            for k, hand in enumerate(hands)
        ]
        project.add_tracked(frames, Provenance("test", "d" * 64), "tracked by d")
        yield project


def ids(project):
    return [one.id for one in project.track(1)]


def test_propagated_is_a_state_of_its_own_and_no_label(project, hands, hand_model):
    hand = ids(project)
    project.edit(hand[4], corrected(project.mesh(hand[4]), hand_model))
    done = propagate(project, hand[4])
    assert set(done.hands) <= set(hand) - {hand[4]} and {hand[3], hand[5]} <= set(done.hands)
    after = project.hand(hand[5])
    assert after.joint_states[8] == "propagated" and after.joint_states[0] == "proposed"
    assert after.state == "proposed" and after.corrections == {} and project.verify() == []
    project.set_state(hand[5], "accepted")
    from annotator.formats.core.filters import Filter
    from annotator.formats.transfer.from_project import labelled_hands

    project_photos = project.photos()
    assert project_photos
    (record,) = labelled_hands(project)
    assert record.weights.max() <= 0.5 and not Filter(min_corrected=1).keeps(record)


def test_what_a_person_did_is_never_overwritten(project, hand_model):
    hand = ids(project)
    for row in (3, 7):
        project.edit(hand[row], corrected(project.mesh(hand[row]), hand_model))
    project.set_state(hand[5], "rejected")
    project.edit(hand[6], None, {2: "occluded"})
    before = {row: project.hand(hand[row]).version for row in (3, 5, 6, 7)}
    done = propagate(project, hand[3], "forward")
    assert done.ended == {"forward": "corrected"} and done.hands == (hand[4],)
    assert {row: project.hand(hand[row]).version for row in before} == before


def test_a_propagation_is_taken_back_as_a_whole(project, hand_model):
    hand = ids(project)
    project.edit(hand[4], corrected(project.mesh(hand[4]), hand_model))
    meshes = {one: project.mesh(one).vertices for one in hand}
    done = propagate(project, hand[4])
    project.edit(done.hands[0], None, {1: "confirmed"})
    undone = take_back(project, done.batch)
    assert set(undone) == set(done.hands[1:])  # somebody went on from the first: it stays
    assert all(np.array_equal(project.mesh(one).vertices, meshes[one]) for one in undone)
    assert project.verify() == []
    with pytest.raises(InputError, match="no propagation"):
        take_back(project, "none")


def test_propagating_twice_changes_nothing_more(project, hand_model):
    hand = ids(project)
    project.edit(hand[4], corrected(project.mesh(hand[4]), hand_model))
    once = propagate(project, hand[4])
    meshes = {one: project.mesh(one).vertices for one in once.hands}
    again = propagate(project, hand[4])
    assert again.hands == once.hands
    assert all(np.allclose(project.mesh(one).vertices, meshes[one], atol=1e-6) for one in once.hands)


def test_it_stops_where_the_hand_may_be_another(project, hands, hand_model):
    hand = ids(project)
    source = open_video(Path(project.tracks()[0].video))
    crossing = TrackedProposal(prepare(hands[7]), 1, "seen", ("crossing",), hand[7])
    project.add_tracked(
        [(Header.of(source.place(7).as_path(), (64, 96)), [crossing])], Provenance("test", "e" * 64), "again"
    )
    project.edit(hand[4], corrected(project.mesh(hand[4]), hand_model))
    done = propagate(project, hand[4], "forward")
    assert done.ended == {"forward": "crossing"} and done.hands == (hand[5], hand[6])


def test_a_person_goes_on_from_what_was_propagated(model, project, hand_model):
    """Correcting one joint more keeps what the neighbours told of the others."""
    hand = ids(project)
    project.edit(hand[4], corrected(project.mesh(hand[4]), hand_model))
    propagate(project, hand[4])
    mesh, states = project.mesh(hand[5]), project.hand(hand[5]).joint_states
    fixed = model.refine(mesh, {20: mesh.keypoints[20] + (2, 0)}, states)
    assert np.linalg.norm(fixed.keypoints[8] - mesh.keypoints[8]) < 1.0


def test_the_commands(project, hand_model, capsys):
    hand, folder = ids(project), str(project.folder)
    assert main(["track", folder, "--propagate", hand[4]]) == 2
    assert "nothing to carry" in capsys.readouterr().err
    project.edit(hand[4], corrected(project.mesh(hand[4]), hand_model))
    assert main(["track", folder, "--propagate", hand[4], "--direction", "forward", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert done["first"] == 5 and hand[5] in done["hands"] and list(done["ended"]) == ["forward"]
    assert main(["track", folder, "--undo", done["batch"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hands"] == done["hands"][::-1]
    assert main(["track", folder, "--next", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["hands"]
    assert len(found) == 2 and hand[4] not in [one["id"] for one in found] and found[0]["joint"]
    assert [one.id for one in needed_next(project, 2)] == [one["id"] for one in found]
    assert main(["track", folder, "--propagate", hand[4], "--direction", "up"]) == 2
    assert main(["track", folder, "--propagate", hand[4], "--next", "1"]) == 2
