"""Commands on a real Ray cluster of this machine do what they do locally; what dies is made good."""

from __future__ import annotations

import json
import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image
from small_videos import video

from annotator.cli import main
from annotator.cluster import sources
from annotator.cluster.engine import Engine
from annotator.project import Project

pytestmark = pytest.mark.usefixtures("ray_cluster")


@pytest.fixture(scope="module")
def photos(tmp_path_factory, sample_photos):
    """Twelve small photos of hands, one of them twice, one broken."""
    folder = tmp_path_factory.mktemp("photos")
    small = [path for path in sample_photos if path.stat().st_size < 20_000][:12]
    for path in small:
        shutil.copy(path, folder)
    shutil.copy(small[0], folder / "again.jpg")
    (folder / "broken.jpg").write_bytes(small[0].read_bytes()[:300])
    return folder


@pytest.fixture(scope="module")
def local(tmp_path_factory, photos):
    place = tmp_path_factory.mktemp("local") / "project"
    assert main(["propose", str(photos), "--project", str(place)]) == 0
    return place


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory, photos, ray_cluster):
    place = tmp_path_factory.mktemp("ray") / "project"
    given = ["propose", str(photos), "--project", str(place), "--engine", "ray", "--workers", "2", "--batch", "4"]
    assert main(given) == 0
    return place, given


def _meshes(place):
    with Project.open(place) as project:
        hashes = {photo.id: photo.sha256 for photo in project.photos()}
        hands = [(hashes[entry.photo_id], project.mesh(entry.id)) for entry in project.hands()]
    return sorted(hands, key=lambda pair: (pair[0], *pair[1].crop_center))


def test_proposals_are_the_local_ones(local, on_ray):
    here, there = _meshes(local), _meshes(on_ray[0])
    assert [sha256 for sha256, _ in here] == [sha256 for sha256, _ in there] and len(here) >= 12
    for (_, a), (_, b) in zip(here, there, strict=True):
        assert a.side == b.side and np.abs(a.vertices - b.vertices).max() < 1e-4


def test_hands_get_their_subjects_shape_as_they_do_locally(tmp_path, photos):
    few = [str(path) for path in sorted(photos.glob("[!ab]*.jpg"))[:2]]
    for engine in ("local", "ray"):
        with Project.create(tmp_path / engine) as project:
            project.subjects.measure("Ada", {"length": 0.205})
        given = ["propose", *few, "--project", str(tmp_path / engine), "--engine", engine, "--subject", "Ada"]
        given += ["--workers", "1"] if engine == "ray" else []
        assert main(given) == 0
        with Project.open(tmp_path / engine) as project:
            assert set(project.subjects.photos("Ada")) == {entry.photo_id for entry in project.hands()}
            assert {entry.state for entry in project.hands()} == {"proposed"}
    here, there = _meshes(tmp_path / "local"), _meshes(tmp_path / "ray")
    assert len(here) == len(there) >= 2
    for (_, a), (_, b) in zip(here, there, strict=True):
        assert np.abs(a.vertices - b.vertices).max() < 1e-4


def test_a_video_is_looked_at_frame_by_frame(tmp_path, photo_file, ray_cluster):
    pytest.importorskip("av")
    photo = np.asarray(Image.open(photo_file).convert("RGB").resize((310, 540)))
    path = video(tmp_path / "signing.mp4", [np.roll(photo, 2 * n, 1) for n in range(6)])
    for engine in ("local", "ray"):
        given = ["propose", str(path), "--project", str(tmp_path / engine), "--every", "200ms", "--engine", engine]
        given += ["--workers", "1"] if engine == "ray" else []
        assert main(given) == 0
    (here, there), said = (_meshes(tmp_path / engine) for engine in ("local", "ray")), []
    assert [sha256 for sha256, _ in here] == [sha256 for sha256, _ in there] and len(here) == 3
    assert all(np.abs(a.vertices - b.vertices).max() < 1e-4 for (_, a), (_, b) in zip(here, there, strict=True))
    for engine in ("local", "ray"):
        with Project.open(tmp_path / engine) as project:
            said.append([(photo.path, photo.video, photo.frame, photo.seconds) for photo in project.photos()])
    assert sorted(said[0]) == sorted(said[1]) and [frame for _, _, frame, _ in sorted(said[0])] == [0, 2, 4]


