"""Synthetic photos: poses, solids, views, the renderer, and sets on disk."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from annotator.errors import InputError
from annotator.hand import load_hand
from annotator.hand.layer import HandLayer
from annotator.hand.limits import limit_excess
from annotator.synthetic import generate as synthetic
from annotator.synthetic.domain import DOMAINS
from annotator.synthetic.images import composite, degrade
from annotator.synthetic.poses.drawing import KINDS, PoseSampler
from annotator.synthetic.render import SIZE, Lights, Piece
from annotator.synthetic.sample import visible_keypoints
from annotator.synthetic.scene import plain_attributes
from annotator.synthetic.shards import SyntheticShards, read_meta, shard_paths
from annotator.synthetic.skin import PART, PART_OBJECT, hand_surface
from annotator.synthetic.solids import Solid, random_solid
from annotator.synthetic.view import hand_view, place
from annotator.vision.crop_size import CROP_SIZE
from annotator.vision.crops import Crop

COUNT, SEED = 5, 31


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small batches: a second thread only waits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def sampler() -> PoseSampler:
    return PoseSampler(load_hand())


@pytest.fixture(scope="module")
def poses(sampler):
    return sampler.sample(300, np.random.default_rng(3))


@pytest.fixture(scope="module")
def studio():
    return synthetic.Studio()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("synthetic")
    synthetic.generate(path, COUNT, SEED)
    return path


def test_poses_keep_to_the_hands_limits(sampler, poses):
    rotations = sampler.hand.rotations(poses.angles)
    assert rotations.shape == (300, 15, 3, 3)
    assert math.degrees(limit_excess(torch.tensor(rotations)).max()) < 1e-3
    assert set(poses.kind) == set(range(len(KINDS)))


def test_poses_hardly_penetrate_and_are_wide(sampler, poses):
    points, _ = sampler.hand.pose(poses.angles)
    assert sampler.hand.penetrates(points).mean() < 0.03
    flexion = np.rad2deg(poses.angles[..., 0])
    spread = np.percentile(flexion, 95, axis=0) - np.percentile(flexion, 5, axis=0)
    assert spread[[0, 1, 3, 4, 6, 7, 9, 10]].min() > 70  # MCP and PIP joints of the four fingers
    twist = np.rad2deg(poses.angles[:, 12, 2])
    assert np.percentile(twist, 5) < -20 and np.percentile(twist, 95) > 0  # the thumb turns to oppose


def test_pinches_touch(sampler, poses):
    where = poses.kind == KINDS.index("pinch")
    points, _ = sampler.hand.pose(poses.angles[where])
    gap = np.linalg.norm(points[:, 4:5] - points[:, [8, 12, 16, 20]], axis=2).min(axis=1)
    assert np.median(gap) < 0.02 and gap.max() < 0.04


def test_fists_close_and_grasps_hold_their_solid(sampler, poses):
    points, _ = sampler.hand.pose(poses.angles)
    fist = poses.kind == KINDS.index("fist_across")
    reach = np.linalg.norm(points[:, 12] - points[:, 0], axis=1)
    assert reach[fist].max() < 0.65 * np.linalg.norm(sampler.hand.rest[12] - sampler.hand.rest[0])
    held = [i for i, solid in enumerate(poses.solids) if solid is not None]
    assert {KINDS[poses.kind[i]] for i in held} == {"grasp_cylinder", "grasp_sphere", "grasp_box"}
    gaps = []
    for kind in range(len(KINDS)):
        rows = [i for i in held if poses.kind[i] == kind]
        if rows:
            gaps.append(sampler.hand.clearance(points[rows], [poses.solids[i] for i in rows]))
    gaps = np.concatenate(gaps)
    assert np.median(gaps.min(axis=(1, 2))) > -0.004  # nothing deep inside
    assert np.median(np.abs(gaps[:, 1:]).min(axis=2)) < 0.008  # most fingers touch


def test_poses_follow_from_the_seed(sampler):
    first, second, other = (sampler.sample(40, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(first.angles, second.angles) and np.array_equal(first.kind, second.kind)
    assert not np.array_equal(first.angles, other.angles)


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_a_solids_mesh_lies_on_its_surface(seed):
    rng = np.random.default_rng(seed)
    solid = random_solid(rng, rng.normal(size=3), 0.05)
    vertices, normals, faces, local = solid.mesh()
    assert np.abs(solid.distance(vertices)).max() < 1e-9
    centroids = vertices[faces].mean(axis=1)
    outward = normals[faces].mean(axis=1)
    assert (solid.distance(centroids + 0.02 * outward) > 0).all()
    assert (solid.distance(centroids - 0.002 * outward) < 0).all()


def test_crops_follow_the_rule_for_real_photos(sampler):
    joints, frame = sampler.hand.rest, sampler.hand.frame
    angles, shifts, ratios = [], [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        view = place(rng, joints, hand_view(rng, frame))
        seen = joints @ view.rotation.T + view.translation
        assert np.allclose(view.keypoints, view.focal * seen[:, :2] / seen[:, 2:] + 111.5, atol=1e-9)
        assert seen[:, 2].min() > 0.1
        assert np.linalg.det(view.rotation) == pytest.approx(1)
        crop = Crop.from_landmarks(view.keypoints)
        angles.append(math.degrees(crop.angle))
        shifts.append(max(abs(crop.cx - 111.5), abs(crop.cy - 111.5)) / 224)
        ratios.append(view.focal / 112)
    assert np.median(np.abs(angles)) < 13 and np.percentile(np.abs(angles), 85) < 30
    assert np.percentile(shifts, 75) < 0.11
    assert 2.4 < np.min(ratios) and 4.5 < np.median(ratios) < 9


def test_what_hides_a_joint_makes_it_invisible(studio):
    surface, hand = studio.surface, studio.sampler.hand
    model = studio.model
    frame = hand.frame
    turn = np.stack([-frame[0], -frame[1], frame[2]])  # the hand's back, fingers up
    assert np.linalg.det(turn) == pytest.approx(1)
    place_at = np.array([0, 0, 0.6]) - turn @ hand.rest[9]
    vertices = model.rest_vertices(np.zeros(10)) @ turn.T + place_at
    joints = hand.rest @ turn.T + place_at
    focal = 560.0
    keypoints = focal * joints[:, :2] / joints[:, 2:] + 111.5
    own = Piece(vertices, surface.normals(vertices), surface.faces, surface.attributes, {})
    lights = Lights(np.tile([0, -0.6, -0.8], (3, 1)), np.ones((3, 3)) * 0.5, np.ones(3) * 0.3, np.ones(3) * 0.2)
    colour, part, depth = studio.renderer.render([own], focal, lights)
    assert colour.shape == (SIZE, SIZE, 3) and part.max() == 16
    assert visible_keypoints(part, depth, joints, keypoints).all()
    # the depth at the index tip is that of the skin there
    column, row = ((keypoints[7] + 0.5) * SIZE / CROP_SIZE).astype(int)
    assert 0.003 < joints[7, 2] - depth[row, column] < 0.02
    ball = Solid("sphere", joints[8] - [0, 0, 0.05], np.eye(3), np.full(3, 0.015))
    points, normals, faces, local = ball.mesh()
    things = [own, Piece(points, normals, faces, plain_attributes(local, PART_OBJECT), {"skin": 0.0})]
    _, part, depth = studio.renderer.render(things, focal, lights)
    seen = visible_keypoints(part, depth, joints, keypoints)
    assert not seen[8] and seen[[0, 12, 16, 20]].all()
    assert part[0, 0] == 0 and np.isinf(depth[0, 0])


def test_the_surface_is_open_at_the_wrist_alone():
    model = load_hand()
    surface = hand_surface(model)
    assert 0 < len(model.faces) - len(surface.faces) < 60
    ring = model.template[surface.loop] - (model.keypoint_regressor @ model.template)[0]
    assert len(set(surface.loop)) == len(surface.loop) >= 8
    step = np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1)
    assert step.max() < 0.03  # a ring, in order
    normals = surface.normals(model.template)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1)
    centre = model.template.mean(axis=0)
    assert np.mean(np.sum(normals * (model.template - centre), axis=1) > 0) > 0.6  # outward
    assert set(surface.attributes[:, PART]) <= set(range(1, 17))


def test_pictures_come_through_the_camera():
    colour = np.zeros((SIZE, SIZE, 3), np.uint8)
    part = np.zeros((SIZE, SIZE), np.uint8)
    colour[96:192, 96:192], part[96:192, 96:192] = (200, 120, 90), 1
    behind = Image.new("RGB", (CROP_SIZE, CROP_SIZE), (10, 200, 10))
    picture = composite(np.random.default_rng(1), colour, part, behind)
    assert np.abs(np.asarray(picture)[112, 112].astype(int) - (200, 120, 90)).max() <= 1
    assert np.asarray(picture)[5, 5, 1] > 60
    spoilt = [np.asarray(degrade(np.random.default_rng(seed), picture)) for seed in range(12)]
    assert all(image.shape == (CROP_SIZE, CROP_SIZE, 3) and image.dtype == np.uint8 for image in spoilt)
    assert len({image.tobytes() for image in spoilt}) == 12


def test_a_set_reads_back_and_agrees_with_the_hand_model(folder):
    shards = SyntheticShards(folder)
    assert len(shards) == COUNT and shards.meta["hand_digest"] == load_hand().digest
    sample = shards[2]
    assert (
        sample["image"].shape == (CROP_SIZE, CROP_SIZE, 3)
        and sample["image"].dtype == np.uint8
        and sample["image"].std() > 3
    )
    labels = shards.labels
    layer = HandLayer(load_hand())
    mesh = layer(torch.tensor(labels["rotations"]), torch.tensor(labels["shape"]))
    joints = layer.joints(mesh).numpy() + labels["translation"][:, None]
    assert np.abs(joints - labels["joints"]).max() < 1e-5
    projected = labels["focal"][:, None, None] * joints[..., :2] / joints[..., 2:] + 111.5
    assert np.abs(projected - labels["keypoints"]).max() < 1e-2
    assert np.array_equal(sample["keypoints"], labels["keypoints"][2])
    assert labels["seed"].tolist() == [[SEED, i] for i in range(COUNT)]
    assert (labels["visible"].sum(axis=1) >= 7).all()
    with pytest.raises(IndexError):
        shards[COUNT]


def test_a_longer_set_begins_with_the_shorter_one(folder, tmp_path):
    synthetic.generate(tmp_path, COUNT - 2, SEED)
    short, full = SyntheticShards(tmp_path), SyntheticShards(folder)
    assert [short.jpeg(i) for i in range(len(short))] == [full.jpeg(i) for i in range(COUNT - 2)]
    assert np.array_equal(short.labels["keypoints"], full.labels["keypoints"][: COUNT - 2])


def test_a_finished_set_is_left_alone_and_another_is_not_mixed_in(folder, capsys):
    before = shard_paths(folder, 0)[1].stat().st_mtime_ns
    synthetic.generate(folder, COUNT, SEED)
    assert shard_paths(folder, 0)[1].stat().st_mtime_ns == before
    with pytest.raises(InputError, match="seed"):
        synthetic.generate(folder, COUNT, SEED + 1)
    assert synthetic.main([str(folder), "--count", "3", "--seed", "7"]) == 2
    assert "another set" in capsys.readouterr().err
    assert read_meta(folder)["seed"] == SEED


def test_what_is_no_set_is_refused(tmp_path):
    with pytest.raises(InputError, match="no folder of synthetic photos"):
        SyntheticShards(tmp_path / "nowhere")
    (tmp_path / "meta.json").write_text('{"version": 1}')
    with pytest.raises(InputError, match="no complete shard"):
        SyntheticShards(tmp_path)
    (tmp_path / "meta.json").write_text('{"version": 99}')
    with pytest.raises(InputError, match="version"):
        SyntheticShards(tmp_path)


def test_another_place_follows_from_the_seed_and_its_sites_look_alike(tmp_path, folder):
    for name in ("one", "again"):
        synthetic.generate(tmp_path / name, 40, SEED, domain="workshop")
    one, again = SyntheticShards(tmp_path / "one"), SyntheticShards(tmp_path / "again")
    assert all(one.jpeg(k) == again.jpeg(k) for k in range(40)) and one.jpeg(0) != SyntheticShards(folder).jpeg(0)
    labels, domain = one.labels, DOMAINS["workshop"]
    assert {KINDS[k] for k in labels["kind"]} <= set(domain.poses)
    site = np.array(
        [10 * k + domain.site(seed.tolist(), k) for seed, k in zip(labels["seed"], labels["kind"], strict=True)]
    )
    colour = np.array([one.image(k).reshape(-1, 3).mean(0) for k in range(40)])
    inside = np.concatenate([colour[site == s] - colour[site == s].mean(0) for s in np.unique(site)])
    assert len(np.unique(site)) > 4 and inside.std() < 0.6 * colour.std(axis=0).mean()
    with pytest.raises(InputError, match="holds another set: domain is workshop, not everyday"):
        synthetic.generate(tmp_path / "one", 40, SEED)
    assert synthetic.main([str(tmp_path / "none"), "--domain", "moon"]) == 2 and not (tmp_path / "none").exists()


def test_a_samples_outline_is_the_hand_alone(studio):
    """Keypoints that are seen lie on it; the forearm, which goes on behind the wrist, does not."""
    samples, labels = studio.samples(SEED, 0, COUNT)
    on, behind = [], []
    for sample, points in zip(samples, labels["keypoints"], strict=True):
        assert sample.outline.shape == (CROP_SIZE // 2, CROP_SIZE // 2) and sample.outline.dtype == np.uint8
        hand = np.pad(sample.outline, 1)
        wide = np.max([hand[i : i + 112, j : j + 112] for i in range(3) for j in range(3)], axis=0)
        far = points[0] + 0.7 * (points[0] - points[9])
        for point, kept in [*((p, on) for p in points[sample.visible]), (far, behind)]:
            column, row = np.rint((point + 0.5) / 2 - 0.5).astype(int)
            if 0 <= min(row, column) and max(row, column) < 112:
                kept.append(bool(wide[row, column] > 127))
    assert len(on) > 50 and np.mean(on) > 0.95
    assert behind and not any(behind)
