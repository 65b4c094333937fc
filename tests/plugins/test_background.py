"""What runs in threads: the functions themselves, and that their answers arrive in the window."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("napari")
pytest.importorskip("qtpy.QtWidgets")

from napari_hand_mesh.jobs import background  # noqa: E402

from annotator.errors import InputError  # noqa: E402
from annotator.project import Project  # noqa: E402


def test_proposing_skips_what_is_done_and_names_what_is_no_photo(model, photo_file, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    steps = list(background.propose(tmp_path / "project", [broken, photo_file], model))
    assert [step[:3] for step in steps] == [(1, 2, 0), (2, 2, 1)]
    assert "broken.jpg" in steps[0][3] and steps[1][3] == ""
    again = list(background.propose(tmp_path / "project", [photo_file], model))
    assert again == [(1, 1, 0, "")]
    with Project.open(tmp_path / "project") as project:
        assert len(project.hands()) == 1


def test_the_window_fills_while_photos_are_looked_at(widget, model, sample_photos, tmp_path, wait_until):
    widget.background.model = model  # as if it was loaded
    widget.propose_on([sample_photos[0], sample_photos[-1]], tmp_path / "project")
    wait_until(lambda: not widget.background.proposing)
    wait_until(lambda: widget.session.hand is not None)  # it comes in steps of its own
    assert len(widget.session.queue) == 3  # the last photo has two hands
    assert widget.layers.points.visible and not widget.cancel.isVisible()
    wait_until(lambda: widget.session.wants_features() is None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no image files"):
        widget.propose_on(tmp_path / "empty", tmp_path / "other")
    assert not (tmp_path / "other").exists() and len(widget.session.queue) == 3


def test_export_writes_the_accepted_hands(widget, folder, tmp_path, wait_until):
    with pytest.raises(InputError, match="open a project"):
        widget.export("freihand", tmp_path / "out")
    widget.open_project(folder)
    widget.act("accept")
    widget.export("freihand", tmp_path / "out")
    wait_until(lambda: "written" in widget.status.text())
    assert len(json.loads((tmp_path / "out" / "training_xyz.json").read_text())) == 1
    with pytest.raises(InputError, match="nothing to export"):
        widget.act("undo")
        background.export(folder, "freihand", tmp_path / "other")
