"""A picture's file without what it says beside the picture: places, names, serial numbers, ratings, comments.

JPEG and PNG files keep every byte that makes pixels or colours (quantisation, scans, colour profile, gamma,
transparency) and lose the rest: EXIF, XMP, IPTC, comments, maker's notes, previews, and what cameras append behind the
picture. What is left is also by what a photo is known again after somebody rated or tagged it.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from pathlib import Path

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.vision.images.image_files import decode_photo
from annotator.vision.images.opening import opened_image

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"cICP"}
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_ORIENTATION = 0x0112  # EXIF
END = b"\xff\xd9"  # a JPEG's


def bare(data: bytes) -> bytes | None:
    """A JPEG's or PNG's bytes without metadata, None where they are neither or their structure is broken.

    The orientation goes with the EXIF data: apply it, or keep it elsewhere.
    """
    try:
        if data.startswith(JPEG):
            return _bare_jpeg(data)
        if data.startswith(PNG):
            return _bare_png(data)
    except (IndexError, struct.error):
        pass
    return None


def _bare_jpeg(data: bytes) -> bytes | None:
    kept, at = [data[:2]], 2
    while (found := _MARKER.search(data, at)) is not None:
        # a scan's bytes, up to the marker
        kept.append(data[at : found.start()])
        marker, start = found[1][0], found.end() - 2
        if marker == END[1]:
            return b"".join([*kept, END])
        if marker in (0x01, 0xD8):
            at = found.end()
            continue
        (length,) = struct.unpack_from(">H", data, start + 2)
        segment = data[start : start + 2 + length]
        at = start + 2 + length
        if length < 2 or at > len(data):
            return None
        if _kept(marker, segment[4:]):
            kept.append(segment)
    return b"".join([*kept, data[at:], END])  # no end marker


def _kept(marker: int, content: bytes) -> bool:
    """JFIF's and Adobe's segments say how colours are coded; of APP2 the colour profile counts."""
    if marker == 0xE2:
        return content.startswith(b"ICC_PROFILE\0")
    if marker == 0xE0:
        return content.startswith(b"JFIF\0")
    return marker == 0xEE or not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _bare_png(data: bytes) -> bytes | None:
    kept, at = [PNG], len(PNG)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            return None
        if kind in _PNG_KEPT:
            kept.append(data[at:end])
        if kind == b"IEND":
            return b"".join(kept)
        at = end
    return None


def is_image(head: bytes) -> bool:
    """Whether a file's first 16 bytes are those of a usual kind of image file."""
    kinds = (JPEG, PNG, b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ")
    return head.startswith(kinds) or head[8:12] == b"WEBP" or head[4:8] == b"ftyp"


def orientation_of(data: bytes) -> int:
    """EXIF's 1..8 of an image file's bytes, 1 where it says nothing that can be read."""
    try:
        with opened_image(io.BytesIO(data), "photo") as image:
            turn = image.getexif().get(_ORIENTATION, 1)
    except InputError:  # what is broken is said where the pixels are read
        return 1
    return turn if turn in range(1, 9) else 1


def picture_digest(path: str | Path) -> str:
    """SHA-256 (64 hexadecimal digits) of what the file shows: the same before and after somebody edits its metadata.

    Of JPEG and PNG files by their bare bytes and orientation, of others by their pixels. InputError if it is no photo.
    """
    with reading(path, "is no photo"):
        data = Path(path).read_bytes()
    left = bare(data)
    if left is not None:
        return hashlib.sha256(left + bytes([orientation_of(data)])).hexdigest()
    photo = decode_photo(data, str(path))
    return hashlib.sha256(repr(photo.shape).encode() + photo.tobytes()).hexdigest()
