"""Where each frame of a video lies: built once by walking over the packets, without decoding them.

A frame's number is its place in the order of showing, from 0. Its packet's presentation time stamp (pts) leads to it: a
decoded frame carries it along, so that a frame found by seeking is known to be the one that was asked for. Where
packets have no such stamps, or what comes out of the decoder does not agree with them (some AVI files, fields in
packets of their own), every frame is decoded once and packets are known by their count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from annotator.errors import InputError

if TYPE_CHECKING:
    from av import Packet, VideoStream
    from av.container import InputContainer

TRIED = 16  # frames that are decoded to see whether packets and frames agree
EMPTY = 16  # bytes: a packet up to this size may be no frame at all, only a sign that the last one stays
CLOCKLESS = {"avi"}  # containers that only say how many packets a second there are, not which is shown when


@dataclass(frozen=True, eq=False)
class Index:
    """N frames in the order of showing, and K packets from which decoding can begin.

    stamps (N,) int64: what the frame carries when it comes out of the decoder; seconds (N,) float64: its time stamp by
    the container's clock; start (N,): the packet to begin with for it, a row of the next; key_pts, key_dts (K,) int64:
    where to seek for it; key_frame (K,): the number of its own frame; key_packet (K,): its count among the packets;
    counted: stamps are counts of packets, packet_places (P,): the bytes at which they lie, by count (empty if not
    counted); seekable: each packet lies in a place of its own (else stamps after seeking are guesses: every reading
    begins at the beginning).
    """

    stamps: np.ndarray
    seconds: np.ndarray
    start: np.ndarray
    key_pts: np.ndarray
    key_dts: np.ndarray
    key_frame: np.ndarray
    key_packet: np.ndarray
    counted: np.ndarray
    packet_places: np.ndarray
    seekable: np.ndarray
    _order: np.ndarray = field(init=False, repr=False)  # rows by rising stamp
    _sorted: np.ndarray = field(init=False, repr=False)  # stamps, rising

    def __len__(self) -> int:
        return len(self.stamps)

    def number_of(self, stamp: int | None) -> int | None:
        """The frame that carries this stamp; None if there is none."""
        if stamp is None:
            return None
        at = int(np.searchsorted(self._sorted, stamp))
        return int(self._order[at]) if at < len(self) and self._sorted[at] == stamp else None

    def __post_init__(self) -> None:
        order = np.argsort(self.stamps, kind="stable")
        object.__setattr__(self, "_order", order)
        object.__setattr__(self, "_sorted", self.stamps[order])

    def arrays(self) -> dict[str, np.ndarray]:
        """Its fields by name, for keeping."""
        return {one.name: np.asarray(getattr(self, one.name)) for one in fields(self) if one.init}


def errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """What PyAV raises for a file that is not what it should be, and others."""
    import av

    return (av.error.FFmpegError, *others)


def packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The stream's packets up to the end, the empty last one too; where a broken one stops the reading it goes on
    behind."""
    stuck, wrong = 0, errors(OSError)
    while stuck < 3:
        try:
            for packet in container.demux(stream):
                stuck = 0
                yield packet
            return
        except wrong:
            stuck += 1


def build(path: Path) -> Index:
    """The index of a file's video stream. av.error.FFmpegError or OSError if it cannot be read at all, InputError if it
    has none."""
    listed, step, clockless = _listed(path)
    shown = [row for row in listed if row.shown]
    stamps = [row.pts for row in shown if row.pts is not None]
    if not clockless and len(set(stamps)) == len(shown) and _agrees(path, sorted(stamps)):
        return _by_stamps(listed, step)
    return _by_counting(path, listed, step)


@dataclass
class _Packet:
    pts: int | None
    dts: int | None
    place: int
    size: int
    key: bool
    shown: bool


def _listed(path: Path) -> tuple[list[_Packet], Fraction, bool]:
    """(all packets as they lie in the file, seconds of one tick, whether the container has no clock for frames)."""
    with opened_container(path) as container:
        stream = video_stream(container)
        vp8 = stream.codec_context.name in ("vp8", "libvpx")
        found = []
        for packet in packets(container, stream):
            if not packet.size:
                continue
            hidden = packet.is_discard or vp8 and not bytes(packet)[0] & 0x10  # VP8 says which frames are never shown
            place = -1 if packet.pos is None else packet.pos
            found.append(_Packet(packet.pts, packet.dts, place, packet.size, packet.is_keyframe, not hidden))
        intra = stream.codec_context.codec.intra_only
        clockless = not intra and bool(CLOCKLESS & set(container.format.name.split(",")))
        assert stream.time_base is not None  # FFmpeg gives one to every stream that it reads
        return found, stream.time_base, clockless


def opened_container(path: Path) -> InputContainer:
    """The file as a container of PyAV's."""
    import av

    return av.open(str(path), metadata_errors="ignore")


