"""How long a report takes and how large it is: `python benchmarks/report.py [--hands 2000] [--work FOLDER]`.

The sample photos' hands are proposed; for more hands than they have, their proposals are stored again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from annotator import load_model, sample_data
from annotator.cli.support.proposing import propose_photos
from annotator.project import Project, Provenance
from annotator.reporting.hands import Reader
from annotator.reporting.writing import write_report


def fill(project: Project, wanted: int) -> None:
    """As many hands as wanted (0: those of the sample photos)."""
    propose_photos(project, load_model(), sample_data.photos(), "default")
    known = [(entry.photo_id, project.mesh(entry.id)) for entry in project.hands()]
    for photo, mesh in islice(cycle(known), max(wanted - len(known), 0)):
        project.add_proposal(photo, mesh, Provenance("again", "0" * 16))


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--hands", type=int, default=0)
    given.add_argument("--work", type=Path)
    given.add_argument("--per-page", type=int, default=100)
    said = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = said.work or Path(folder)
        with Project.open_or_create(work / "project") as project:
            fill(project, said.hands)
            out = work / "report.html"
            start, begun = time.perf_counter(), time.process_time()
            written = write_report(out, "Hands", {}, Reader(project).each(project.each_hand()), (), said.per_page)
            wall, computing = time.perf_counter() - start, time.process_time() - begun
        sizes = [path.stat().st_size for path in (out, *written.pages)]
        each = 1000 * computing / written.hands
        print(f"{written.hands} hands: {wall:.0f} s ({computing:.0f} s of computing, {each:.0f} ms a hand)")
        print(f"{len(sizes)} files, the first {sizes[0] / 1e6:.1f} MB, all {sum(sizes) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
