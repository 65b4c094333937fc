"""Synthetic photos of right hands with exact keypoints: `python -m annotator.synthetic.generate OUT --count N
--seed S`.

Every sample follows from the set's seed and its number alone, whatever the number of workers, so a set can be
made again or continued: shards that are there are kept. The picture is the 224 px crop itself, as the network
sees it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path

import numpy as np
import torch

from annotator.errors import InputError
from annotator.hand import load_hand
from annotator.hand.layer import HandLayer
from annotator.synthetic.domain import DOMAINS, domain_of
from annotator.synthetic.poses.drawing import KINDS, PoseSampler
from annotator.synthetic.render import Renderer
from annotator.synthetic.sample import PosedHand, Sample, make_sample
from annotator.synthetic.shards import LABELS, VERSION, proportioned, read_meta, shard_length, write_meta, write_shard
from annotator.synthetic.skin import hand_surface
from annotator.vision.crop_size import CROP_SIZE

BLOCK = 250  # poses drawn together
SHARD = 4 * BLOCK
_BATCH = 50


class Studio:
    """A hand model, its layer, a pose sampler and a renderer: what one worker needs."""

    def __init__(self, hand: str = "free", domain: str = "everyday", bones: float = 0.0) -> None:
        torch.set_num_threads(1)
        self.domain = domain_of(domain)
        self.bones = bones
        self.model = load_hand(hand)
        self.layer = HandLayer(self.model)
        self.surface = hand_surface(self.model)
        self.sampler = PoseSampler(self.model)
        self.renderer = Renderer()

    def block(self, seed: int, number: int, count: int = BLOCK) -> tuple[list[bytes], dict[str, np.ndarray]]:
        """Images and labels of the first `count` samples of block `number` (samples number * BLOCK and
        on)."""
        samples, labels = self.samples(seed, number, count)
        return [sample.jpeg for sample in samples], labels

    def samples(self, seed: int, number: int, count: int = BLOCK) -> tuple[list[Sample], dict[str, np.ndarray]]:
        """As `block`, with all that a sample holds."""
        rng = np.random.default_rng([seed, number])
        poses = self.sampler.sample(
            BLOCK, rng, self.domain.poses
        )  # always whole blocks: a shorter set is a prefix of a longer one
        shape = np.clip(rng.normal(0, 1, (BLOCK, 10)), -2.5, 2.5)
        rotations = np.tile(np.eye(3), (BLOCK, 16, 1, 1))
        rotations[:, 1:] = self.sampler.hand.rotations(poses.angles)
        if self.bones:
            vertices, joints = self._pose_proportioned(rotations, shape, seed, number * BLOCK)
        else:
            vertices, joints = self._pose(rotations, shape)
        frame = self.sampler.hand.frame
        hands = [PosedHand(vertices[i], joints[i], frame, int(poses.kind[i]), poses.solids[i]) for i in range(BLOCK)]
        numbers = number * BLOCK + np.arange(count)
        samples = [
            make_sample(
                self.renderer,
                self.surface,
                hands[i],
                hands[(i + 1) % BLOCK],
                [seed, int(numbers[i])],
                self.domain,
            )
            for i in range(count)
        ]
        turned = np.stack([sample.view.rotation for sample in samples])
        moved = np.stack([sample.view.translation for sample in samples])
        rotations[:count, 0] = turned
        labels = {
            "keypoints": np.stack([sample.view.keypoints for sample in samples]).astype(np.float32),
            "visible": np.stack([sample.visible for sample in samples]).astype(np.uint8),
            "joints": (joints[:count] @ turned.transpose(0, 2, 1) + moved[:, None]).astype(np.float32),
            "rotations": rotations[:count].astype(np.float32),
            "shape": shape[:count].astype(np.float32),
            "translation": moved.astype(np.float32),
            "focal": np.array([sample.view.focal for sample in samples], np.float32),
            "kind": poses.kind[:count].astype(np.int32),
            "seed": np.stack([np.full(count, seed), numbers], axis=1).astype(np.int64),
        }
        return samples, labels

    def shard(self, seed: int, number: int, count: int = SHARD) -> tuple[list[bytes], dict[str, np.ndarray]]:
        """Images and labels of the first `count` samples of shard `number` (samples number * SHARD and
        on)."""
        first = number * (SHARD // BLOCK)
        parts = [self.block(seed, first + k, min(BLOCK, count - k * BLOCK)) for k in range(-(-count // BLOCK))]
        images = [image for part, _ in parts for image in part]
        return images, {name: np.concatenate([labels[name] for _, labels in parts]) for name in LABELS}

    def _pose(self, rotations: np.ndarray, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        vertices, joints = [], []
        with torch.inference_mode():
            for start in range(0, len(shape), _BATCH):
                part = slice(start, start + _BATCH)
                mesh = self.layer(torch.from_numpy(rotations[part]).float(), torch.from_numpy(shape[part]).float())
                vertices.append(mesh.double().numpy())
                joints.append(self.layer.joints(mesh).double().numpy())
        return np.concatenate(vertices), np.concatenate(joints)

    def _pose_proportioned(
        self, rotations: np.ndarray, shape: np.ndarray, seed: int, first: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `_pose`, every hand with bone lengths of its own (see `proportioned`)."""
        vertices = [
            proportioned(self.model, seed, first + i, self.bones).skin(rotations[i], shape[i])
            for i in range(len(shape))
        ]
        return np.array(vertices), np.array([self.model.joints(mesh) for mesh in vertices])


