"""A project with accepted and other hands, left and right, on real photos."""

from __future__ import annotations

import copy
import shutil

import numpy as np
import pytest

from annotator.project import Project, Provenance


@pytest.fixture(scope="session")
def made(tmp_path_factory, sample_photos, make_hand):
    """(the folder of the project that the tests begin with, its accepted hands as records), made once for all."""
    from annotator.formats.transfer.from_project import labelled_hands

    folder = tmp_path_factory.mktemp("made") / "project"
    with Project.create(folder, who="Ada") as project:
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
        records = list(labelled_hands(project))
    return folder, records


@pytest.fixture
def project(made, tmp_path):
    with Project.open(shutil.copytree(made[0], tmp_path / "project"), who="Ada") as project:
        yield project


@pytest.fixture
def records(made):
    """The project's accepted hands: left on one photo, left and right on another. A test may change them."""
    return copy.deepcopy(made[1])


@pytest.fixture
def instants(records, tmp_path):
    """Two moments of a right and a left hand seen by two cameras, see `two_cameras_set`."""
    from two_cameras_set import instants_of

    return instants_of(records, tmp_path)


@pytest.fixture(scope="module")
def hands(hand_model):
    """Keypoints (21, 2) px of hands in random poses, in our order."""
    from annotator.formats.conventions.orders import _hands

    return [400 * points[:, :2] / np.ptp(points[:, :2]) + (250, 200) for points in _hands()[::150]]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Where the user's own hand models are kept in a test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def right(tmp_path):
    """A MANO-like file of a right hand, see `mano_like`."""
    import mano_like

    return mano_like.write(tmp_path / "MANO_RIGHT.pkl", mano_like.arrays())


@pytest.fixture(scope="session")
def imported(tmp_path_factory):
    """The folder of hand models after both of `mano_like`'s files were imported, which takes seconds: once for all."""
    import mano_like

    from annotator.formats.mano.mano_file import import_mano

    folder = tmp_path_factory.mktemp("imported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        for side in ("right", "left"):
            import_mano(mano_like.write(folder / f"{side}.pkl", mano_like.arrays(side)))
    return folder / "data"


@pytest.fixture
def with_mano(imported, home):
    """The user has imported a right MANO."""
    (file,) = imported.rglob("mano.npz")
    target = home / file.relative_to(imported)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)


@pytest.fixture
def with_both_manos(with_mano, imported, home):
    """The user has imported MANO's right and left."""
    (file,) = imported.rglob("mano_left.npz")
    shutil.copy(file, home / file.relative_to(imported))


@pytest.fixture
def posed(with_both_manos, records):
    """Per side: (a record of the user's MANO with that side's pose, its vertices and joints by smplx)."""
    from dataclasses import replace

    import mano_like
    from by_smplx import smplx_hand

    from annotator.formats.core.base import ManoLabel
    from annotator.formats.mano.mano_file import parameters_of
    from annotator.hand import load_hand

    found, random = {}, np.random.default_rng(8)
    for side in ("right", "left"):
        values = mano_like.arrays(side)
        model = load_hand("mano" if side == "right" else "mano_left")
        pose, shape, place = random.normal(0, 0.4, (16, 3)), random.normal(size=10), np.array([0.05, -0.03, 0.6])
        vertices, joints = smplx_hand(side, values, pose, shape, place)
        label = ManoLabel(pose.ravel(), shape, place)
        parameters = parameters_of(label, side, model)
        np.testing.assert_allclose(model.vertices(parameters, side), vertices, atol=1e-6)
        assert np.abs(model.joints(vertices) - joints).max() > 1e-3  # regressed from the posed mesh they are others
        base = next(r for r in records if r.side == side)
        record = replace(base, parameters=parameters, hand_model=model.digest, vertices=vertices,
                         faces=model.faces_of(side), joints=model.joints(vertices), mano=None)  # fmt: skip
        found[side] = record, vertices, joints
    return found


@pytest.fixture
def written(project, tmp_path):
    """A FreiHAND folder of the project's accepted hands."""
    from annotator.formats import writer
    from annotator.formats.transfer.from_project import labelled_hands

    folder = tmp_path / "export" / "freihand"
    assert writer("freihand").write(labelled_hands(project), folder)["hands"] == 3
    return folder