def test_a_second_start_skips_what_is_done(on_ray, capsys):
    assert main([*on_ray[1], "--json"]) == 0
    told = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert (told["photos"], told["hands"], told["skipped"], len(told["failed"])) == (0, 0, 13, 1)


def test_urls_and_tables_are_kept_in_the_project(tmp_path, photos):
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, second = sorted(photos.glob("*.jpg"))[2:4]  # behind the double and the broken one
    image = {"bytes": second.read_bytes(), "path": "frame.jpg"}
    pq.write_table(pa.table({"image": [image]}), tmp_path / "table.parquet")
    given = [f"file://{first}", str(tmp_path / "table.parquet")]
    assert main(["propose", *given, "--project", str(tmp_path / "p"), "--engine", "ray", "--workers", "1"]) == 0
    with Project.open(tmp_path / "p") as project:
        stored = {photo.sha256: photo.path for photo in project.photos()}
    assert sorted(path.read_bytes() for path in stored.values()) == sorted(p.read_bytes() for p in (first, second))
    assert all((tmp_path / "p" / "photos") in path.parents for path in stored.values())


def test_a_worker_that_is_killed_costs_nothing(tmp_path, photos, local):
    """The first worker that has answered is killed; every photo is there once all the same."""
    from annotator.cluster.proposing import propose_photos
    from annotator.model import load_model

    seen, killed = [], []
    with Project.create(tmp_path / "p") as project:
        found = sources.find([str(photos)])
        for answer in propose_photos(project, Engine(workers=2), found, "default", load_model().digest, batch=2):
            seen.append(answer["place"])
            if not killed:
                killed.append(answer["worker"])
                os.kill(answer["worker"], signal.SIGKILL)
    assert sorted(seen) == sorted(found.files)
    assert [sha for sha, _ in _meshes(tmp_path / "p")] == [sha for sha, _ in _meshes(local)]


def test_export_and_rank_are_the_local_ones(local, tmp_path, capsys):
    for engine in ("local", "ray"):
        given = ["export", str(local), "--format", "freihand", "--state", "proposed", "--out", str(tmp_path / engine)]
        assert main([*given, "--engine", engine]) == 0
    names = sorted(path.relative_to(tmp_path / "local") for path in (tmp_path / "local").rglob("*.*"))
    assert any(name.name == "training_verts.json" for name in names)
    for name in names:
        if name.suffix in (".json", ".jpg"):
            assert (tmp_path / "local" / name).read_bytes() == (tmp_path / "ray" / name).read_bytes(), name
    capsys.readouterr()
    told = []
    for engine in ("local", "ray"):
        assert main(["rank", str(local), "--count", "5", "--engine", engine, "--workers", "2", "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out.strip().splitlines()[-1])["hands"])
    assert [hand["id"] for hand in told[0]] == [hand["id"] for hand in told[1]]
    assert np.allclose([hand["gain_mm"] for hand in told[0]], [hand["gain_mm"] for hand in told[1]], rtol=1e-3)


def test_what_is_wrong_is_said(tmp_path, capsys, photos):
    assert (
        main(["propose", str(photos), "--project", str(tmp_path / "p"), "--engine", "ray", "--worker-cpus", "64"]) == 2
    )
    assert "no room" in capsys.readouterr().err
    assert main(["propose", "nowhere://x", "--project", str(tmp_path / "p"), "--engine", "ray"]) == 2
    assert "nowhere://x" in capsys.readouterr().err
    assert main(["propose", str(photos), "--project", str(tmp_path / "p"), "--engine", "spark"]) == 2
    assert "unknown engine" in capsys.readouterr().err
