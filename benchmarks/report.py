"""How long a report takes and how large it is.

    python benchmarks/report.py [--hands 2000] [--workers 1] [--per-page 100] [--work FOLDER]

The sample photos' hands are proposed; for more hands than they have, their proposals are stored again.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from annotator import load_model, sample_data
from annotator.cli.support.proposing import propose_photos
from annotator.project import Project, Provenance
from annotator.reporting.drawing import cards
from annotator.reporting.writing import write_report


def fill(project: Project, wanted: int) -> None:
    """As many hands as wanted (0: those of the sample photos)."""
    propose_photos(project, load_model(), sample_data.photos(), "default")
    known = [(entry.photo_id, project.mesh(entry.id)) for entry in project.hands()]
    for photo, mesh in islice(cycle(known), max(wanted - len(known), 0)):
        project.add_proposal(photo, mesh, Provenance("again", "0" * 16))


def computing() -> float:
    """Seconds of computing of this process and of those that it started and that have ended."""
    return sum(sum(resource.getrusage(whose)[:2]) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main() -> None:
    given = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    given.add_argument("--hands", type=int, default=0)
    given.add_argument("--workers", type=int, default=1)
    given.add_argument("--work", type=Path)
    given.add_argument("--per-page", type=int, default=100)
    said = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = said.work or Path(folder)
        with Project.open_or_create(work / "project") as project:
            fill(project, said.hands)
            out = work / "report.html"
            start, begun = time.perf_counter(), computing()
            shown = cards(project, str(work / "project"), list(project.each_hand()), said.workers)
            written = write_report(out, "Hands", {}, shown, (), said.per_page)
            wall, own = time.perf_counter() - start, computing() - begun
        sizes = [path.stat().st_size for path in (out, *written.pages)]
        each = 1000 * own / written.hands
        print(f"{written.hands} hands: {wall:.0f} s ({own:.0f} s of computing, {each:.0f} ms a hand)")
        print(f"{len(sizes)} files, the first {sizes[0] / 1e6:.1f} MB, all {sum(sizes) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
