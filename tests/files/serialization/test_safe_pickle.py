"""Pickles give their numbers and run nothing."""

from __future__ import annotations

import os
import pickle
import resource
import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse

from annotator.errors import InputError
from annotator.files.serialization import safe_pickle
from annotator.files.serialization.npz_arrays import Arrays

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v) | st.tuples(v, v),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(value=plain, protocol=st.integers(0, 5))
def test_plain_data_comes_back(value, protocol):
    assert safe_pickle.load(pickle.dumps(value, protocol)) == value


kinds = arrays.scalar_dtypes().filter(lambda dtype: dtype.kind in "biufcU")


@settings(max_examples=60, deadline=None)
@given(array=arrays.arrays(kinds, arrays.array_shapes(min_side=0)), protocol=st.integers(0, 5), fortran=st.booleans())
def test_arrays_come_back(array, protocol, fortran):
    array = np.asfortranarray(array) if fortran else array
    loaded = safe_pickle.load(pickle.dumps({"a": array}, protocol))["a"]
    assert loaded.dtype == array.dtype and loaded.flags.writeable
    np.testing.assert_array_equal(loaded, array)


@pytest.mark.parametrize("protocol", range(6))
def test_scalars_and_objects(protocol):
    value = OrderedDict(a=np.float32(1.5), b=np.array([None, "x", np.arange(3)], object), c={1, 2})
    loaded = safe_pickle.load(pickle.dumps(value, protocol))
    assert loaded["a"] == 1.5 and loaded["b"][1] == "x" and loaded["c"] == {1, 2}
    np.testing.assert_array_equal(loaded["b"][2], [0, 1, 2])


class Command:
    def __init__(self, call, *arguments):
        self.parts = call, arguments

    def __reduce__(self):
        return self.parts


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("call", [os.system, eval, exec, getattr, breakpoint, np.load, np.fromfile])
def test_nothing_is_run(tmp_path, call, protocol):
    victim = tmp_path / "victim"
    data = pickle.dumps([Command(call, f"open({str(victim)!r}, 'w')")], protocol)
    with pytest.raises(InputError, match="not plain data"):
        safe_pickle.load(data, "meta.pkl")
    data = pickle.dumps(Command(os.system, f"touch {victim}"), protocol)
    with pytest.raises(InputError, match="meta.pkl"):
        safe_pickle.load(data, "meta.pkl")
    assert not victim.exists()


@pytest.mark.parametrize(
    "data",
    [b"", b"not a pickle", pickle.dumps([1, 2])[:-2], b"\x80\x05\x8c\x01a\x8c\x01b\x93.", b"cnumpy\nndarray\n.",
     b"c__builtin__\nbytearray\n(I99999999999\ntR."],
)  # fmt: skip
def test_damaged_files_are_named(tmp_path, data):
    path = tmp_path / "meta.pkl"
    path.write_bytes(data)
    with pytest.raises(InputError, match="meta.pkl"):
        safe_pickle.load_file(path)
    with pytest.raises(InputError, match="cannot read"):
        safe_pickle.load_file(tmp_path / "none.pkl")


def test_wrong_lengths_and_types_are_refused():
    good = np.arange(4.0)
    name, (kind, shape, order), state = good.__reduce__()
    for state in ((1, (10**9, 10**9), good.dtype, False, b"1234"), (1, (5,), good.dtype, False, good.tobytes()),
                  (1, (-4,), good.dtype, False, good.tobytes())):  # fmt: skip
        with pytest.raises(InputError, match="too large|damaged"):
            safe_pickle.load(pickle.dumps(Stated(name, (kind, shape, order), state)))
    with pytest.raises(InputError, match="structured|type"):
        safe_pickle.load(pickle.dumps(np.zeros(2, [("a", "f4")])))


class Stated:
    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return self.parts


def test_sparse_matrices_become_arrays():
    for make in (sparse.csc_matrix, sparse.csr_matrix):
        matrix = make(np.array([[0, 1.5, 0], [2, 0, 0]]))
        np.testing.assert_array_equal(safe_pickle.load(pickle.dumps(matrix, 2)), matrix.toarray())
        matrix.indices[0] = 77
        with pytest.raises(InputError):
            safe_pickle.load(pickle.dumps(matrix, 2))


def test_chumpy_becomes_arrays(monkeypatch):
    """Objects of the package's names and attributes, without the package."""
    for name in ("chumpy", "chumpy.ch", "chumpy.reordering"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    Select = type("Select", (Ch,), {"__module__": "chumpy.reordering"})
    sys.modules["chumpy.ch"].Ch, sys.modules["chumpy.reordering"].Select = Ch, Select
    inner = Ch()
    inner.x, inner._dirty_vars = np.arange(12.0), set()
    outer = Select()
    outer.a, outer.idxs, outer.preferred_shape = inner, np.array([3, 1, 0, 7]), (2, 2)
    loaded = safe_pickle.load(pickle.dumps({"v": inner, "s": outer}, 2))
    np.testing.assert_array_equal(loaded["v"], np.arange(12))
    np.testing.assert_array_equal(loaded["s"], [[3, 1], [0, 7]])


def test_object_arrays_in_npz(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, names=np.array(["a", "bc"], object), x=np.arange(3), bad=np.array([Command(os.getcwd)], object))
    loaded = Arrays(path)
    assert list(loaded["names"]) == ["a", "bc"] and set(loaded) == {"names", "x", "bad"}
    np.testing.assert_array_equal(loaded["x"], np.arange(3))
    with pytest.raises(InputError, match="not plain data"):
        loaded["bad"]
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="a.npz"):
        Arrays(path)


@pytest.mark.parametrize("step", [b"r\xff\xff\xff\x7f", b"p175399797\n", b"q\xff"])
def test_no_room_is_made_for_places_that_a_file_only_names(step):
    """Found by fuzzing guided by coverage: four bytes that had 64 GB asked for."""
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="keeps something at place"):
        safe_pickle.load(b"\x80\x02K\x01" + step + b".")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began < 100_000  # kB
