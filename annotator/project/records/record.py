"""A hand's whole changeable state as a few hundred numbers, and the difference of two as a few hundred bytes.

The mesh is not stored: the parameters rebuild it. A record's bytes have one fixed layout, so an event of the
journal is `before xor after`: it leads from one to the other in both directions, and equal parts are zeros
that compress away. What few hands have, labels in depth, is a block at the end that a record without them leaves out:
it counts as zeros there.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from annotator.errors import InputError
from annotator.hand.depth_labels import MOST_RELATIONS, DepthLabels
from annotator.hand.joints import SIDES
from annotator.project.records.states import HAND_STATE_CODE, HAND_STATES, JOINT_STATE_CODE, JOINT_STATES, PROPOSED

SINGLES = (
    ("pose", (16, 3)),
    ("shape", (10,)),
    ("translation", (3,)),
    ("keypoint_sigma", (21,)),
    ("confidence", (1,)),
)
LARGEST = 1 << 20  # bytes; the free hand's records have 2,200
# Labels in depth, see `hand.depth_labels`: 0 means none everywhere, so numbers of joints are stored from 1 and
# lengths with a mark. Its length is no multiple of an offset's, so a record's length says whether it is there.
DEPTH_BLOCK = np.dtype([("from_palm", "<f4", (21,)), ("distance", "<f4"), ("in_front", "u1", (MOST_RELATIONS, 2)),
                        ("said", "u1", (21,))])  # fmt: skip
FIXED_SINGLES = sum(int(np.prod(shape)) for _, shape in SINGLES)


@dataclass(frozen=True, eq=False)
class HandRecord:
    """What a person or the network can change of a hand.

    K (3,3) and crop (4,) = centre x, y, size (px), angle (rad), float64; pose (16,3) axis-angle, shape (10,),
    translation (3,) m, offsets (M,3) m, keypoint_sigma (21,) px, confidence: float32; vertex_sigma (M,) m at
    the offset level, float16; corrections: keypoint number -> (x, y) px, float64; depth_labels: float32.
    """

    side: str
    K: np.ndarray
    crop: np.ndarray
    pose: np.ndarray
    shape: np.ndarray
    translation: np.ndarray
    offsets: np.ndarray
    keypoint_sigma: np.ndarray
    vertex_sigma: np.ndarray
    confidence: float
    corrections: Mapping[int, tuple[float, float]]
    joint_states: tuple[str, ...]
    state: str
    depth_labels: DepthLabels = field(default_factory=DepthLabels)

    @property
    def untouched(self) -> bool:
        """Whether nobody has said anything of the hand: a newer proposal may take its place."""
        said = self.corrections or self.depth_labels != DepthLabels() or set(self.joint_states) != {PROPOSED}
        return self.state == PROPOSED and not said

    def encode(self) -> bytes:
        """The record's bytes; equal records give equal bytes."""
        count = len(self.offsets)
        record = np.zeros((), _layout(count))
        for name, _ in SINGLES:
            record[name] = getattr(self, name)
        record["offsets"], record["vertex_sigma"] = self.offsets, self.vertex_sigma
        record["K"], record["crop"] = self.K, self.crop
        record["corrections"] = np.nan
        for joint, point in self.corrections.items():
            record["corrections"][joint] = point
        record["side"] = SIDES.index(self.side)
        record["state"] = HAND_STATE_CODE[self.state]
        record["joint_states"] = [JOINT_STATE_CODE[state] for state in self.joint_states]
        for name in ("pose", "shape", "translation", "offsets", "keypoint_sigma", "confidence", "K", "crop"):
            if not np.isfinite(record[name]).all():
                raise InputError(f"a hand's {name} holds values that are not finite")
        return record.tobytes() + _depth_bytes(self.depth_labels)

    @classmethod
    def decode(cls, data: bytes) -> HandRecord:
        """The record of these bytes; InputError if they are none."""
        count, block = _parts(len(data))
        if count is None:
            raise InputError(f"a stored hand is damaged: {len(data)} bytes are no record")
        plain = len(data) - block
        record = np.frombuffer(data[:plain], _layout(count))[0]
        corrections = record["corrections"]
        try:
            states = tuple(JOINT_STATES[code] for code in record["joint_states"])
            side, state = SIDES[record["side"]], HAND_STATES[record["state"]]
        except IndexError as error:
            raise InputError("a stored hand is damaged: unknown state") from error
        return cls(
            side=side,
            state=state,
            joint_states=states,
            depth_labels=_depth_labels(data[plain:]),
            corrections={int(j): tuple(corrections[j].tolist()) for j in np.flatnonzero(~np.isnan(corrections[:, 0]))},
            confidence=float(record["confidence"][0]),
            **{name: record[name].copy() for name in ("K", "crop", "pose", "shape", "translation", "offsets")},
            **{name: record[name].copy() for name in ("keypoint_sigma", "vertex_sigma")},
        )