def _shards(count: int) -> list[tuple[int, int]]:
    """(number, samples) of every shard of a set."""
    return [(k, min(SHARD, count - k * SHARD)) for k in range(-(-count // SHARD))]


def _work(job: tuple[str, str, str, float, int, list[tuple[int, int]]]) -> None:
    folder, hand, domain, bones, seed, shards = job
    studio = Studio(hand, domain, bones)
    for number, count in shards:
        start = time.perf_counter()
        images, labels = studio.shard(seed, number, count)
        write_shard(folder, number, images, labels)
        took = time.perf_counter() - start
        print(f"shard {number}: {count} photos, {1000 * took / count:.1f} ms each", file=sys.stderr, flush=True)


def generate(
    folder: str | Path,
    count: int,
    seed: int,
    workers: int = 1,
    hand: str = "free",
    domain: str = "everyday",
    bones: float = 0.0,
) -> None:
    """Write a set of `count` photos into `folder`, or finish one begun with the same seed, hand, domain and bones.

    bones: hands beyond the shape space: every bone is up to this share longer or shorter (0: hands of the shape space).
    Raises InputError if the folder holds a set of another seed, hand, domain, bones or version, or for bones outside
    0..0.4.
    """
    domain_of(domain)
    if not 0.0 <= bones <= 0.4:
        raise InputError(f"bones must be within 0..0.4, got {bones:g}")
    if count < 1:
        raise InputError(f"count must be at least 1, got {count}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    meta = {
        "version": VERSION,
        "seed": seed,
        "count": count,
        "shard_size": SHARD,
        "block": BLOCK,
        "crop": CROP_SIZE,
        "side": "right",
        "hand": hand,
        "hand_digest": load_hand(hand).digest,
        "kinds": list(KINDS),
        "domain": domain,
        "bones": bones,
    }
    if (folder / "meta.json").exists():
        old = {"domain": "everyday", "bones": 0.0} | read_meta(folder)
        for key in ("seed", "hand_digest", "shard_size", "block", "domain", "bones"):
            if old.get(key) != meta[key]:
                raise InputError(f"{folder} holds another set: {key} is {old.get(key)}, not {meta[key]}")
        meta["count"] = max(count, int(old.get("count", 0)))
    write_meta(folder, meta)
    todo = [(k, n) for k, n in _shards(count) if shard_length(folder, k) < n]
    workers = max(1, min(workers, len(todo)))
    jobs = [(str(folder), hand, domain, bones, seed, todo[k::workers]) for k in range(workers)]
    if workers == 1:
        if todo:
            _work(jobs[0])
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(_work, jobs, chunksize=1)


def main(arguments: list[str] | None = None) -> int:
    """Command line; 2 on bad input with one line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m annotator.synthetic.generate", description=__doc__.splitlines()[0])
    parser.add_argument("out", help="folder for the shards")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--hand", default="free", help="hand model: a name or an .npz")
    parser.add_argument("--domain", default="everyday", help=f"one of {', '.join(DOMAINS)}")
    parser.add_argument(
        "--bones",
        type=float,
        default=0.0,
        help="every bone up to this share longer or shorter: hands beyond the shapes",
    )
    options = parser.parse_args(arguments)
    try:
        generate(options.out, options.count, options.seed, options.workers, options.hand, options.domain, options.bones)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
