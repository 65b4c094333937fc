"""CVAT's video form: tracks out and in, with frames, times, states and identities; files of other people's."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from small_videos import pictures, video  # noqa: E402

from annotator.errors import InputError  # noqa: E402
from annotator.files.frame_places import frame_place  # noqa: E402
from annotator.formats import reader, writer  # noqa: E402
from annotator.formats.transfer.from_project import labelled_hands  # noqa: E402
from annotator.formats.transfer.to_project import import_records  # noqa: E402
from annotator.hand.joints import JOINT_NAMES  # noqa: E402
from annotator.project import Project, Provenance  # noqa: E402
from annotator.project.entering.intake import Header, prepare  # noqa: E402
from annotator.project.tracks import TrackedProposal  # noqa: E402
from annotator.vision.video import open_video  # noqa: E402

SIZE, COUNT, RATE = (320, 240), 6, 10
GAP = 3  # the first track has no hand in this frame


@pytest.fixture(autouse=True)
def cache(own_cache):
    """Nothing of these videos stays in the user's cache."""


@pytest.fixture
def filmed(tmp_path, make_hand, photo_file):
    """Two tracks in a clip, the second from frame 2 on, corrected here and there, and a hand in a photo; accepted."""
    source = open_video(video(tmp_path / "clip.mp4", pictures(COUNT, SIZE), rate=RATE))
    hands = [make_hand(k, side, SIZE[::-1]) for k, side in enumerate(("right", "left"))]
    with Project.create(tmp_path / "P", "Ada") as project:
        frames = []
        for k in range(COUNT):
            proposals = [TrackedProposal(prepare(hands[0]), 1)] if k != GAP else []
            proposals += [TrackedProposal(prepare(hands[1]), 2)] if k >= 2 else []
            frames.append((Header.of(source.place(k).as_path(), SIZE[::-1]), proposals))
        origin = Provenance("test", "d" * 64)
        project.add_tracked(frames, origin, "tracked by d")
        project.add_proposal(project.add_photo(photo_file), make_hand(5), origin)
        for entry in project.hands():
            mesh = project.mesh(entry.id)
            if entry.frame in (1, 4):
                place = tuple(mesh.keypoints[8] + (1.5, -0.5))
                project.edit(entry.id, mesh.replace(corrections={8: place}), {20: "occluded", 3: "confirmed"})
            project.set_state(entry.id, "accepted")
        yield project


def as_cvat_writes(text: str) -> str:
    """Hundredths, and tracks counted anew from 0."""
    count = iter(range(100))
    text = re.sub(r'points="([-\d.]+),([-\d.]+)"', lambda m: f'points="{float(m[1]):.2f},{float(m[2]):.2f}"', text)
    return re.sub(r'<track id="\d+" label="hand"', lambda m: f'<track id="{next(count)}" label="hand"', text)


@pytest.mark.parametrize("back", [str, as_cvat_writes])
def test_tracks_come_back_as_they_left(filmed, tmp_path, back):
    records = list(labelled_hands(filmed))
    out = tmp_path / "set"
    writer("cvat-video").write(records, out)
    text = (out / "annotations.xml").read_text()
    assert len(re.findall('label="hand" source', text)) == 3 and f"<size>{COUNT + 1}</size>" in text
    (out / "annotations.xml").write_text(back(text))
    with Project.create(tmp_path / "new") as project:
        done = import_records(project, reader("cvat-video").read(out), f"cvat-video:{out}", lambda: None)
        assert done.hands == done.own_mesh == len(records) and not done.left_out
        assert [(one.hands, one.side) for one in project.tracks()] == [(5, "right"), (4, "left")]
        (first, second) = (project.track(one.track) for one in project.tracks())
        assert [one.frame for one in first] == [0, 1, 2, 4, 5] and [one.frame for one in second] == [2, 3, 4, 5]
        np.testing.assert_allclose([one.seconds for one in first], np.array([0, 1, 2, 4, 5]) / RATE)
        assert [one.corrections for one in first] == [0, 1, 0, 1, 0]
        assert {one.state for one in (*first, *second)} == {"accepted"}
        ours = {record.id: record for record in records}
        for record in labelled_hands(project):
            (was,) = [one for key, one in ours.items() if project.history(record.id)[1].note["imported"] == key]
            np.testing.assert_array_equal(record.keypoints[8], was.keypoints[8])
            assert record.states == was.states and record.provenance.get("frame") == was.provenance.get("frame")
        again = import_records(project, reader("cvat").read(out), f"cvat-video:{out}", lambda: None)
        assert again.hands == 0 and len(project.tracks()) == 2
        assert project.verify() == []


def test_without_our_details_the_file_alone_keeps_tracks_and_states(filmed, tmp_path):
    records = list(labelled_hands(filmed))
    out = tmp_path / "set"
    writer("cvat-video").write(records, out)
    (out / "details.json").unlink()
    read = list(reader("cvat").read(out))
    tracked = [record for record in records if "track" in record.provenance]
    tracked.sort(key=lambda one: (one.provenance["track"], one.provenance["frame"]))
    for ours, theirs in zip(tracked, read, strict=False):
        np.testing.assert_allclose(theirs.keypoints[theirs.weights > 0], ours.keypoints[theirs.weights > 0], atol=1e-9)
        assert (theirs.states, theirs.side) == (ours.states, ours.side)
        assert theirs.provenance["track"] == ours.provenance["track"]
        assert theirs.photo.stem.endswith(f"{ours.provenance['frame']:08d}")
    assert len(read) == len(records) == len(tracked) + 1
    next((out / "images").iterdir()).unlink()
    with pytest.raises(InputError, match=f"holds {COUNT} images, the task had {COUNT + 1} frames"):
        list(reader("cvat").read(out))


