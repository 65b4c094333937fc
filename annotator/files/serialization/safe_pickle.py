"""Pickles of data sets, read without running anything that is in them.

A pickle is a program: `pickle.load` runs whatever it names. This reader knows a short list of names, and every
one of them is a function or class of this module that only keeps numbers: numpy arrays, scalars and dtypes
are rebuilt from their bytes with all lengths checked (numpy's own `__setstate__` is never called), and
chumpy's and scipy.sparse's classes (as in MANO's files) become arrays. Everything else raises InputError.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import ordinary

_DTYPE = re.compile(r"[<>=|]?(b1|\?|[iufcSUVO]\d*)")
_KEEPS = ("PUT", "BINPUT", "LONG_BINPUT")
LARGEST = 1 << 31  # bytes of one array
_BROKEN = (
    pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError,
    MemoryError, OverflowError, RecursionError, UnicodeError,
)  # fmt: skip


def load(source: BinaryIO | bytes, name: str = "pickle") -> Any:
    """The plain content of a pickle: containers, text, numbers and arrays. name: the file, for messages.

    Python 2's byte strings become text (latin-1). InputError for anything that is not plain data, and for a
    damaged file; nothing of the file is run.
    """
    data = source if isinstance(source, (bytes, bytearray)) else source.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise InputError(f"{name} is larger than {LARGEST >> 30} GiB")
    try:
        _check_places(data)
        return _plain(_Unpickler(io.BytesIO(data), encoding="latin1").load(), {})
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    except _BROKEN as error:
        raise InputError(f"{name} is not a readable pickle: {error}") from error


def load_file(path: Path) -> Any:
    """`load` of a file."""
    with reading(path, "is not a readable pickle"), ordinary(path).open("rb") as file:
        return load(file, str(path))


def _check_places(data: bytes | bytearray) -> None:
    """Where the program keeps something, it is among the first places: `pickle` makes room for all places up to the
    number that a file names, 64 GB for four bytes of it. InputError; ValueError for what is no pickle."""
    for count, (step, place, _) in enumerate(pickletools.genops(data)):
        if step.name in _KEEPS and isinstance(place, int) and place > count:
            raise InputError(f"keeps something at place {place} of at most {count}: it is not read")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise InputError(f"holds {module}.{name}, which is not plain data: it is not read") from None

    def persistent_load(self, key: Any) -> Any:
        raise InputError("refers to data outside of it: it is not read")


class _Dtype:
    """numpy.dtype: only plain kinds, with a byte order."""

    def __init__(self, spec: Any, *_flags: Any):
        if not isinstance(spec, str) or not _DTYPE.fullmatch(spec):
            raise InputError(f"holds an array of type {spec!r}, expected numbers or text")
        self.value = np.dtype(spec)

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "=") or any(part is not None for part in state[2:5]):
            raise InputError("holds an array of a structured type: it is not read")
        self.value = self.value.newbyteorder(order)


def _filled(shape: Any, dtype: np.dtype, data: Any, fortran: bool = False) -> np.ndarray:
    """An array of its own from bytes (or, of objects, from a list), the length checked."""
    shape = tuple(int(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))
    count = int(np.prod(shape, dtype=object)) if shape else 1
    if min(shape, default=0) < 0 or count * max(dtype.itemsize, 1) > LARGEST:
        raise InputError(f"holds an array of shape {shape}: too large")
    order: Literal["C", "F"] = "F" if fortran else "C"
    if dtype.hasobject:
        if not isinstance(data, list) or len(data) != count:
            raise InputError("holds a damaged array of objects")
        array = np.empty(count, object)
        array[:] = data
        return array.reshape(shape, order=order)
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
    if len(raw) != count * dtype.itemsize:
        raise InputError(f"holds an array of shape {shape} in {len(raw)} bytes: it is damaged")
    return np.frombuffer(raw, dtype).reshape(shape, order=order).copy()


class _Array:
    """numpy.ndarray as pickles build it: empty first, then its state (version, shape, dtype, order, bytes)."""

    value = None

    def __init__(self, shape: Any = None, dtype: Any = None, data: Any = None):
        if data is not None:  # the plain call numpy.ndarray(shape, dtype, buffer)
            kind = dtype.value if isinstance(dtype, _Dtype) else _Dtype(dtype).value
            self.value = _filled(shape, kind, data)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        self.value = _filled(shape, dtype.value, data, bool(fortran))


def _reconstruct(*_arguments: Any) -> _Array:
    return _Array()


def _frombuffer(data: Any, dtype: _Dtype, shape: Any, order: str = "C", *_more: Any) -> _Array:
    array = _Array()
    array.value = _filled(shape, dtype.value, data, order == "F")
    return array


def _scalar(dtype: _Dtype, data: Any = None) -> Any:
    return _filled((), dtype.value, data)[()]


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise InputError(f"holds text in {encoding!r}: it is not read")
    return text.encode("latin1")


def _bytes(data: Any = b"", encoding: str = "latin1") -> bytearray | bytes:
    """bytes(...) and bytearray(...) of content: never of a length, which could be any."""
    if isinstance(data, str):
        return _encode(data, encoding)
    if not isinstance(data, (bytes, bytearray)):
        raise InputError("holds bytes without content")
    return data


class _Kept:
    """Any object of which only the attributes matter."""

    def __init__(self, *_arguments: Any):
        self.state: dict = {}

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple):  # of an object with slots
            state = {key: value for part in state if part for key, value in part.items()}
        self.state = state

    def array(self, memo: dict) -> Any:
        raise InputError("holds an object that has no numbers")


class _Chumpy(_Kept):
    """chumpy.Ch: its numbers are the attribute `x`."""

    def array(self, memo: dict) -> np.ndarray:
        return np.asarray(_plain(self.state["x"], memo), np.float64)


class _ChumpySelect(_Kept):
    """chumpy.reordering.Select: some elements of another chumpy object, in another shape."""

    def array(self, memo: dict) -> np.ndarray:
        of, index = _plain(self.state["a"], memo), _plain(self.state["idxs"], memo)
        shape = _plain(self.state["preferred_shape"], memo)
        return np.asarray(of, np.float64).ravel()[np.asarray(index)].reshape(tuple(int(n) for n in shape))


class _Sparse(_Kept):
    """scipy.sparse's csc_matrix and csr_matrix, as dense arrays."""

    kind = "csc"

    def array(self, memo: dict) -> np.ndarray:
        from scipy import sparse

        state = _plain(self.state, memo)
        shape = tuple(int(n) for n in state.get("_shape", state.get("shape")))
        if len(shape) != 2 or shape[0] * shape[1] * 8 > LARGEST:
            raise InputError(f"holds a sparse matrix of shape {shape}: too large")
        make = getattr(sparse, f"{self.kind}_matrix")
        matrix = make(tuple(np.asarray(state[name]) for name in ("data", "indices", "indptr")), shape=shape)
        matrix.check_format(full_check=True)
        return matrix.toarray()


