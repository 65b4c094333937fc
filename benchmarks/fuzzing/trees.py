"""Plain data with hostile values in it: as JSON, YAML, tables and pickles whose syntax is sound."""

from __future__ import annotations

import copy
import json
import pickle
import pickletools
import random

import numpy as np

NUMBERS = (0, 1, -1, 2, 255, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**53 + 1, 2**63 - 1, -(2**63), 10**400)
FLOATS = (float("nan"), float("inf"), -float("inf"), 1e-320, 1e308, -1e308, 0.0, -0.0, 0.5)
TEXTS = (
    "",
    "\0",
    "a" * 70_000,
    "../../ESCAPED",
    "/tmp/ESCAPED",
    "é\ud800",
    "right",
    "nan",
    "..",
    ".",
    "/",
    "\n",
    "[0, 1]",
)


def hostile(draw: random.Random):
    """A value where another was expected."""
    kind = draw.randrange(8)
    if kind == 0:
        return draw.choice(NUMBERS)
    if kind == 1:
        return draw.choice(FLOATS)
    if kind == 2:
        return draw.choice(TEXTS)
    if kind == 3:
        return draw.choice((None, True, False))
    if kind == 4:
        return draw.choice(([], {}, [[]], [None], {"": None}, [{}], [[0] * 3, [0] * 2]))
    if kind == 5:
        deep: list = []
        for _ in range(draw.choice((5, 200, 900))):
            deep = [deep]
        return deep
    if kind == 6:
        return [draw.choice(FLOATS)] * draw.choice((1, 2, 3, 21, 63, 3000))
    return {"id": draw.choice(NUMBERS), "file_name": draw.choice(TEXTS)}