def test_what_was_moved_in_cvat_is_a_correction_of_that_frame(filmed, tmp_path):
    out = tmp_path / "set"
    writer("cvat-video").write(labelled_hands(filmed), out)
    text = (out / "annotations.xml").read_text()
    x, y = next(one for one in labelled_hands(filmed) if one.provenance.get("frame") == 5).keypoints[8] + 0.5
    first, second = text.split('<skeleton frame="6" outside="0"', 1)  # the photo's image comes first in the task
    was, now = (f'points="{float(x + move)!r},{float(y)!r}"' for move in (0, 4))
    assert was in second
    (out / "annotations.xml").write_text(f'{first}<skeleton frame="6" outside="0"{second.replace(was, now, 1)}')
    edited = [one for one in reader("cvat").read(out) if "edited" in one.provenance]
    assert [(one.provenance["edited"], one.provenance["frame"], one.states[8]) for one in edited] == [
        ([8], 5, "corrected")
    ]


# -- of other people -------------------------------------------------------------------------------------------
def track(frames, label="right hand", number=0, drawn=(), old=False) -> str:
    """frames: number -> places (21, 2); drawn: those that CVAT interpolated; old: as CVAT wrote it once."""

    def key(frame):
        return f'frame="{frame}" keyframe="{int(frame not in drawn)}" z_order="0"'

    def point(frame, k, gone=0):
        x, y = frames[frame][k] + 0.5
        return f'outside="{gone}" occluded="0" {key(frame)} points="{x:.2f},{y:.2f}"></points>'

    last = max(frames)
    if old:
        inside = "".join(f'<skeleton outside="0" occluded="0" {key(frame)}></skeleton>' for frame in frames)
        inside += f'<skeleton frame="{last + 1}" outside="1" occluded="0" keyframe="1"></skeleton>'
        for k, name in enumerate(JOINT_NAMES):
            points = "".join(f"<points {point(frame, k)}" for frame in frames)
            inside += f'<track id="{k}" label="{name}" source="manual">{points}</track>'
    else:
        ends = [(frame, 0, key(frame)) for frame in frames] + [(last, 1, f'frame="{last + 1}" keyframe="1"')]
        inside = ""
        for frame, gone, said in ends:
            points = (f'<points label="{name}" {point(frame, k, gone)}' for k, name in enumerate(JOINT_NAMES))
            inside += f"<skeleton {said}>{''.join(points)}</skeleton>"
    return f'<track id="{number}" label="{label}" source="manual">{inside}</track>'


def file(folder, tracks, source="", size=""):
    about = f"<meta><task><size>{size}</size><source>{source}</source></task></meta>"
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>{about}{tracks}</annotations>'
    (folder / "annotations.xml").write_text(text)
    return folder


@pytest.fixture
def places(make_hand):
    return make_hand(3, size=SIZE[::-1]).keypoints


@pytest.mark.parametrize("old", [False, True])
def test_a_task_of_a_video_is_read_from_the_video(tmp_path, places, old):
    video(tmp_path / "clip.mp4", pictures(COUNT, SIZE), rate=RATE)
    file(tmp_path, track({2: places, 3: places + 1, 4: places + 2}, drawn=(3,), old=old), source="clip.mp4")
    read = list(reader("cvat").read(tmp_path))
    assert [frame_place(one.photo).number for one in read] == [2, 3, 4]
    assert [set(one.states) for one in read] == [{"confirmed"}, {"propagated"}, {"confirmed"}]
    assert read[1].weights.max() == 0.5  # nobody's word
    np.testing.assert_allclose(read[2].keypoints, places + 2, atol=0.01)
    assert {one.side for one in read} == {"right"} and {one.provenance["track"] for one in read} == {0}


def test_frames_that_cvat_saved_beside(tmp_path, places):
    (tmp_path / "images").mkdir()
    for number in (4, 2):
        Image.new("RGB", SIZE).save(tmp_path / "images" / f"frame_{number:06d}.PNG")
    file(tmp_path, track({2: places, 4: places}), source="elsewhere.mp4", size="9")
    assert [one.photo.name for one in reader("cvat").read(tmp_path)] == ["frame_000002.PNG", "frame_000004.PNG"]
    (tmp_path / "images" / "frame_000002.PNG").unlink()
    with pytest.raises(InputError, match=r"index 0 \(track 0, frame 2\): there is no image of frame 2"):
        list(reader("cvat").read(tmp_path))


def test_tracks_of_points_and_of_other_things(tmp_path, places):
    (tmp_path / "images").mkdir()
    for name in "ab":
        Image.new("RGB", SIZE).save(tmp_path / "images" / f"{name}.png")
    row = ";".join(f"{x + 0.5},{y + 0.5}" for x, y in places.tolist())
    tracks = '<track id="0" label="cup"><box frame="0" outside="0" occluded="0" keyframe="1" xtl="1"/></track>'
    tracks += f'<track id="1" label="left hand"><points frame="1" outside="0" occluded="0" points="{row}"/></track>'
    (found,) = reader("cvat").read(file(tmp_path, tracks, size="2"))
    assert (found.photo.name, found.side) == ("b.png", "left")
    np.testing.assert_allclose(found.keypoints, places, atol=1e-9)
