"""Several calibrated cameras that see the same hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from annotator.errors import InputError
from annotator.files.atomic import put_text
from annotator.vision.rigs.camera import RigCamera
from annotator.vision.rigs.lens import OPENCV
from annotator.vision.rigs.reading import read_calibration

SAME_TURN, SAME_PLACE = 1e-4, 1e-6  # rad; share of the rig's size: two cameras nearer than that are one
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001}


@dataclass(frozen=True, eq=False)
class Rig:
    """cameras: name -> `RigCamera`, in order. unit: metres of one unit of their t, None where nobody knows (then
    hands of ordinary size say it, see `correcting.views`).

    InputError: fewer than two cameras, or two in the same pose.
    """

    cameras: Mapping[str, RigCamera]
    unit: float | None = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cameras", MappingProxyType(dict(self.cameras)))
        if self.unit is not None and not (np.isfinite(self.unit) and self.unit > 0):
            raise InputError(f"the unit of a rig must be a positive number of metres, got {self.unit}")
        if len(self.cameras) < 2:
            raise InputError(f"a rig has two cameras at least, here {_count(len(self.cameras))}")
        names, list_ = list(self.cameras), list(self.cameras.values())
        centres = np.array([camera.centre for camera in list_])
        size = max(float(np.ptp(centres, axis=0).max()), 1e-12)
        for i in range(len(names)):
            for k in range(i):
                turn = np.arccos(np.clip((np.trace(list_[i].R @ list_[k].R.T) - 1) / 2, -1, 1))
                if turn < SAME_TURN and np.linalg.norm(centres[i] - centres[k]) <= SAME_PLACE * size:
                    raise InputError(f"cameras {names[k]!r} and {names[i]!r} have the same pose")
        if float(np.ptp(centres, axis=0).max()) <= 0:
            raise InputError("all cameras stand at the same place: nothing can be triangulated")

    # -- reading and writing ---------------------------------------------------------------------------------
    @classmethod
    def read(cls, path: str | Path, part: str = "") -> Rig:
        """The rig of a calibration file or folder; what kind it is, its content says (see `docs/rigs.md`).

        part: which capture (InterHand2.6M) or calibration, where a file has several. InputError with one line that
        names the file: missing, of no known kind, or with cameras that are none.
        """
        return read_calibration(Path(path), part, cls.of)

    @classmethod
    def of(cls, content: Mapping, name: str = "") -> Rig:
        """The rig of what `as_dict` gives, or of a `cameras.json` of ours; InputError naming the camera."""
        cameras = content.get("cameras")
        if not isinstance(cameras, Mapping):
            raise InputError("there is no mapping 'cameras'")
        found = {}
        for camera, values in cameras.items():
            if not isinstance(values, Mapping):
                raise InputError(f"camera {camera!r} is no mapping")
            try:
                missing = [key for key in ("K", "R", "t") if key not in values]
                if missing:
                    raise InputError(f"it has no {missing[0]}")
                found[str(camera)] = RigCamera(
                    str(camera), values["K"], values["R"], values["t"],
                    values.get("dist", values.get("distortion")), str(values.get("lens", OPENCV)),
                    _size(values, "width"), _size(values, "height"),
                )  # fmt: skip
            except InputError as error:
                raise InputError(f"camera {camera!r}: {error}") from error
        return cls(found, unit_of(content.get("unit")), name or str(content.get("name", "")))

    def as_dict(self) -> dict:
        """JSON-ready; `Rig.of` makes it again, to the last bit."""
        cameras = {name: camera.as_dict() for name, camera in self.cameras.items()}
        return {"name": self.name, "unit": self.unit, "cameras": cameras}

    def write(self, path: str | Path) -> None:
        """As a `cameras.json`."""
        text = json.dumps(self.as_dict(), indent=1) + "\n"
        put_text(Path(path), text)

    # -- use -------------------------------------------------------------------------------------------------
    def __getitem__(self, name: str) -> RigCamera:
        if name not in self.cameras:
            raise InputError(f"the rig has no camera {name!r}: it has {', '.join(self.cameras)}")
        return self.cameras[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cameras)

    def __len__(self) -> int:
        return len(self.cameras)

    def metric(self, unit: float | None = None) -> Rig:
        """The same rig with t in metres. unit: metres of one unit of t, where the rig does not know."""
        factor = self.unit if self.unit is not None else unit
        if factor is None:
            raise InputError("the unit of the rig is not known: say how many metres one unit of t is")
        if factor == 1.0 and self.unit == 1.0:
            return self
        cameras = {name: replace(camera, t=camera.t * factor) for name, camera in self.cameras.items()}
        return Rig(cameras, 1.0, self.name)

    def only(self, names) -> Rig:
        """The rig of these cameras."""
        return Rig({name: self[name] for name in names}, self.unit, self.name)


def unit_of(value) -> float | None:
    """Metres of one unit: 'm', 'cm', 'mm', a number of metres, or None. InputError for anything else."""
    if value is None or value == "unknown":
        return None
    if isinstance(value, str) and value in UNITS:
        return UNITS[value]
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not (np.isfinite(number) and number > 0):
        raise InputError(f"unit {value!r} is none: expected m, cm, mm or metres as a number")
    return number


def _size(values: Mapping, name: str) -> int:
    value = values.get(name) or 0
    if not isinstance(value, (int, float)) or not 0 <= value < 1e6:
        raise InputError(f"its {name} is {value!r}, expected px")
    return int(value)


def _count(count: int) -> str:
    return {0: "are none", 1: "is one"}.get(count, f"are {count}")