def changed(tree, draw: random.Random, times: int = 0):
    """A copy of plain data (lists, dicts, values) with other things in a few of its places."""
    tree = copy.deepcopy(tree)
    for _ in range(times or draw.choice((1, 1, 1, 2, 5))):
        spots = list(_spots(tree, draw))
        if not spots:
            return hostile(draw)
        owner, key = draw.choice(spots)
        kind = draw.randrange(10)
        value = owner[key]
        if kind < 5:
            owner[key] = hostile(draw)
        elif kind == 5:
            del owner[key]
        elif kind == 6 and isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300:
            owner[key] = draw.choice(
                (-value, value * 1e9 if abs(value) < 1e200 else 0, str(value), [value], value + 0.5)
            )
        elif kind == 7 and isinstance(owner, list):
            owner.insert(key, copy.deepcopy(value))
        elif kind == 8 and isinstance(value, list):
            owner[key] = value[: len(value) // 2] if draw.random() < 0.5 else value + value
        elif kind == 9:
            other, at = draw.choice(spots)
            owner[key] = (
                copy.deepcopy(other[at]) if at in other or isinstance(other, list) and at < len(other) else None
            )
    return tree


def _spots(tree, draw: random.Random, depth: int = 0):
    """(container, key) of places in it; of a long list only a few."""
    if depth > 40:
        return
    if isinstance(tree, dict):
        keys = list(tree)
    elif isinstance(tree, list):
        keys = list(range(len(tree))) if len(tree) < 8 else sorted(draw.sample(range(len(tree)), 4))
    else:
        return
    for key in keys:
        yield tree, key
        yield from _spots(tree[key], draw, depth + 1)


def as_json(tree) -> bytes:
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def pickles(tree, bomb: bytes, draw: random.Random) -> bytes:
    """Sound pickles of changed data, or sound orders in another order."""
    kind = draw.randrange(6)
    if kind == 0:
        return draw.choice((bomb, bomb[:-1] + b"0" + bomb[-1:]))
    if kind <= 3:
        try:
            return pickle.dumps(_changed_arrays(tree, draw), draw.choice((0, 2, 4)))
        except RecursionError:  # what was put in is too deep for the writer
            return bomb
    return orders(pickle.dumps(tree, draw.choice((0, 2, 4))), draw)


_CLASSES = (
    b"builtins\nbytearray",
    b"builtins\neval",
    b"numpy\nndarray",
    b"collections\nOrderedDict",
    b"copy_reg\n_reconstructor",
    b"chumpy.ch\nCh",
    b"scipy.sparse.csc\ncsc_matrix",
)
_ORDERS = (
    *(bytes([one]) for one in b"]})N(tRb\x8102aseuQ"),
    b"K\xff",
    b"J\xff\xff\xff\x7f",
    b"Vx\n",
    b"q\xff",
    b"r\xff\xff\xff\x7f",
    b"\x8a\xff",
    b"P0\n",
    *(b"c" + one + b"\n" for one in _CLASSES),
)


def orders(data: bytes, draw: random.Random) -> bytes:
    """A pickle's own orders, a few of them others, twice, missing, or elsewhere."""
    places = [position for _, _, position in pickletools.genops(data)] + [len(data)]
    parts = [data[a:b] for a, b in zip(places, places[1:], strict=False)]
    for _ in range(draw.choice((1, 2, 5))):
        at = draw.randrange(len(parts))
        change = draw.randrange(4)
        if change == 0:
            parts.insert(at, parts[draw.randrange(len(parts))])
        elif change == 1:
            del parts[at]
        elif change == 2:
            parts[at] = draw.choice(_ORDERS)
        elif len(parts) > 1:
            other = draw.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        if not parts:
            parts = [b"."]
    return b"".join(parts)


def _changed_arrays(tree, draw: random.Random):
    if isinstance(tree, np.ndarray):
        return (
            tree
            if draw.random() < 0.8
            else draw.choice((tree[:0], tree.astype("U3"), tree[None], np.full(3, np.nan), hostile(draw)))
        )
    if isinstance(tree, dict):
        new = {key: _changed_arrays(value, draw) for key, value in tree.items()}
        return changed(new, draw) if draw.random() < 0.5 else new
    return changed(tree, draw) if isinstance(tree, list) else tree


_CELLS = (
    "",
    "nan",
    "inf",
    "1e999",
    "-1",
    "9" * 500,
    "0x10",
    '"',
    '"a\nb"',
    "\0",
    "x" * 200_000,
    "../../ESCAPED",
    "/dev/zero",
    "1,5",
    "١٢",
    "True",
    "\ufeff",
    "=1+1",
)


def csv(content: bytes, draw: random.Random) -> bytes:
    """A table with other cells, columns, rows, quotes and encodings."""
    rows = [line.split(",") for line in content.decode().split("\n")]
    for _ in range(draw.choice((1, 1, 2, 5))):
        row = draw.randrange(len(rows))
        cell = draw.randrange(len(rows[row]))
        kind = draw.randrange(8)
        if kind <= 2:
            rows[row][cell] = draw.choice((*_CELLS, rows[0][0]))
        elif kind == 3:
            del rows[row][cell]
            rows[row] = rows[row] or [""]
        elif kind == 4:
            rows[row].insert(cell, rows[row][cell])
        elif kind == 5:
            rows.insert(row, list(rows[row]))
        elif kind == 6:
            rows[row] = rows[row] * draw.choice((2, 500))
        elif kind == 7:
            rows[row] = [""]
    encoding = draw.choice(("utf-8",) * 6 + ("utf-16", "latin-1", "utf-8-sig"))
    return draw.choice(("\n", "\n", "\r\n", "\r")).join(",".join(row) for row in rows).encode(encoding, "replace")


_ENDINGS = (
    "\n- x",
    "\n<<: *a",
    "\n? [a]\n: b",
    "\n---\nb: 1\n",
    "\n&a a: *a\n",
    "\nd: 2001-99-99\n",
    "\nd: 1:2:3:4\n",
    "\n!!python/object/apply:os.system ['touch ESCAPED']: 1\n",
    "\n%TAG ! x\n",
    "\n0: " + "9" * 10_000,
)


def yaml(content: bytes, draw: random.Random) -> bytes:
    """Settings with other values, anchors that grow, tags that would run something."""
    import yaml as library

    tree = library.safe_load(content)
    text = library.safe_dump(changed(tree, draw), default_flow_style=draw.choice((True, False)), allow_unicode=True)
    if draw.random() < 0.3:
        text += draw.choice(_ENDINGS)
    return text.encode("utf-8", "replace")
