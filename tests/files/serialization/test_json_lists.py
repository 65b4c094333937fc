"""Lists read element by element are the lists that json reads whole, wherever a chunk ends."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotator.errors import InputError
from annotator.files.serialization import json_lists

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    numbers | st.text() | st.booleans() | st.none(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(elements=st.lists(values, max_size=6), chunk=st.integers(1, 40), indent=st.sampled_from([None, 0, 3]))
def test_any_list_comes_back(tmp_path, monkeypatch, elements, chunk, indent):
    monkeypatch.setattr(json_lists, "CHUNK", chunk)
    path = tmp_path / "list.json"
    path.write_text(json.dumps(elements, indent=indent), encoding="utf-8")
    assert list(json_lists.iterate(path)) == elements
    with json_lists.ListWriter(path) as write:
        for element in elements:
            write(element)
    assert list(json_lists.iterate(path)) == json.loads(path.read_text(encoding="utf-8")) == elements


def test_a_list_inside_an_object(tmp_path):
    path = tmp_path / "object.json"
    with json_lists.ListWriter(path, {"a": 1, "b": [2]}, "rows") as write:
        write({"c": 3})
        write(4)
    assert json.loads(path.read_text()) == {"a": 1, "b": [2], "rows": [{"c": 3}, 4]}


@pytest.mark.parametrize("text", ["", "[1, 2", "[1 2]", "[1,]", "{}", "[,1]", "7", '["a'])
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(InputError, match="list.json"):
        list(json_lists.iterate(path))


def test_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError), json_lists.ListWriter(tmp_path / "list.json") as write:
        write(float("nan"))
