"""Small videos for tests, really encoded: a frame's greys say its number."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

SIZE = (96, 64)  # px, width and height

# file's name -> how `video` writes it: containers and codecs that people bring
KINDS = {
    "a.mp4": {}, "b.mov": {}, "c.mkv": {}, "d.avi": {}, "e.webm": {"codec": "libvpx"},
    "f.webm": {"codec": "libvpx-vp9"}, "g.mp4": {"codec": "libx265"}, "h.mpg": {"codec": "mpeg2video", "rate": 25},
    "i.avi": {"codec": "mpeg4"}, "j.mp4": {"codec": "mpeg4"}, "k.mts": {}, "l.flv": {},
    "m.mov": {"codec": "prores", "pixels": "yuv422p10le"}, "n.mkv": {"codec": "ffv1"}, "o.3gp": {},
    "p.mp4": {"options": {"x264-params": "bframes=3:b-adapt=0:open-gop=1:scenecut=0"}},
    "q.webm": {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "16", "arnr-maxframes": "7"}},
}  # fmt: skip


def grey(number: int) -> int:
    """The grey of frame `number`, 0 to 29 are well apart."""
    return 20 + 7 * number


def pictures(count: int, size: tuple[int, int] = SIZE, start: int = 0) -> list[np.ndarray]:
    """(H, W, 3) uint8 each: grey by number, the upper left quarter darker."""
    made = []
    for number in range(start, start + count):
        picture = np.full((size[1], size[0], 3), grey(number), np.uint8)
        picture[: size[1] // 2, : size[0] // 2] = grey(number) // 2
        made.append(picture)
    return made


def number_in(picture: np.ndarray) -> int:
    """The number of the frame that this picture, whole or turned, is of."""
    return round((float(np.median(picture)) - 20) / 7)


def video(
    path: Path,
    frames: Sequence[np.ndarray],
    codec: str = "libx264",
    rate: int = 10,
    seconds: Sequence[float] | None = None,
    keys: int = 5,
    b_frames: int = 2,
    options: dict[str, str] | None = None,
    aspect: Fraction | None = None,
    pixels: str = "yuv420p",
) -> Path:
    """Write a video; seconds: the frames' time stamps (milliseconds count), else `rate` a second; keys: every so many
    frames one begins anew."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = pixels, 4_000_000
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = keys, b_frames
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if seconds is not None:
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if seconds is not None:
                frame.pts, frame.time_base = round(1000 * seconds[number]), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Give an MP4 file a display matrix (a, b, c, d), 1 for 65536, as phones write it."""
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 44
    a, b, c, d = (65536 * value for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def damage(path: Path, number: int, head: int = 0) -> Path:
    """Overwrite the packet of frame `number` (in the order of showing); head: bytes of it that are the container's."""
    import av

    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        packet = sorted(packets, key=lambda packet: packet.pts)[number]
        first, size = packet.pos + head, packet.size
    data = bytearray(path.read_bytes())
    data[first : first + size] = np.random.default_rng(0).integers(0, 256, size, np.uint8).tobytes()
    path.write_bytes(data)
    return path


def cut_by_edit_list(path: Path, first: float) -> Path:
    """Give an MP4 file an edit list that begins `first` seconds into it: players show nothing before."""
    data = bytearray(path.read_bytes())
    at = data.find(b"elst")
    count, duration, _, rate = struct.unpack(">IIiI", data[at + 8 : at + 24])
    assert count == 1
    mdhd = data.find(b"mdhd")
    (scale,) = struct.unpack(">I", data[mdhd + 16 : mdhd + 20])
    mvhd = data.find(b"mvhd")
    (movie,) = struct.unpack(">I", data[mvhd + 16 : mvhd + 20])
    old = struct.unpack(">i", data[at + 16 : at + 20])[0]
    new = old + round(first * scale)
    data[at + 8 : at + 24] = struct.pack(">IIiI", 1, duration - round(first * movie), new, rate)
    path.write_bytes(data)
    return path


def afresh(path: Path):
    """The video as another process would open it: nothing decoded yet."""
    from annotator.vision.video import open_video, opening

    opening._open.clear()
    return open_video(path)
