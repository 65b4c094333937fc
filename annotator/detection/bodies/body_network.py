"""One of the networks of bodies, asked about one square of a photo at a time."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import torch
from torch import Tensor, nn

from annotator.network.frozen.exported import Made
from annotator.network.frozen.recorded import RecordedNetwork, exported_recorded
from annotator.stopping import still_wanted
from annotator.vision.crops import Crop, brighter_left


class BodyNetwork(nn.Module):
    """A recorded network with its own weights, in its fastest form. Of a photo and its mirror image it sees the same
    picture: a view whose left is the brighter side is shown mirrored."""

    def __init__(self, weights: str, size: int):
        super().__init__()
        self.network, self.size = RecordedNetwork.read(files("annotator.detection") / "weights" / weights), size
        self.eval()
        self._made = Made()

    @torch.inference_mode()
    def said(self, photo: np.ndarray, view: Crop, low: float = 0.0) -> tuple[list[Tensor], Crop]:
        """Its outputs for a view of a photo (H, W, 3) uint8, without the batch's axis, on the CPU, and the view as it
        was shown. low: what black is to the network; white is 1."""
        still_wanted()
        picture = view.extract(photo, self.size)
        if brighter_left(picture):
            picture, view = np.ascontiguousarray(picture[:, ::-1]), view.flipped()
        shown = torch.from_numpy(picture[None]).permute(0, 3, 1, 2).to(next(self.network.buffers()).device)
        network = self._made.once("body", False, lambda: exported_recorded(self.network, self.size))
        return [output[0].cpu() for output in network(shown * (1 - low) + low)], view