class _SparseRows(_Sparse):
    kind = "csr"


def _restored(kind: type, _base: Any = None, _state: Any = None) -> Any:
    """copy_reg._reconstructor: only of the classes above, which all start empty."""
    if not (isinstance(kind, type) and issubclass(kind, _Kept)):
        raise InputError("holds an object that is not plain data: it is not read")
    return kind()


def _plain(value: Any, memo: dict[int, Any]) -> Any:
    """`value` with this module's stand-ins replaced by arrays, in containers too."""
    if isinstance(value, (str, bytes, bytearray, int, float, bool, complex, type(None), np.generic)):
        return value
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, _Kept):
        result = value.array(memo)
    elif isinstance(value, _Array):
        result = value.value
        if result is None:
            raise InputError("holds an array without content")
        if result.dtype.hasobject:
            flat = [_plain(one, memo) for one in result.ravel()]
            array = np.empty(len(flat), object)
            array[:] = flat
            result = array.reshape(result.shape)
    elif isinstance(value, dict):
        result = {_plain(key, memo): _plain(one, memo) for key, one in value.items()}
    elif isinstance(value, (list, tuple, set, frozenset)):
        result = type(value)(_plain(one, memo) for one in value)
    else:
        raise InputError(f"holds a {type(value).__name__.lstrip('_')}, which is not plain data: it is not read")
    memo[id(value)] = result
    return result


_KNOWN: dict[tuple[str, str], Any] = {("_codecs", "encode"): _encode, ("collections", "OrderedDict"): OrderedDict}
for _core in ("numpy.core", "numpy._core"):
    _KNOWN[f"{_core}.multiarray", "_reconstruct"] = _reconstruct
    _KNOWN[f"{_core}.multiarray", "scalar"] = _scalar
    _KNOWN[f"{_core}.numeric", "_frombuffer"] = _frombuffer
_KNOWN["numpy", "ndarray"], _KNOWN["numpy", "dtype"] = _Array, _Dtype
for _module in ("builtins", "__builtin__"):
    for _kind in (list, dict, set, frozenset, tuple, complex):
        _KNOWN[_module, _kind.__name__] = _kind
    _KNOWN[_module, "bytearray"] = _KNOWN[_module, "bytes"] = _bytes
    _KNOWN[_module, "object"] = object
for _module in ("copyreg", "copy_reg"):
    _KNOWN[_module, "_reconstructor"] = _restored
for _module in ("chumpy.ch", "chumpy"):
    _KNOWN[_module, "Ch"] = _Chumpy
_KNOWN["chumpy.reordering", "Select"] = _ChumpySelect
for _format, _class in (("csc", _Sparse), ("csr", _SparseRows)):
    for _module in (f"scipy.sparse.{_format}", f"scipy.sparse._{_format}", "scipy.sparse"):
        _KNOWN[_module, f"{_format}_matrix"] = _class
