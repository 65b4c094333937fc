"""What the network's heads say of hands whose features are known: meshes, and meshes under prompts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from annotator.detection.localization import Located
from annotator.hand.mesh import HandMesh
from annotator.network.crop_camera import CropView, cameras
from annotator.network.features import Features
from annotator.network.glfnet import GLFNet
from annotator.network.hand_meshes import CachedFeatures, HandMeshes, for_keeping, on_cpu
from annotator.network.parametric import Estimate
from annotator.network.prompts import Prompts
from annotator.stopping import still_wanted
from annotator.vision.crops import CROP_SIZE, MIDDLE, Crop

AT_ONCE = 16  # hands in a pass of the heads
PROMPT_REACH = 0.75 * CROP_SIZE  # px from the crop's middle, along each axis


class Answering:
    """The heads of a network on its device. records: what makes hands in photos of their answers in crops."""

    def __init__(self, network: GLFNet, device: torch.device, records: HandMeshes):
        self.network, self.device, self.records = network, device, records

    def hands(self, found: Sequence[tuple[Located, np.ndarray]], features: Features) -> Iterator[HandMesh]:
        """The answers for hands with their intrinsics, `AT_ONCE` in a pass: what a pass needs does not grow with the
        number of hands."""
        for start in range(0, len(found), AT_ONCE):
            still_wanted()
            part = found[start : start + AT_ONCE]
            views = [CropView.of(hand.crop, K) for hand, K in part]
            some = features.select(slice(start, start + AT_ONCE))
            answer = self.network.answer(some, *cameras(views, self.device))
            some, answer = for_keeping(some), on_cpu(answer)
            for at, ((hand, K), view) in enumerate(zip(part, views, strict=True)):
                one = slice(at, at + 1)
                first = Estimate(*(f[one] for f in answer.parametric))
                kept = CachedFeatures(some.select(one), first, view, hand.crop)
                yield CachedFeatures.with_proposal(self.records.of(answer, at, kept, K, hand.side, hand.presence, {}))

    def cached(self, features: Features, crop: Crop, K: np.ndarray) -> CachedFeatures:
        """What is kept of one hand's features, with the parametric stage's answer for its crop."""
        view = CropView.of(crop, K)
        start = self.network.parametric(features, cameras([view], self.device)[1])
        return CachedFeatures(for_keeping(features), Estimate(*(f.cpu() for f in start)), view, crop)

    @torch.inference_mode()
    def prompted(self, hand: HandMesh, corrections: dict[int, tuple[float, float]]) -> HandMesh:
        """See `Model.prompted`."""
        kept: CachedFeatures = hand.features
        points, weights = np.zeros((1, 21, 2)), np.zeros((1, 21))
        for joint, place in corrections.items():
            point = kept.crop.to_crop(place)
            # it has learned from keypoints in and near crops; those beyond are the solver's alone
            if np.abs(point - MIDDLE).max() <= PROMPT_REACH:
                points[0, joint], weights[0, joint] = point, 1.0
        prompts = Prompts(*(torch.tensor(a, dtype=torch.float32, device=self.device) for a in (points, weights)))
        features = kept.features.to(self.device)
        start = Estimate(*(f.to(self.device) for f in kept.start))
        with one_thread():
            answer = on_cpu(self.network.refine(features, start, *cameras([kept.view], self.device), prompts))
        presence = float(np.nan_to_num(kept.features.presence[0].item(), nan=1.0))
        answered = self.records.of(answer, 0, kept, hand.camera, hand.side, presence, corrections)
        sigma = np.array(answered.keypoint_sigma)
        for joint in corrections:  # being told never makes a keypoint less sure
            sigma[joint] = min(sigma[joint], hand.keypoint_sigma[joint])
        return answered.replace(keypoint_sigma=sigma)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one CPU thread: one hand's refinement is many small steps, and threads that wait for each other at every
    one of them make it twice as slow, now and then ten times (measured: p95 105 ms on two threads, 10 ms on one)."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
