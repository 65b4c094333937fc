"""The published scripts that score HO3D and FreiHAND, beside our protocols."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import sys
import types
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from annotator.evaluation import protocols
from published.stand_ins import forget

ROTATION = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])


def compared(code: Path, protocol: str, folder: Path) -> str:
    """The published script's numbers and curves against ours, on eight perturbed sets of eight hands."""
    script = _script(code)
    caught: list = []
    script.createHTML = lambda _out, curves: caught.extend(curves)
    random = np.random.default_rng(0)
    joints, vertices = (random.normal(0, 0.05, (8, count, 3)) + (0, 0, 0.6) for count in (21, 778))
    script.db_size = lambda *_a, **_k: len(joints)
    kinds = [lambda p: p + random.normal(0, 0.004, p.shape), lambda p: p + random.normal(0, 0.03, p.shape),
             lambda p: p + (0.02, -0.01, 0.05), lambda p: 0.8 * p + random.normal(0, 0.002, p.shape),
             lambda p: p @ ROTATION + random.normal(0, 0.002, p.shape), lambda p: p * (1, 1, 1.4),
             lambda p: p * (-1, 1, 1) + random.normal(0, 0.002, p.shape),
             lambda p: p + random.normal(0, 0.0002, p.shape)]  # fmt: skip
    worst = worst_curve = 0.0
    for number, kind in enumerate(kinds):
        found = kind(joints), kind(vertices)
        place = folder / f"{protocol}{number}"
        protocols.write_predictions(place / "true.json", protocol, zip(joints, vertices, strict=True))
        for name, rows in zip(("xyz", "verts"), json.loads((place / "true.json").read_text()), strict=True):
            (place / f"evaluation_{name}.json").write_text(json.dumps(rows))
        (place / "true.json").unlink()
        protocols.write_predictions(place / "pred.json", protocol, zip(*found, strict=True))
        caught.clear()
        quiet = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
        with quiet[0], quiet[1], contextlib.chdir(place):  # it leaves curves where one is
            script.main(str(place), str(place), str(place), **({"version": "v3"} if protocol == "ho3d" else {}))
        lines = (place / "scores.txt").read_text().splitlines()
        theirs = {name: float(value) for name, value in (line.split(": ") for line in lines)}
        ours = protocols.compare(protocol, found[0], joints, found[1], vertices)
        assert set(theirs) <= set(ours.scores()), set(theirs) - set(ours.scores())
        worst = max(worst, *(abs(theirs[name] - ours.scores()[name]) for name in theirs))
        shares = [np.array(curve["share"]) for curve in ours.curves().values()]
        for curve in caught:
            worst_curve = max(worst_curve, min(float(np.abs(curve.y_data - own).max()) for own in shares))
    return f"8 sets of 8 hands, 778 vertices: all {len(theirs)} numbers within {worst:.0e} (it prints 6 decimals), " \
           f"{len(caught)} curves within {worst_curve:.0e}"  # fmt: skip


def _script(code: Path):
    """A checkout's eval.py as a module, its viewer and file helpers stood in for."""
    viewer = types.ModuleType("open3d")

    class Cloud:
        points = None

    def distances(a, b):
        return cKDTree(b.points).query(a.points)[0]

    viewer.PointCloud, viewer.Vector3dVector = Cloud, np.asarray
    viewer.compute_point_cloud_to_point_cloud_distance = distances
    viewer.geometry, viewer.utility = types.SimpleNamespace(PointCloud=Cloud), types.SimpleNamespace()
    viewer.utility.Vector3dVector = np.asarray
    Cloud.compute_point_cloud_distance = distances
    helpers = types.ModuleType("utils.vis_utils")
    helpers.json_load = lambda path: json.loads(Path(path).read_text())
    helpers.np, helpers.os = np, os
    np.trapz = getattr(np, "trapz", np.trapezoid)  # numpy 2 has it by another name
    forget("utils")
    sys.modules |= {"open3d": viewer, "utils.vis_utils": helpers, "utils.fh_utils": helpers}
    sys.path.insert(0, str(code))
    try:
        spec = importlib.util.spec_from_file_location(f"published_{code.name}", code / "eval.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(code))
    module.np, module.os, module.json_load = np, os, helpers.json_load
    return module
