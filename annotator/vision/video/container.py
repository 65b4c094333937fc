"""A video file: its frames decoded when they are wanted, each known by its number."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from annotator.errors import InputError
from annotator.files.frame_places import FramePlace
from annotator.vision.video import index as indices
from annotator.vision.video.index import Index
from annotator.vision.video.pixels import photo_of
from annotator.vision.video.source import VideoSource, digest_of

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer
    from av.video.reformatter import VideoReformatter

HELD = 64 << 20  # bytes of decoded frames that are kept: going back a frame does not decode a second of them again
HELD_APART = 8 << 20  # the same of a reader beside others, who seldom goes back


class ContainerVideo(VideoSource):
    """A video file of any container and codec that PyAV reads, see `VideoSource`. Several threads may use it.

    Frames are found by their packets (see `index`): reading the next one decodes on, reading elsewhere seeks to the key
    frame before. A frame that cannot be decoded is named by an InputError; `broken` gathers them, number -> why.
    """

    def __init__(self, path: Path, index: Index, sha256: str, most_held: int = HELD):
        self.path, self.sha256, self.index = path, sha256, index
        self.numbers, self.seconds = np.arange(len(index)), index.seconds
        self.broken: dict[int, str] = {}
        self._lock = threading.Lock()
        self._opened: tuple[InputContainer, VideoStream] | None = None
        self._frames: Iterator[VideoFrame] | None = None
        self._first = self._next = 0  # the frame that decoding began with; the one that comes next, as far as is known
        self._recent: OrderedDict[int, VideoFrame] = OrderedDict()
        self._held, self._most_held = 0, most_held
        self._convert: VideoReformatter | None = None

    def read(self, number: int) -> np.ndarray:
        self.position(number)
        with self._lock:
            frame = self._recent.get(number) or self._found(number)
            assert self._opened is not None  # a frame has come out of it
            # one thread at a time: what converts a frame cannot be shared
            if self._convert is None:
                from av.video.reformatter import VideoReformatter

                self._convert = VideoReformatter()
            name = f"{self.path} frame {number}"
            return photo_of(frame, self._opened[1].sample_aspect_ratio, name, self._convert)

    def apart(self) -> ContainerVideo:
        return ContainerVideo(self.path, self.index, self.sha256, HELD_APART)

    def digest(self, number: int) -> str:
        self.position(number)
        return digest_of(self.sha256, number)

    def place(self, number: int) -> FramePlace:
        return FramePlace(self.path, int(number))

    # -- inside ----------------------------------------------------------------------------------------------
    def _found(self, number: int) -> VideoFrame:
        """PyAV's frame, decoded. InputError if it does not come."""
        if number in self.broken:
            raise InputError(self.broken[number])
        try:
            row = int(self.index.start[number])
            if self._frames is None or number < self._next or self.index.key_frame[row] > self._next:
                self._seek(row)
            frame = self._come_to(number)
            if frame is None and row and number not in self.broken:  # it may need more than its key says
                self._seek(row - 1)
                frame = self._come_to(number)
        except indices.errors(OSError) as error:
            self._frames = None
            raise InputError(f"video {self.path} cannot be read: {error}") from error
        if frame is None:
            behind = len(self.index) if self._frames is None else max(self._next - 1, number + 1)
            for missing in range(number, behind):  # what came next was shown after them: they do not come either
                self.broken.setdefault(missing, self._why(missing))
            raise InputError(self.broken[number])
        return frame

    def _come_to(self, number: int) -> VideoFrame | None:
        assert self._frames is not None  # `_found` seeks where nothing is being decoded
        for frame in self._frames:
            known = self.index.number_of(frame.pts)
            if known is None or known < self._first:
                continue
            self._next = known + 1
            if frame.is_corrupt:
                self.broken.setdefault(known, self._why(known))
            else:
                self._keep(known, frame)
            if known >= number:
                return frame if known == number and known not in self.broken else None
        self._frames = None  # the end; the decoder is empty
        return None

    def _why(self, number: int) -> str:
        row = int(self.index.start[number])
        last = self.index.key_frame[row + 1] - 1 if row + 1 < len(self.index.key_frame) else len(self.index) - 1
        drawn = f"; those up to {last} are drawn from it and may be wrong" if last > number else ""
        return f"{self.path}: frame {number} ({self.seconds[number]:.3f} s) is damaged and cannot be decoded{drawn}"

    def _keep(self, number: int, frame: VideoFrame) -> None:
        size = sum(plane.buffer_size for plane in frame.planes)
        if number not in self._recent:
            self._held += size
        self._recent[number] = frame
        self._recent.move_to_end(number)
        while self._held > self._most_held and len(self._recent) > 1:
            _, old = self._recent.popitem(last=False)
            self._held -= sum(plane.buffer_size for plane in old.planes)

    def _seek(self, row: int) -> None:
        """Decode from this key on; frames before it, if the container begins earlier, are passed over."""
        container, stream = self._opened or self._open()
        key = int(self.index.key_pts[row]), int(self.index.key_dts[row])
        source = None
        if self.index.seekable:
            source = self._landed(container, stream, row, key[0]) or self._landed(container, stream, row, min(key))
        if source is None:  # seeking is not to be had here: from the beginning
            source = self._stamped(indices.packets(*self._open()), 0)
        self._next = self._first = int(self.index.key_frame[row])
        self._frames = self._decoded(source)

    def _open(self) -> tuple[InputContainer, VideoStream]:
        if self._opened is not None:
            self._opened[0].close()
            self._opened = None  # opening it again may fail
        container = indices.opened_container(self.path)
        self._opened = container, indices.video_stream(container)
        return self._opened

    def _landed(
        self, container: InputContainer, stream: VideoStream, row: int, target: int
    ) -> Iterator[Packet[VideoStream]] | None:
        """Packets from where the container comes to when it is to go to a time stamp; None if that is behind the
        key."""
        try:
            container.seek(target, stream=stream, backward=True)
        except indices.errors():
            return None
        source = indices.packets(container, stream)
        first = next(source, None)
        if first is None or not first.size:
            return None
        count = 0
        if self.index.counted:
            found = np.flatnonzero(self.index.packet_places == first.pos) if first.pos else np.zeros(0, int)
            if len(found) != 1 or found[0] > self.index.key_packet[row]:
                return None
            count = int(found[0])
        elif first.pts is None or first.pts > self.index.key_pts[row]:
            return None
        elif first.dts is not None and first.dts > self.index.key_dts[row]:
            return None
        return self._stamped(itertools.chain([first], source), count)

    def _stamped(self, source: Iterator[Packet[VideoStream]], count: int) -> Iterator[Packet[VideoStream]]:
        return indices.counted_packets(source, count) if self.index.counted else source

    @staticmethod
    def _decoded(source: Iterator[Packet[VideoStream]]) -> Iterator[VideoFrame]:
        """The frames of packets; a packet that cannot be decoded gives none."""
        wrong = indices.errors()
        for packet in source:
            try:
                yield from packet.decode()
            except wrong:
                continue