def video_stream(container: InputContainer) -> VideoStream:
    """The stream that is the video: not a cover picture beside it. InputError if there is none."""
    from av import VideoStream

    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise InputError(f"{container.name} has no video stream")
    if stream.codec_context is None:  # the file names none, or one that is not known here
        raise InputError(f"{container.name} has a video stream that no decoder here can read")
    stream.thread_type = "AUTO"
    return stream


def _agrees(path: Path, stamps: list[int]) -> bool:
    """Whether the first frames come out of the decoder as their packets' stamps say. Damaged ones speak for nothing."""
    with opened_container(path) as container:
        stream = video_stream(container)
        came: list[int | None] = []
        for packet in packets(container, stream):
            try:
                frames = packet.decode()
            except errors():
                return True
            came += [frame.pts for frame in frames]
            if any(frame.is_corrupt for frame in frames) or len(came) >= TRIED:
                break
    if not came:
        return True
    if came[0] is None or came[0] not in stamps:
        return False
    first = stamps.index(came[0])
    return came == stamps[first : first + len(came)]


def _by_stamps(listed: list[_Packet], step: Fraction) -> Index:
    keys, pairs = [], []  # (pts, dts, count) of keys; (pts, row of its key) of frames
    for count, packet in enumerate(listed):
        if packet.key and packet.pts is not None:
            keys.append((packet.pts, packet.dts if packet.dts is not None else packet.pts, count))
        if packet.shown:
            assert packet.pts is not None  # else packets are known by their count, see `build`
            row = len(keys) - 1
            if row > 0 and packet.pts < keys[row][0]:
                row -= 1  # shown before the key that it comes behind: it may need what was before
            pairs.append((packet.pts, max(row, 0)))
    pairs.sort()
    stamps = np.array([pts for pts, _ in pairs], np.int64)
    keys = keys or [(0, 0, 0)]
    key_pts = np.array([pts for pts, *_ in keys], np.int64)
    return Index(
        stamps=stamps,
        seconds=_seconds(stamps, step),
        start=np.array([row for _, row in pairs], np.int64),
        key_pts=key_pts,
        key_dts=np.array([dts for _, dts, _ in keys], np.int64),
        key_frame=np.searchsorted(stamps, key_pts),
        key_packet=np.array([count for *_, count in keys], np.int64),
        counted=np.array(False),
        packet_places=np.zeros(0, np.int64),
        seekable=_apart(listed),
    )


def _by_counting(path: Path, listed: list[_Packet], step: Fraction) -> Index:
    """Every frame is decoded; each says by which packet it came."""
    came: dict[int, None] = {}
    damaged = False
    with opened_container(path) as container:
        for packet in counted_packets(packets(container, video_stream(container))):
            try:
                frames = packet.decode()
            except errors():
                damaged = True
                continue
            damaged |= any(frame.is_corrupt for frame in frames)
            came |= dict.fromkeys(frame.pts for frame in frames if frame.pts is not None)
    order = list(came)
    if damaged:  # what did not come keeps its number: frames behind it have theirs
        for count, row in enumerate(listed):
            if count not in came and row.shown and row.size > EMPTY:
                at = next((k for k, other in enumerate(order) if other > count), len(order))
                order.insert(at, count)
    known = [row.dts if row.dts is not None else row.pts for row in listed]
    clock = sorted(k if (tick := known[count]) is None else tick for k, count in enumerate(order))
    keys = [k for k, packet in enumerate(listed) if packet.key] or [0]
    number = {count: k for k, count in enumerate(order)}
    firsts = [next((number[count] for count in range(k, len(listed)) if count in number), 0) for k in keys]
    start = np.searchsorted(keys, order, side="right") - 1
    # shown before the key that it comes behind: it may need what was before
    behind = np.array([order[k] > keys[row] and k < firsts[row] for k, row in enumerate(start)], bool)
    return Index(
        stamps=np.array(order, np.int64),
        seconds=_seconds(np.array(clock, np.int64), step),
        start=np.maximum(start - behind, 0),
        key_pts=np.array([listed[k].pts or 0 for k in keys], np.int64),
        key_dts=np.array([listed[k].dts or 0 for k in keys], np.int64),
        key_frame=np.array(firsts, np.int64),
        key_packet=np.array(keys, np.int64),
        counted=np.array(True),
        packet_places=np.array([row.place for row in listed], np.int64),
        seekable=_apart(listed),
    )


def _seconds(ticks: np.ndarray, step: Fraction) -> np.ndarray:
    return ticks * step.numerator / step.denominator  # 12 tenths are 1.2


def _apart(listed: list[_Packet]) -> np.ndarray:
    """Whether packets lie in places of their own; a part of an edit list may show the same packet again."""
    places = {(packet.place, packet.size) for packet in listed}
    return np.array(len({place for place, _ in places}) == len(places))


def counted_packets(source: Iterator[Packet[VideoStream]], first: int = 0) -> Iterator[Packet[VideoStream]]:
    """The packets, each stamped with its count instead of its times; frames come with the stamp of theirs."""
    for count, packet in enumerate(source, first):
        if packet.size:
            packet.pts, packet.dts = count, None
        yield packet
