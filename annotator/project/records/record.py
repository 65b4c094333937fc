"""A hand's whole changeable state as a few hundred numbers, and the difference of two as a few hundred bytes.

The mesh is not stored: the parameters rebuild it. A record's bytes have one fixed layout, so an event of the
journal is `before xor after`: it leads from one to the other in both directions, and equal parts are zeros
that compress away.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import SIDES
from annotator.project.records.states import HAND_STATE_CODE, HAND_STATES, JOINT_STATE_CODE, JOINT_STATES

SINGLES = (
    ("pose", (16, 3)),
    ("shape", (10,)),
    ("translation", (3,)),
    ("keypoint_sigma", (21,)),
    ("confidence", (1,)),
)
LARGEST = 1 << 20  # bytes; the free hand's records have 2,200
FIXED_SINGLES = sum(int(np.prod(shape)) for _, shape in SINGLES)


@dataclass(frozen=True, eq=False)
class HandRecord:
    """What a person or the network can change of a hand.

    K (3,3) and crop (4,) = centre x, y, size (px), angle (rad), float64; pose (16,3) axis-angle, shape (10,),
    translation (3,) m, offsets (M,3) m, keypoint_sigma (21,) px, confidence: float32; vertex_sigma (M,) m at
    the offset level, float16; corrections: keypoint number -> (x, y) px, float64.
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
        return record.tobytes()

    @classmethod
    def decode(cls, data: bytes) -> HandRecord:
        """The record of these bytes; InputError if they are none."""
        count = (len(data) - _layout(0).itemsize) // (_layout(1).itemsize - _layout(0).itemsize)
        if count < 0 or len(data) != _layout(count).itemsize:
            raise InputError(f"a stored hand is damaged: {len(data)} bytes are no record")
        record = np.frombuffer(data, _layout(count))[0]
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
            corrections={int(j): tuple(corrections[j].tolist()) for j in np.flatnonzero(~np.isnan(corrections[:, 0]))},
            confidence=float(record["confidence"][0]),
            **{name: record[name].copy() for name in ("K", "crop", "pose", "shape", "translation", "offsets")},
            **{name: record[name].copy() for name in ("keypoint_sigma", "vertex_sigma")},
        )


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


def check_sum(data: bytes) -> int:
    """CRC-32 of a record's bytes."""
    return zlib.crc32(data)


def pack(before: bytes | None, after: bytes) -> bytes:
    """The difference of two records of the same length (before: None = all zeros), compressed.

    Neighbouring floats share sign and exponent bytes, so the block of singles is laid out byte by byte first.
    """
    delta = np.frombuffer(after, np.uint8)
    if before is not None:
        if len(before) != len(after):
            raise InputError("a hand cannot change to a hand model with another number of offsets")
        delta = delta ^ np.frombuffer(before, np.uint8)
    singles = _singles(len(after))
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
            flat = flat ^ np.frombuffer(record, np.uint8)
    except (zlib.error, ValueError) as error:
        raise InputError("an event of the journal is damaged") from error
    return flat.tobytes()


def _singles(length: int) -> int:
    """How many bytes of a record of `length` bytes are 4-byte floats."""
    per_offset = _layout(1).itemsize - _layout(0).itemsize
    count = (length - _layout(0).itemsize) // per_offset
    return 4 * (FIXED_SINGLES + 3 * count)
