"""Other people's own code on what is written here and ours on what theirs writes, and the table of that for
docs/formats.md.

    python benchmarks/other_readers.py [--ho3d DIR] [--freihand DIR] [--mmpose DIR] [--cvat DIR] [--hot3d DIR]
        [--assemblyhands DIR] [--interhand DIR] [--hanco DIR] [--arctic DIR] [--hamer DIR] [--hint DIR]
        [--dexycb DIR --manopth DIR] [--tools PYTHON] [--write docs/formats.md]

DIR: checkouts of github.com/shreyashampali/ho3d, lmb-freiburg/freihand, open-mmlab/mmpose, cvat-ai/cvat (or a fork),
facebookresearch/hand_tracking_toolkit, facebookresearch/assemblyhands-toolkit, facebookresearch/InterHand2.6M,
lmb-freiburg/contra-hand (HanCo), zc-alexfan/arctic, ddshan/hint, NVlabs/dex-ycb-toolkit, hassony2/manopth and
geopavlakos/hamer (which needs opencv-python-headless, yacs and braceexpand beside what is installed here);
PYTHON: an interpreter with what `tools.py` names. A row needs its code. Nothing of these is kept here. Where a
script wants packages that its numbers do not need (a viewer, a config registry), stand-ins take their place, and the
row says so.

--write puts the rows between the two marks in the document; those of code that was not given keep their version and
date.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from published import (
    arctic,
    assemblyhands,
    coco,
    cvat,
    dexycb,
    files,
    freihand,
    hamer,
    hanco,
    hint,
    ho3d,
    hot3d,
    interhand,
    scorers,
    tables_of_pandas,
    tools,
)
from published.tools import OURS
from tables import markdown

from annotator.formats.transfer.from_project import labelled_hands
from annotator.project import Project, Provenance
from annotator.vision.photos import read_photo

START, END = "<!-- other readers: begin -->", "<!-- other readers: end -->"
HEAD = ["format", "written by", "read or scored by", "version", "date", "command", "what it found"]
CHECKOUTS = (
    *("ho3d", "freihand", "hamer", "hint", "dexycb", "manopth", "mmpose", "cvat"),
    *("hot3d", "assemblyhands", "interhand", "hanco", "arctic"),
)
Row = tuple[str, str, str, str, str, str]  # format, written by, read by, version, option of the command, what was found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for name in (*CHECKOUTS, "tools", "write"):
        parser.add_argument(f"--{name}", type=Path)
    arguments = parser.parse_args()
    today = datetime.date.today().isoformat()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        records = sample_records(Path(folder) / "project")
        for what, written, reader, said, option, found in compared(arguments, records, Path(folder)):
            command = f"`python benchmarks/other_readers.py {option}".strip() + "`"
            rows.append([what, written, reader, said, today, command, found])
    table = markdown(HEAD, rows)
    print(table)
    if arguments.write is not None:
        text = arguments.write.read_text(encoding="utf-8")
        before, after = text.index(START) + len(START), text.index(END)
        table = markdown(HEAD, merged(text[before:after], rows))
        arguments.write.write_text(f"{text[:before]}\n{table}\n{text[after:]}", encoding="utf-8")


def merged(table: str, rows: list[list[str]]) -> list[list[str]]:
    """The rows of the table as it stands, those that ran again in their places, new ones after them."""
    stands = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.strip().splitlines()[2:]]
    new = {tuple(row[:3]): row for row in rows}
    kept = [new.pop(tuple(row[:3]), row) for row in stands]
    return [*kept, *new.values()]


def compared(given: argparse.Namespace, records: list, folder: Path) -> Iterator[Row]:
    """A row for all whose code is here."""
    wholebody = "coco-wholebody"
    yield wholebody, OURS, "pycocotools COCOeval", version("pycocotools"), "", coco.precision(records, folder)
    for name in files.MESHES:
        yield name, OURS, "trimesh `load_mesh`", version("trimesh"), "", files.meshes(name, records, folder)
    yield "csv", "pandas `DataFrame.to_csv`", OURS, version("pandas"), "", tables_of_pandas.check(records, folder)
    yield "hamer-tar", OURS, "webdataset `WebDataset`", version("webdataset"), "", files.shards(records, folder)
    for protocol in ("ho3d", "freihand"):
        if (code := getattr(given, protocol)) is not None:
            found = scorers.compared(code, protocol, folder)
            script = "its `eval.py` (SciPy's KD-tree in place of Open3D's distances)"
            yield f"`evaluate --protocol {protocol}`", OURS, script, commit(code), f"--{protocol} DIR", found
    if (code := given.mmpose) is not None:
        loader = "MMPose `CocoWholeBodyHandDataset._load_annotations` (pycocotools for xtcocotools, no registry)"
        yield wholebody, OURS, loader, commit(code), "--mmpose DIR", coco.mmpose(code, records, folder)
    if (code := given.cvat) is not None:
        read, written = cvat.check(code, records, folder)
        yield "cvat", OURS, "CVAT `load_anno`", commit(code), "--cvat DIR", read
        yield "cvat", "CVAT `dump_as_cvat_annotation`", OURS, commit(code), "--cvat DIR", written
        read, written = cvat.check_video(code, records, folder)
        yield "cvat-video", OURS, "CVAT `load_anno`", commit(code), "--cvat DIR", read
        yield "cvat-video", "CVAT `dump_as_cvat_interpolation`", OURS, commit(code), "--cvat DIR", written
    for name, loader, read_by in (
        ("ho3d", "its `read_annotation`, `project_3D_points`, `forwardKinematics` (by smplx's skinning)", ho3d.check),
        ("freihand", "its `load_db_annotation`, `read_img`, `pose_hand` (by smplx's skinning)", freihand.check),
    ):
        if (code := getattr(given, name)) is not None:
            yield name, OURS, loader, commit(code), f"--{name} DIR", read_by(code, records, folder)
    if (code := given.hamer) is not None:
        said = f"{commit(code)}; {hamer.installed()}"
        for name, loader, check in (
            ("hamer-npz", "HaMeR's `ImageDataset` and its `MANO`", hamer.npz),
            ("hamer-tar", "HaMeR's `ImageDataset.load_tars_as_webdataset` and its `MANO`", hamer.tar),
        ):
            yield name, OURS, loader, said, "--hamer DIR", check(code, records, folder)
    if (code := given.dexycb) is not None and given.manopth is not None:
        loader = "its `DexYCBDataset`, `HPEEvaluator`, `SequenceLoader`; manopth (chumpy stood in for)"
        said = f"{commit(code)}; {commit(given.manopth)}"
        yield "dexycb", OURS, loader, said, "--dexycb DIR --manopth DIR", \
              dexycb.check(code, given.manopth, records, folder)  # fmt: skip
    if given.tools is not None:
        for name, writer, reader, run in tools.Tools(given.tools, records, folder).rows():
            said, found = run()
            yield name, writer, reader, said, "--tools PYTHON", found
    if (code := given.interhand) is not None:
        loader = "its `Dataset` (its configuration and OpenCV stood in for)"
        yield "interhand", OURS, loader, commit(code), "--interhand DIR", interhand.check(code, records, folder)
    for name, whose, check in (
        ("hint", "its `draw_hand.py` (its pictures stood in for)", hint.check),
        ("hot3d", "hand_tracking_toolkit", hot3d.check),
        ("assemblyhands", "AssemblyHands toolkit `Camera`", assemblyhands.check),
        ("hanco", "its `show_dataset.py`, `pred_to_mano` (its pictures stood in for)", hanco.check),
        (
            "arctic",
            "its `ArcticDataset` (pictures and objects stood in for, SciPy for OpenCV's Rodrigues)",
            arctic.check,
        ),
    ):
        if (code := getattr(given, name)) is not None:
            reads = f"{OURS}; {whose}"
            yield name, "made in its layout", reads, commit(code), f"--{name} DIR", check(code, folder)


def commit(checkout: Path) -> str:
    """The checkout's commit, or what its folder is called."""
    done = subprocess.run(["git", "-C", checkout, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    top = subprocess.run(["git", "-C", checkout, "rev-parse", "--show-toplevel"], capture_output=True, text=True)
    own = done.returncode == 0 and Path(top.stdout.strip()) == checkout.resolve()
    return done.stdout.strip() if own else checkout.name


def sample_records(place: Path) -> list:
    """Accepted hands of the sample photos, left and right, as the embedded model proposes them."""
    import annotator
    from annotator import sample_data

    model = annotator.load_model()
    with Project.create(place) as project:
        for path in sample_data.photos()[:8]:
            hands = model.propose(read_photo(path))
            for hand in project.add_proposals(project.add_photo(path), hands, Provenance("default", model.digest)):
                project.set_state(hand, "accepted")
        return list(labelled_hands(project))


if __name__ == "__main__":
    main()
