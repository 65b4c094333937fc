"""Trains the outline head (`network.outline.head`) on rendered hands, whose silhouettes are known.

python -m annotator.tools.outline_head WORK --out annotator/network/weights/outline_head.safetensors

WORK keeps the rendered photos and the state of the training: said again, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import functools
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from rich.progress import track
from torch import Tensor

from annotator.files.atomic import put
from annotator.files.serialization.npz_arrays import read_npz, write_npz
from annotator.network.checkpoint import write_tensors
from annotator.network.encoders.mediapipe_hand import STRIDES, load_mediapipe_hand
from annotator.network.outline.head import OutlineHead
from annotator.synthetic.generate import BLOCK, Studio
from annotator.vision.photos import decode_photo

SEED, TEST_SEED, BONES = 4141, 900_010, 0.12
BATCH, RATE, WARM, SAVED = 16, 2e-3, 50, 50
INSIDE = 0.3  # weight of a pixel away from the outline; on it 1.3
AROUND = 9  # cells round the outline that count as on it


class Block:
    """A rendered block: the fixed network's maps (half precision), and how much of each cell is hand, 0..1."""

    def __init__(self, studio: Studio, network, folder: Path, seed: int, number: int):
        path = folder / f"{seed}-{number:04d}.npz"
        if not path.exists():
            samples, _ = studio.samples(seed, number)
            pictures = [np.asarray(decode_photo(sample.jpeg, "a rendered photo")) for sample in samples]
            write_npz(path, {"pictures": np.stack(pictures), "outlines": np.stack([s.outline for s in samples])})
        arrays = read_npz(path, ("pictures", "outlines"), "is no rendered block")
        self.outlines = torch.from_numpy(arrays["outlines"]).float() / 255
        parts = []
        with torch.inference_mode():
            for pictures in torch.from_numpy(arrays["pictures"]).split(25):
                maps = network.features(pictures.permute(0, 3, 1, 2).float() / 255)[0]
                parts.append([maps[stride].half() for stride in STRIDES])
        self.maps = [torch.cat(part) for part in zip(*parts, strict=True)]

    def some(self, which: Tensor) -> tuple[dict[int, Tensor], Tensor]:
        return {stride: part[which].float() for stride, part in zip(STRIDES, self.maps, strict=True)}, self.outlines[
            which
        ]


def loss_of(logits: Tensor, outlines: Tensor) -> Tensor:
    """Cross entropy against the share of each cell, heavier round the outline."""
    truth = outlines[:, None]
    widest = F.max_pool2d(truth, AROUND, 1, AROUND // 2)
    narrowest = 1 - F.max_pool2d(1 - truth, AROUND, 1, AROUND // 2)
    weight = INSIDE + widest - narrowest
    return (F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * weight).sum() / weight.sum()


@torch.inference_mode()
def overlap(head: OutlineHead, block: Block) -> float:
    """Median intersection over union on a block."""
    found = []
    for which in torch.arange(len(block.outlines)).split(25):
        maps, outlines = block.some(which)
        said, true = head(maps)[:, 0] > 0, outlines > 0.5
        both, either = (said & true).sum((1, 2)), (said | true).sum((1, 2))
        found.append(both / either.clamp(min=1))
    return float(torch.cat(found).median())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--blocks", type=int, default=10, help=f"of {BLOCK} rendered photos")
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    studio, network = Studio(bones=BONES), load_mediapipe_hand()
    test = Block(studio, network, options.work, TEST_SEED, 0)
    blocks = [
        Block(studio, network, options.work, SEED, k) for k in track(range(options.blocks), "rendered photos, features")
    ]
    torch.manual_seed(3)
    head = OutlineHead()
    optimiser = torch.optim.AdamW(head.parameters(), RATE, weight_decay=1e-3)
    state, start = options.work / "state.pt", 0
    if state.exists():
        kept = torch.load(state, weights_only=True)
        head.load_state_dict(kept["head"])
        optimiser.load_state_dict(kept["optimiser"])
        start = kept["step"]
    random = np.random.default_rng(start)
    for step in range(start, options.steps):
        block = blocks[random.integers(len(blocks))]
        maps, outlines = block.some(torch.from_numpy(random.choice(BLOCK, BATCH, replace=False)))
        falling = 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * step / options.steps))
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM) * falling
        loss = loss_of(head(maps), outlines)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % SAVED == 0 or step + 1 == options.steps:
            print(f"step {step + 1}: loss {loss.item():.4f}, overlap on other renders {overlap(head, test):.4f}")
            kept = {"head": head.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}
            put(state, functools.partial(torch.save, kept))
    write_tensors(options.out, {name: t.half().contiguous() for name, t in head.state_dict().items()}, {})


if __name__ == "__main__":
    main()
