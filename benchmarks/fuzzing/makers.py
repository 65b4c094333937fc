"""Files whose container is sound and whose inside is hostile: archives here, pictures, tables and settings beside."""

from __future__ import annotations

import io
import json
import random
import re
import struct
import tarfile
import zipfile

import numpy as np
from hostile.damage import mutated, npy_claiming, npy_pickle

from fuzzing.pictures import jpeg, mp4, png, tiff
from fuzzing.trees import FLOATS, NUMBERS, as_json, changed, csv, orders, pickles, yaml

__all__ = [
    "as_json",
    "changed",
    "csv",
    "inside_of",
    "jpeg",
    "mp4",
    "mutated",
    "npz",
    "orders",
    "pickles",
    "png",
    "safetensors",
    "tar",
    "tiff",
    "yaml",
]


def npz(data: bytes, bomb: bytes, draw: random.Random) -> bytes:
    """Arrays of other shapes, types and numbers; the archive and its check sums are sound."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        members = {name: old.read(name) for name in old.namelist()}
    names, out = list(members), io.BytesIO()
    for _ in range(draw.choice((1, 1, 2, 3))):
        name = draw.choice(names)
        try:
            array = np.lib.format.read_array(io.BytesIO(members[name]), allow_pickle=False)
        except Exception:  # noqa: BLE001  of objects, or changed before
            array = np.zeros(3)
        members[name] = _npy(array, bomb, draw)
    if draw.random() < 0.2:
        del members[draw.choice(names)]
    with zipfile.ZipFile(out, "w", draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))) as new:
        for name, content in members.items():
            new.writestr(draw.choice((name,) * 12 + ("../../ESCAPED.npy", "/tmp/ESCAPED.npy")), content)
        if draw.random() < 0.1:
            new.writestr(names[0], b"twice")
        if draw.random() < 0.03:
            with new.open(names[-1], "w", force_zip64=True) as member:  # 320 MB of zeros in a few kilobytes
                member.write(_head(np.dtype("<f8"), (40_000_000,)))
                for _ in range(20):
                    member.write(bytes(16_000_000))
    return out.getvalue()


def _head(dtype: np.dtype, shape: tuple) -> bytes:
    with io.BytesIO() as file:
        np.lib.format.write_array_header_1_0(file, {"descr": dtype.str, "fortran_order": False, "shape": shape})
        return file.getvalue()


def _npy(array: np.ndarray, bomb: bytes, draw: random.Random) -> bytes:
    kind = draw.randrange(12)
    if kind == 0:
        return npy_pickle(bomb)
    if kind == 1:
        return npy_claiming(draw)
    if kind == 2:
        return npy_pickle(pickles({"a": [1, "x", array[:2]]}, bomb, draw))
    if kind == 3:
        kind_of = draw.choice(("U8", "S3", "c16", "?", "f2", "i1", "u8", ">f8", "M8[s]", "V4"))
        array = array.astype(kind_of, casting="unsafe") if array.dtype.kind in "fiub" else np.arange(4.0)
    elif kind == 4:
        array = np.zeros(array.shape, [("a", "f8"), ("b", "i4")])
    elif kind == 5:
        array = array[:0] if array.ndim else np.zeros(0)
    elif kind == 6:
        array = np.asarray(array).reshape(-1)
    elif kind == 7:
        array = np.concatenate([array, array]) if array.ndim else np.stack([array] * 5)
    elif kind == 8:
        array = np.asarray(array)[None]
    elif kind == 9 and array.dtype.kind == "f":
        array = np.full(array.shape, draw.choice(FLOATS))
    elif kind == 10 and array.dtype.kind in "iu":
        array = np.full(array.shape, draw.choice((-1, 2**31 - 1, 10**6)), np.int64)
    elif array.size:
        array = np.array(array)
        flat = array.reshape(-1)
        try:
            flat[draw.randrange(flat.size)] = draw.choice((-1, 0, 1e30, 2**31 - 1, float("nan")))
        except (ValueError, OverflowError, TypeError):
            pass
    with io.BytesIO() as file:
        np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
        return file.getvalue()


def tar(data: bytes, bomb: bytes, draw: random.Random) -> bytes:
    """Members whose contents, names and kinds are others; every header's check sum is right."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data)) as old,
        tarfile.open(
            fileobj=out, mode="w", format=draw.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
        ) as new,
    ):
        for member in old.getmembers():
            file = old.extractfile(member)
            content = file.read() if file else b""
            if draw.random() < 0.3:
                content = inside_of(member.name, content, bomb, draw)
            if draw.random() < 0.1:
                member.name = draw.choice(
                    ("../../ESCAPED", "/tmp/ESCAPED", "", "a" * 90, ".", "x.json", member.name + "/")
                )
            if draw.random() < 0.05:
                member.type = draw.choice(
                    (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE)
                )
                member.linkname = "/etc/passwd"
            member.size = len(content)
            try:
                new.addfile(member, io.BytesIO(content))
            except (ValueError, tarfile.TarError):
                continue
            if draw.random() < 0.05:
                new.addfile(member, io.BytesIO(content))
    return out.getvalue()


