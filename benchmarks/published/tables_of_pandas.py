"""pandas' tables of keypoints in our reader."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas
from PIL import Image

from annotator.formats import reader
from annotator.hand.joints import JOINT_NAMES

# how people save a table: `DataFrame.to_csv(**how)`
WAYS: tuple[dict, ...] = (
    {"index": False},
    {},  # with pandas' column of row numbers, which has no name
    {"index": False, "sep": ";", "decimal": ",", "encoding": "utf-8-sig"},  # as Excel reads it in half of Europe
    {"index": False, "sep": "\t", "na_rep": "NaN"},
    {"index": False, "float_format": "%.3f", "lineterminator": "\r\n"},
    {"index": False, "quoting": 1},
)


def check(records: list, folder: Path) -> str:
    """Keypoints, missing cells, confidences and sides of `DataFrame.to_csv` in six ways, and as shares of the photo."""
    random, place = np.random.default_rng(0), folder / "csv"
    place.mkdir()
    rows, wanted = [], []
    for record in records:
        shutil.copy(record.photo, place)
        trust = random.uniform(0.1, 1, 21).round(2)
        known = random.random(21) > 0.15
        row: dict = {"photo": record.photo.name, "hand": record.side}
        for name, point, sure, there in zip(JOINT_NAMES, record.keypoints, trust, known, strict=True):
            values = (*point, sure) if there else (np.nan,) * 3
            row |= {f"{name}_{axis}": value for axis, value in zip("xyv", values, strict=True)}
        rows.append(row)
        wanted.append((known, trust))
    table = pandas.DataFrame(rows)
    exact = rounded = 0.0
    for how in WAYS:
        table.to_csv(place / "hands.csv", **how)
        worst = _apart(place, records, wanted)
        exact, rounded = (exact, max(rounded, worst)) if "float_format" in how else (max(exact, worst), rounded)
    shares = table.copy()
    for n, record in enumerate(records):
        with Image.open(record.photo) as picture:
            size = picture.size
        for axis, length in zip("xy", size, strict=True):
            columns = [f"{name}_{axis}" for name in JOINT_NAMES]
            shares.loc[n, columns] = (shares.loc[n, columns].astype(float) + 0.5) / length
    shares["units"] = "normalized"
    shares.to_csv(place / "hands.csv", index=False)
    exact = max(exact, _apart(place, records, wanted))
    missing = sum(int((~known).sum()) for known, _ in wanted)
    return (
        f"{len(records)} hands in {len(WAYS) + 1} ways (commas, semicolons with decimal commas and a BOM, tabs with "
        f"NaN, quotes, its row numbers, shares of the photo): sides of {len(records)}, {missing} empty keypoints, the "
        f"others within {exact:.0e} px, with three decimals within {rounded:.0e} px"
    )


def _apart(place: Path, records: list, wanted: list) -> float:
    """px, between what is read and what was written; sides, missing ones and confidences have to be equal."""
    hands = list(reader("csv").read(place))
    assert [hand.side for hand in hands] == [record.side for record in records]
    worst = 0.0
    for hand, record, (known, trust) in zip(hands, records, wanted, strict=True):
        assert hand.photo.name == record.photo.name and ((hand.weights > 0) == known).all()
        np.testing.assert_allclose(hand.weights[known], trust[known], atol=5e-4)
        worst = max(worst, float(np.abs(hand.keypoints - record.keypoints)[known].max()))
    return worst