@lru_cache(maxsize=64)
def _layout(count: int) -> np.dtype:
    """Bytes of a record with `count` offsets. 4-byte numbers come first, in one block: see `pack`."""
    return np.dtype(
        [(name, "<f4", shape) for name, shape in SINGLES]
        + [
            ("offsets", "<f4", (count, 3)),
            ("K", "<f8", (3, 3)),
            ("crop", "<f8", (4,)),
            ("corrections", "<f8", (21, 2)),
        ]
        + [("vertex_sigma", "<f2", (count,)), ("joint_states", "u1", (21,)), ("side", "u1"), ("state", "u1")]
    )


@lru_cache(maxsize=256)
def _parts(length: int) -> tuple[int | None, int]:
    """How many offsets a record of `length` bytes has (None: it is no record), and how many bytes its labels in depth
    take."""
    base, each = _layout(0).itemsize, _layout(1).itemsize - _layout(0).itemsize
    for block in (0, DEPTH_BLOCK.itemsize):
        count, rest = divmod(length - base - block, each)
        if count >= 0 and not rest:
            return count, block
    return None, 0


def _depth_bytes(labels: DepthLabels) -> bytes:
    if not labels:
        return b""
    block = np.zeros((), DEPTH_BLOCK)
    for joint, depth in labels.from_palm.items():
        block["from_palm"][joint], block["said"][joint] = depth, 1
    block["distance"] = labels.distance or 0.0
    for row, pair in enumerate(labels.in_front):
        block["in_front"][row] = np.array(pair) + 1
    return block.tobytes()


def _depth_labels(data: bytes) -> DepthLabels:
    if not data:
        return DepthLabels()
    block = np.frombuffer(data, DEPTH_BLOCK)[0]
    pairs = block["in_front"][block["in_front"].all(axis=1)].astype(int) - 1
    try:
        return DepthLabels(
            {int(k): float(block["from_palm"][k]) for k in np.flatnonzero(block["said"])},
            [(near, far) for near, far in pairs.tolist()],
            float(block["distance"]) or None,
        )
    except InputError as error:
        raise InputError(f"a stored hand is damaged: {error}") from error


def check_sum(data: bytes) -> int:
    """CRC-32 of a record's bytes."""
    return zlib.crc32(data)


def pack(before: bytes | None, after: bytes) -> bytes:
    """The difference of two records of one hand model (before: None = all zeros), compressed.

    Neighbouring floats share sign and exponent bytes, so the block of singles is laid out byte by byte first.
    """
    delta = np.frombuffer(after, np.uint8)
    if before is not None:
        if _parts(len(before))[0] != _parts(len(after))[0]:
            raise InputError("a hand cannot change to a hand model with another number of offsets")
        delta = _xor(delta, np.frombuffer(before, np.uint8))
    singles = _singles(len(delta))
    planes = delta[:singles].reshape(-1, 4).T.tobytes()
    return zlib.compress(planes + delta[singles:].tobytes(), 9)


def apply(delta: bytes, record: bytes | None) -> bytes:
    """The other record of a packed difference: after from before, or before from after. InputError if
    damaged.
    """
    try:
        # never more than the largest record there can be, whatever the bytes claim
        unpacker = zlib.decompressobj()
        plain = np.frombuffer(unpacker.decompress(delta, LARGEST), np.uint8)
        if not unpacker.eof:
            raise ValueError("cut short")
        singles = _singles(len(plain))
        flat = np.concatenate([plain[:singles].reshape(4, -1).T.ravel(), plain[singles:]])
        if record is not None:
            flat = _xor(flat, np.frombuffer(record, np.uint8))
            _, block = _parts(len(flat))
            if block and not flat[-block:].any():  # no labels in depth: not even a place for them
                flat = flat[:-block]
    except (zlib.error, ValueError) as error:
        raise InputError("an event of the journal is damaged") from error
    return flat.tobytes()


def _xor(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of two records; the shorter has no labels in depth, which counts as zeros."""
    longest = max(len(a), len(b))
    return np.pad(a, (0, longest - len(a))) ^ np.pad(b, (0, longest - len(b)))


def _singles(length: int) -> int:
    """How many bytes of a record of `length` bytes are 4-byte floats."""
    count = _parts(length)[0]
    if count is None:
        raise ValueError("no record")
    return 4 * (FIXED_SINGLES + 3 * count)