def inside_of(name: str, content: bytes, bomb: bytes, draw: random.Random) -> bytes:
    """A file of a set, hostile by what its name says it is."""
    suffix = name.rpartition(".")[2].lower()
    try:
        if suffix == "json":
            return as_json(changed(json.loads(content), draw))
        if suffix in ("pkl", "pyd", "pickle"):
            return pickles(_plain(content), bomb, draw)
        if suffix == "npz":
            return npz(content, bomb, draw)
        if suffix in ("jpg", "jpeg"):
            return jpeg(content, draw)
        if suffix == "png":
            return png(content, draw)
        if suffix == "csv":
            return csv(content, draw)
        if suffix == "tar":
            return tar(content, bomb, draw)
        if suffix in ("h5", "slp"):
            return h5(content, draw)
        if suffix == "xml":
            return xml(content, draw)
        if suffix == "txt":
            return csv(content.replace(b" ", b","), draw).replace(b",", b" ")
        if suffix == "npy":
            return pickled_array(content, bomb, draw)
        if suffix in ("yml", "yaml"):
            return yaml(content, draw)
    except (ValueError, struct.error, IndexError):
        pass
    return mutated(content, draw)


def _plain(content: bytes):
    from annotator.files.serialization.safe_pickle import load

    return load(content)


def pickled_array(content: bytes, bomb: bytes, draw: random.Random) -> bytes:
    """An .npy, of objects perhaps, whose content is another."""
    try:
        return _npy(np.lib.format.read_array(io.BytesIO(content), allow_pickle=False), bomb, draw)
    except ValueError:
        return npy_pickle(pickles({"a": [1, "x", np.zeros(3)]}, bomb, draw))


def h5(content: bytes, draw: random.Random) -> bytes:
    """An HDF5 file with other data sets: of another type or shape, absent, linked, or far larger than its bytes."""
    import h5py

    file = io.BytesIO(content)
    with h5py.File(file, "r+") as tree:
        names: list[str] = []
        tree.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in draw.sample(names, min(len(names), draw.choice((1, 1, 2)))):
            old = tree[name]
            shape, dtype, kind = old.shape, old.dtype, draw.randrange(7)
            values = old[()]
            del tree[name]
            if kind == 0:  # nothing is stored of it, it reads as zeros
                big = tuple(draw.choice((1, 50_000)) * max(1, n) for n in shape) or (10**9,)
                tree.create_dataset(name, big, dtype, chunks=tuple(min(n, 64) for n in big))
            elif kind == 1:
                tree[name] = np.zeros(shape, draw.choice(("f8", "i8", "S4", "?", "u1")))
            elif kind == 2:
                tree[name] = np.asarray(values)[:0] if shape else np.zeros(3)
            elif kind == 3:
                tree[name] = h5py.SoftLink(draw.choice((f"/{name}", "/nowhere", f"/{draw.choice(names)}")))
            elif kind == 4:
                tree[name] = h5py.ExternalLink("/etc/passwd", "/x")
            elif kind == 5 and np.asarray(values).dtype.kind in "fi":
                tree[name] = np.full(shape, draw.choice((-1, 10**6, 2**31 - 1)), dtype)
    return file.getvalue()


def xml(content: bytes, draw: random.Random) -> bytes:
    """Other attributes and entities that grow."""
    text = content.decode()
    for _ in range(draw.choice((1, 1, 3))):
        values = list(re.finditer(r'="([^"]*)"', text))
        place = draw.choice(values)
        new = draw.choice(
            (*(str(one) for one in NUMBERS[:12]), "", "nan", "1e999", "../../ESCAPED", "1,2;3", "x" * 100_000, "&lt;")
        )
        text = text[: place.start(1)] + new + text[place.end(1) :]
    if draw.random() < 0.2:
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
        told = f'<!DOCTYPE a [<!ENTITY l0 "ha">{laughs}<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        start = text.index("<", text.index("?>") + 2) if "?>" in text else 0
        text = text[:start] + told + text[start:].replace('="', f'="{draw.choice(("&l9;", "&x;"))}', 1)
    return text.encode()


def safetensors(data: bytes, draw: random.Random) -> bytes:
    """A head that says other things of the network, or of where its tensors lie."""
    (length,) = struct.unpack("<Q", data[:8])
    head, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    kind = draw.randrange(4)
    if kind <= 1:
        told = head["__metadata__"]
        name = draw.choice(("config", "config", "config", "card"))
        told[name] = json.dumps(changed(json.loads(told[name]), draw))
    elif kind == 2:
        name = draw.choice([one for one in head if one != "__metadata__"])
        tensor = head[name]
        change = draw.randrange(4)
        if change == 0:
            del head[name]
        elif change == 1:
            tensor["shape"] = [int(np.prod(tensor["shape"]))]
        elif change == 2:
            tensor["shape"] = [1, *tensor["shape"]]
        else:
            head[name] = changed(tensor, draw)
    else:
        head = changed(head, draw)
    told = json.dumps(head).encode()
    return struct.pack("<Q", len(told)) + told + body
