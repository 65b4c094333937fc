"""Videos in data sets: which video, frame, time and track; and a video with the meshes drawn into it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from small_videos import pictures, video  # noqa: E402

from annotator.cli import main  # noqa: E402
from annotator.project import Project, Provenance  # noqa: E402
from annotator.project.entering.intake import Header, prepare  # noqa: E402
from annotator.project.tracks import TrackedProposal  # noqa: E402
from annotator.vision.video import open_video  # noqa: E402
from annotator.vision.video.writing import write_video  # noqa: E402

COUNT = 6


@pytest.fixture(autouse=True)
def cache(own_cache):
    """Nothing of these videos stays in the user's cache."""


@pytest.fixture
def project(tmp_path, make_hand, photo_file):
    """Two tracks in a clip, the second from frame 2 on, and a hand in a photo; all accepted. Frame 3 of track 1 is
    bridged."""
    source = open_video(video(tmp_path / "clip.mp4", pictures(COUNT, (320, 240)), rate=10))
    hands = [make_hand(k, size=(240, 320)).replace(corrections={}) for k in range(2)]
    with Project.create(tmp_path / "P", "Ada") as project:
        frames = []
        for k in range(COUNT):
            kind, why = ("bridged", ("not seen",)) if k == 3 else ("seen", ())
            proposals = [TrackedProposal(prepare(hands[0]), 1, kind, why)]
            proposals += [TrackedProposal(prepare(hands[1]), 2)] if k >= 2 else []
            frames.append((Header.of(source.place(k).as_path(), (240, 320)), proposals))
        origin = Provenance("test", "d" * 64)
        project.add_tracked(frames, origin, "tracked by d")
        project.add_proposal(project.add_photo(photo_file), make_hand(5).replace(corrections={}), origin)
        for entry in project.hands():
            project.set_state(entry.id, "accepted")
        project.sha256 = source.sha256
        yield project


def exported(project, tmp_path, name):
    out = tmp_path / name
    assert main(["export", str(project.folder), "--format", name, "--out", str(out)]) == 0
    return out


def test_coco_has_videos_frames_and_tracks(project, tmp_path):
    content = json.loads((exported(project, tmp_path, "coco-wholebody") / "annotations.json").read_text())
    assert content["videos"] == [{"id": 1, "name": "clip.mp4", "sha256": project.sha256}]
    images = {image["id"]: image for image in content["images"]}
    shown = [
        (images[one["image_id"]]["frame_id"], one["track_id"], one["video_id"], images[one["image_id"]]["time"])
        for one in content["annotations"]
        if "video_id" in one
    ]
    assert [row[:3] for row in shown] == [(0, 1, 1), (1, 1, 1)] + [(k, t, 1) for k in range(2, COUNT) for t in (1, 2)]
    assert shown[-1][3] == pytest.approx((COUNT - 1) / 10)
    (alone,) = [one for one in content["annotations"] if "video_id" not in one]
    assert "track_id" not in alone and "frame_id" not in images[alone["image_id"]]


def test_parquet_has_columns_of_them(project, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    (file,) = (exported(project, tmp_path, "parquet") / "data").glob("*.parquet")
    rows = parquet.read_table(file, columns=["video", "frame", "time", "track"]).to_pylist()
    assert rows[0] == {"video": project.sha256, "frame": 0, "time": 0.0, "track": 1}
    assert [row["track"] for row in rows[:4]] == [1, 1, 1, 2] and set(rows[-1].values()) == {None}


def test_hamer_has_rows_of_them(project, tmp_path):
    with np.load(exported(project, tmp_path, "hamer-npz") / "annotations.npz", allow_pickle=False) as arrays:
        order = np.lexsort((arrays["frame"], arrays["track"], arrays["video"]))
        assert arrays["track"][order].tolist() == [-1] + [1] * COUNT + [2] * (COUNT - 2)
        assert arrays["frame"][order].tolist() == [-1, *range(COUNT), *range(2, COUNT)]
        assert arrays["video"][-1] == "" and arrays["time"][1] == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["coco-wholebody", "parquet", "hamer-npz"])
def test_what_was_written_is_read_again(project, tmp_path, name):
    from annotator.formats.table import FORMATS

    records = list(FORMATS[name].load().read(exported(project, tmp_path, name)))
    tracks = [record.provenance.get("track") for record in records]
    assert tracks == [1, 1, 1, 2, 1, 2, 1, 2, 1, 2, None]
    assert records[5].provenance["track_reasons"] == [] and records[4].provenance["track_reasons"] == ["not seen"]


def test_a_video_with_its_hands(project, tmp_path, capsys):
    out = tmp_path / "out.mp4"
    assert main(["export", str(project.folder), "--overlay", str(out), "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["frames"], done["hands"]) == (COUNT, 2 * COUNT - 2)
    drawn, plain = open_video(out), open_video(tmp_path / "clip.mp4")
    assert len(drawn) == COUNT and np.allclose(drawn.seconds, np.arange(COUNT) / 10, atol=0.002)
    changed = [float((np.abs(drawn.read(k).astype(int) - plain.read(k)) > 40).mean()) for k in range(COUNT)]
    assert min(changed) > 0.005 and changed[3] < changed[4]
    assert main(["export", str(project.folder), "--overlay", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["export", str(project.folder), "--overlay", str(out), "--overwrite", "--state", "accepted"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--out"),
        (["--overlay", "out.gif"], "written as"),
        (["--overlay", "out.mp4", "--video", "other.mp4"], "other.mp4"),
        (["--overlay", "out.mp4", "--state", "rejected"], "no hands"),
        (["--out", "folder", "--video", "clip.mp4"], "--overlay"),
    ],
)
def test_wrong_use_says_what_is_wrong(project, tmp_path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    assert main(["export", str(project.folder), *arguments]) == 2
    assert said in capsys.readouterr().err and set(tmp_path.iterdir()) == before


def test_a_video_is_whole_or_not_there(tmp_path):
    def breaks():
        yield 0.0, np.zeros((64, 96, 3), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(tmp_path / "out.mp4", breaks())
    assert list(tmp_path.iterdir()) == []
    assert (
        write_video(
            tmp_path / "odd.mkv", [(0.0, np.zeros((63, 95, 3), np.uint8)), (0.5, np.zeros((63, 95, 3), np.uint8))]
        )
        == 2
    )
    assert open_video(tmp_path / "odd.mkv").read(1).shape == (62, 94, 3)
