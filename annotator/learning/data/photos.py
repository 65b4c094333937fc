"""Real photos with keypoint labels as a crop set: whoever set the keypoints, a teacher network or a person."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from annotator.files.serialization.npz_arrays import read_npz, write_npz
from annotator.learning.data.samples import Labels
from annotator.network.crop_camera import CropView
from annotator.vision.crops import CROP_SIZE, Crop
from annotator.vision.photos import read_photo

FILE = "keypoints.npz"


@dataclass(frozen=True)
class KeypointTable:
    """N labelled hands. Arrays, so that a set of a million hands is a few files.

    photo (N,) str, relative to the table's folder; side (N,) str; K (N, 3, 3), NaN where the camera is unknown
    keypoints (N, 21, 2) photo px, weight (N, 21) 0..1
    joints (N, 21, 3) m or any unit, camera frame, any origin; joint_weight (N, 21); metric (N,) 1 = scale in metres
    held (N,) bool: held out of training; group (N,) str: what must not be split (a photo, a block of a video)
    """

    photo: np.ndarray
    side: np.ndarray
    K: np.ndarray
    keypoints: np.ndarray
    weight: np.ndarray
    joints: np.ndarray
    joint_weight: np.ndarray
    metric: np.ndarray
    held: np.ndarray
    group: np.ndarray

    def __len__(self) -> int:
        return len(self.photo)

    def select(self, index) -> KeypointTable:
        return KeypointTable(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def save(self, folder: str | Path) -> None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_npz(folder / FILE, {name: getattr(self, name) for name in self.__dataclass_fields__}, compressed=True)

    @staticmethod
    def load(folder: str | Path) -> KeypointTable:
        names = KeypointTable.__dataclass_fields__
        return KeypointTable(**read_npz(Path(folder) / FILE, names, "is no keypoint table"))


class KeypointPhotos:
    """The hands of a `KeypointTable` as crops, jittered when `jitter` is set (training) and plain when not.

    held: False = the training part, True = the held-out part, None = all. joint_trust: factor on the joints' weights.
    """

    def __init__(
        self,
        folder: str | Path,
        held: bool | None = False,
        jitter: bool = True,
        joint_trust: float = 1.0,
        cache: int = 4000,
    ):
        self.folder, self.jitter, self.joint_trust = Path(folder), jitter, joint_trust
        table = KeypointTable.load(folder)
        self.table = table if held is None else table.select(table.held == held)
        self._photos: OrderedDict[str, np.ndarray] = OrderedDict()
        self._cache = cache

    def __len__(self) -> int:
        return len(self.table)

    def photo(self, index: int) -> np.ndarray:
        name = str(self.table.photo[index])
        if name not in self._photos:
            self._photos[name] = read_photo(self.folder / name)
            if len(self._photos) > self._cache:
                self._photos.popitem(last=False)
        return self._photos[name]

    def crop(self, index: int, generator: np.random.Generator | None = None) -> Crop:
        """The crop by the labelled keypoints, as inference finds it; jittered with a generator."""
        crop = Crop.from_landmarks(self.table.keypoints[index], flip=self.table.side[index] == "left")
        if generator is None:
            return crop
        turn = generator.normal(0, 0.2) if generator.random() < 0.9 else generator.uniform(-1, 1)
        return Crop(
            crop.cx + crop.size * generator.normal(0, 0.05),
            crop.cy + crop.size * generator.normal(0, 0.05),
            crop.size * float(np.exp(generator.normal(0, 0.12))),
            crop.angle + turn,
            crop.flip,
        )

    def sample(self, index: int, generator: np.random.Generator) -> tuple[np.ndarray, Labels]:
        """One crop (224, 224, 3) uint8 and its labels."""
        table, photo = self.table, self.photo(index)
        crop = self.crop(index, generator if self.jitter else None)
        K = table.K[index]
        if not np.isfinite(K).all():  # unknown camera: any plausible one, so that the network does not learn a guess
            f = crop.size / 2 * (float(np.exp(generator.uniform(np.log(4), np.log(12)))) if self.jitter else 6.0)
            K = np.array([[f, 0, photo.shape[1] / 2 - 0.5], [0, f, photo.shape[0] / 2 - 0.5], [0, 0, 1.0]])
        pixels = np.round(crop.extract(photo) * 255)
        if self.jitter:
            pixels = recoloured(pixels, generator)
        return pixels.clip(0, 255).astype(np.uint8), self.labels(index, CropView.of(crop, K), crop)

    def labels(self, index: int, view: CropView, crop: Crop) -> Labels:
        """The labels of one hand as a batch of one."""
        table = self.table
        keypoints = crop.to_crop(table.keypoints[index])
        inside = ((keypoints > -8) & (keypoints < CROP_SIZE + 7)).all(-1)
        joints = view.to_view(np.nan_to_num(table.joints[index]))

        def one(value, dtype=torch.float32):
            return torch.as_tensor(np.asarray(value), dtype=dtype)[None]

        return Labels(
            keypoints=one(keypoints),
            keypoint_weight=one(table.weight[index] * inside),
            visible=one(inside),
            joints=one(joints),
            joint_weight=one(table.joint_weight[index] * self.joint_trust),
            metric=one(table.metric[index]),
            projection=one(view.projection),
            focal=one(view.focal),
            exact=one(0.0),
        )


def recoloured(pixels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Brightness, contrast and colour of a crop (224, 224, 3) 0..255, a little different."""
    gain = np.exp(generator.normal(0, 0.12)) * np.exp(generator.normal(0, 0.04, 3))
    return (pixels - 127) * np.exp(generator.normal(0, 0.1)) * gain + 127 + generator.normal(0, 8)
