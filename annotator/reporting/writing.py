"""Writes a report: one HTML file, or, of many hands, a list of all of them and a page for each few hundred beside it.

Hands are drawn one by one as they come, so memory does not grow with their number; the report takes its name when it is
whole.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import writing
from annotator.files.folders import scratch_folder
from annotator.project import HAND_STATES
from annotator.reporting import page
from annotator.reporting.bars import bars, binned, most_common
from annotator.reporting.cards import Card, bare_photos, drawn
from annotator.reporting.pictures import ReportedHand

PER_PAGE = 100  # hands of a page: some 6 MB
CONFIDENCES = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9)
MILLIMETRES = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0)
CORRECTIONS = (0, 1, 2, 3, 5, 8)
Without = Iterable[tuple[str, str, np.ndarray | None]]


@dataclass
class Written:
    """What a report shows. file: where to begin; pages: the files with hands, if they are others."""

    file: Path
    hands: int = 0
    doubtful: int = 0
    pages: list[Path] = field(default_factory=list)


@dataclass
class _Told:
    """What of each hand goes into filters and plots."""

    rows: list[dict] = field(default_factory=list)
    joints: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    unsure_mm: list[float] = field(default_factory=list)

    def add(self, hand: Card) -> None:
        self.rows.append(hand.row)
        self.joints.update(hand.corrected)
        self.kinds.update(hand.kinds)
        self.unsure_mm.append(1000 * hand.unsure)

    def plots(self) -> list[str]:
        states = Counter(row["state"] for row in self.rows)
        return [
            bars("State", {state: states[state] for state in HAND_STATES if states[state]}),
            bars("Confidence of the network", binned((row["confidence"] for row in self.rows), CONFIDENCES)),
            bars("Typical uncertainty of the mesh, mm", binned(self.unsure_mm, MILLIMETRES)),
            bars("Keypoints corrected in a hand", _whole(row["corrections"] for row in self.rows)),
            bars("Keypoints corrected, by joint", most_common(self.joints)),
            bars("Why to look at hands", most_common(self.kinds)),
        ]


def write_report(
    path: str | Path,
    title: str,
    facts: Mapping[str, object],
    hands: Iterable[ReportedHand | Card],
    without: Without = (),
    per_page: int = PER_PAGE,
) -> Written:
    """Write the report of hands, of which some may be drawn already (`reporting.drawing`).

    facts: the table at its head. without: photos that gave no hand, as (name, why, photo or None). per_page: hands of a
    page; with more than that, FILE.html lists them all and the folder FILE-pages has the pages (0: all in one file). An
    earlier report of that name is replaced. InputError: what stands there is no report, or the report cannot be
    written; then nothing is left behind.
    """
    path = Path(path)
    told = _Told()
    with writing(path):
        _check_place(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(beside=path) as folder:
            parts = _draw(folder, hands, told, per_page)
            if len(parts) > 1:
                pages = _paged(folder, title, facts, told, parts, without, path, per_page)
            else:
                pages = []
                _single(folder / "index.html", title, facts, told, parts, without)
            _put(folder, path, bool(pages))
    doubtful = sum(bool(row["kinds"]) for row in told.rows)
    return Written(path, len(told.rows), doubtful, [_pages_of(path) / name for name in pages])


def _draw(folder: Path, hands: Iterable[ReportedHand | Card], told: _Told, per_page: int) -> list[Path]:
    """The cards, in files of `per_page` hands each."""
    parts: list[Path] = []
    file: IO[str] | None = None
    try:
        for number, hand in enumerate(hands):
            if file is None or (per_page and number % per_page == 0):
                if file is not None:
                    file.close()
                parts.append(folder / f"{len(parts) + 1:04d}.cards")
                file = parts[-1].open("w", encoding="utf-8")
            made = hand if isinstance(hand, Card) else drawn(hand)
            told.add(made)
            file.write(made.html)
    finally:
        if file is not None:
            file.close()
    return parts


def _single(target: Path, title: str, facts, told: _Told, parts: list[Path], without: Without) -> None:
    with target.open("w", encoding="utf-8") as file:
        file.write(page.head(title, facts, told.plots() if told.rows else ()))
        file.write(page.filters(sorted(told.kinds)) if told.rows else "<p>no hands</p>\n")
        _cards(file, parts)
        file.write(bare_photos(without))
        file.write(page.foot(scripted=bool(told.rows)))


def _paged(
    folder: Path, title: str, facts, told: _Told, parts: list[Path], without: Without, path: Path, per_page: int
) -> list[str]:
    """The list and its pages; the pages' names."""
    name = _pages_of(path).name
    (folder / "pages").mkdir()
    names = [f"page-{number:04d}.html" for number in range(1, len(parts) + 1)]
    listed, words = [], []
    for at, part in enumerate(parts):
        own = told.rows[at * per_page : (at + 1) * per_page]
        listed += [row | {"page": f"{name}/{names[at]}"} for row in own]
        words.append(f"{at * per_page + 1}-{at * per_page + len(own)}")
        around = [(f"../{path.name}", "all hands")]
        around += [(names[at - 1], "before")] if at else []
        around += [(names[at + 1], "after")] if at + 1 < len(names) else []
        with (folder / "pages" / names[at]).open("w", encoding="utf-8") as file:
            file.write(page.head(f"{title}: hands {words[-1]} of {len(told.rows)}") + page.links(around))
            file.write(page.filters(sorted({kind for row in own for kind in str(row["kinds"]).split()})))
            _cards(file, [part])
            file.write(page.links(around) + page.foot())
    with (folder / "index.html").open("w", encoding="utf-8") as file:
        file.write(page.head(title, facts, told.plots()))
        file.write(page.links([(f"{name}/{one}", text) for one, text in zip(names, words, strict=True)]))
        file.write(page.filters(sorted(told.kinds)) + page.table(listed))
        file.write(bare_photos(without) + page.foot())
    return names


def _cards(file: IO[str], parts: Iterable[Path]) -> None:
    file.write('<div id="cards">\n')
    for part in parts:
        with part.open(encoding="utf-8") as cards:
            shutil.copyfileobj(cards, file)
    file.write("</div>\n")


def _put(folder: Path, path: Path, paged: bool) -> None:
    """Let what was made in the working folder take its name."""
    pages, old = _pages_of(path), folder / "old"
    if pages.exists():
        pages.replace(old)  # goes with the working folder
    if paged:
        (folder / "pages").replace(pages)
    (folder / "index.html").replace(path)


def _check_place(path: Path) -> None:
    """InputError unless what stands there, if anything, is an earlier report."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"a report is an .html file, not {path}")
    if path.is_dir():
        raise InputError(f"{path} is a folder")
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            begin = file.read(4096)
        if begin and f'content="{page.GENERATOR}"' not in begin:
            raise InputError(f"{path} is there and no report: choose another name")
    pages = _pages_of(path)
    if pages.exists() and not (pages.is_dir() and all(one.match("page-*.html") for one in pages.iterdir())):
        raise InputError(f"{pages} is there and not a report's: choose another name")


def _pages_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}-pages")


def _whole(numbers: Iterable[int]) -> dict[str, int]:
    """Small numbers one by one, larger ones together."""
    found = binned(numbers, CORRECTIONS)
    names = ["0", "1", "2", "3 or 4", "5 to 7", "8 and more"]
    return dict(zip(names, found.values(), strict=True))
