"""Whether two records say the same: exact for integers and text, within a tolerance for the rest."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from annotator.hand.mesh import HandParameters


def assert_same(read, written, without=("photo",), tolerance=1e-5):
    for field in fields(written):
        if field.name in without:
            continue
        a, b = getattr(read, field.name), getattr(written, field.name)
        if isinstance(b, HandParameters):
            for name in ("pose", "shape", "translation", "offsets"):
                np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=tolerance, err_msg=name)
        elif isinstance(b, np.ndarray) and b.dtype.kind == "f":
            assert a is not None, f"{field.name} is missing"
            np.testing.assert_allclose(a, b, atol=tolerance, err_msg=field.name)
        elif isinstance(b, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name
