"""`annotator report` and `annotator show`: a project as pictures, whole in its files, whatever photos are called."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from annotator.cli import main
from annotator.errors import InputError
from annotator.hand.joints import JOINT_NAMES
from annotator.project import Project, Provenance
from annotator.reporting import drawing
from annotator.reporting import page as pages
from annotator.reporting.hands import Reader
from annotator.reporting.pictures import PIXELS, ReportedHand, hand_pictures, sheet, whole_photo
from annotator.reporting.writing import write_report
from annotator.vision.photos import read_photo


class Page(HTMLParser):
    """The pictures, captions, sections and addresses of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.pictures, self.captions, self.hands, self.links, self.open = [], [], [], [], []
        self.outside: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.outside += [value for name, value in attributes if name == "src" and not value.startswith("data:image/")]
        if tag == "img":
            self.pictures.append(given["src"])
        if tag == "section" and "data-id" in given:
            self.hands.append(given)
        if tag == "a":
            self.links.append(given["href"])
        if tag not in ("img", "meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["figcaption"]:
            self.captions.append(data)


def picture(source: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",", 1)[1], validate=True))))


@pytest.fixture
def folder(tmp_path, photo_file, sample_photos, make_hand):
    """A project of five hands on three photos, one of them with an ugly name, and a photo without a hand."""
    ugly = tmp_path / "<b>&'\"né.jpg"
    shutil.copy(photo_file, ugly)
    photos = [ugly, *[path for path in sample_photos if path != photo_file][:3]]
    with Project.create(tmp_path / "project", who="Ada") as project:
        ids = project.add_photos(photos)
        for at, sides in enumerate((("right", "left"), ("right",), ("left", "right"), ())):
            made = [make_hand(10 * at + k, side) for k, side in enumerate(sides)]
            project.add_proposals(ids[at], made, Provenance("test", "d" * 64))
        first, second, *_ = [entry.id for entry in project.hands()]
        place = tuple(project.mesh(first).keypoints[8] + (3, 2))
        project.edit(first, project.mesh(first).replace(corrections={8: place}), note={"joint": "index_tip"})
        project.set_state(first, "accepted", note={"state": "accepted"})
        project.set_state(second, "rejected", note={"deleted": True})
    return tmp_path / "project"


def test_every_hand_is_shown_with_all_there_is_to_say(folder, tmp_path, capfd):
    out = tmp_path / "new" / "report.html"
    assert main(["report", str(folder), "--out", str(out), "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    page = Page(out)
    assert page.open == [] and page.outside == [] and said["pages"] == []
    with Project.open(folder) as project:
        entries = project.hands()
        assert [hand["data-id"] for hand in page.hands] == [entry.id for entry in entries]
        assert [hand["data-state"] for hand in page.hands] == [entry.state for entry in entries]
        doubtful = [bool(Reader(project).hand(entry.id).doubts) for entry in entries]
    assert [bool(hand["data-kinds"]) for hand in page.hands] == doubtful and said["doubtful"] == sum(doubtful)
    assert all(picture(source).shape == (PIXELS, PIXELS, 3) for source in page.pictures[:-1])
    assert page.captions[-1].endswith("no hand was found")
    text = out.read_text(encoding="utf-8")
    assert "<b>" not in text and "index tip moved by Ada" in text and "deleted by Ada" in text
    assert pages.POLICY in text and not re.search(r"https?://", text)
    assert [one.name for one in out.parent.iterdir()] == ["report.html"]


def test_many_hands_come_on_pages_and_the_list_leads_to_each(folder, tmp_path):
    out = tmp_path / "report.html"
    assert main(["report", str(folder), "--out", str(out), "--per-page", "2"]) == 0
    begin = Page(out)
    rows = json.loads(re.search(r'id="rows">(.*?)</script>', out.read_text(encoding="utf-8"))[1])
    assert len(rows) == 5 and begin.open == [] and len(begin.hands) == 0 and len(begin.links) == 3
    for row in rows:
        page = Page(out.parent / row["page"])
        assert row["id"] in [hand["data-id"] for hand in page.hands] and page.open == [] and page.outside == []
        assert all((out.parent / "report-pages" / link).resolve().is_file() for link in page.links)
    # the report of fewer hands takes the old one's place, pages and all
    assert main(["report", str(folder), "--out", str(out), "--state", "accepted"]) == 0
    assert not (tmp_path / "report-pages").exists() and len(Page(out).hands) == 1


def test_what_is_no_report_is_not_replaced(folder, tmp_path, capfd):
    out = tmp_path / "thesis.html"
    out.write_text("<p>years of work</p>")
    kept = tmp_path / "r-pages"
    kept.mkdir()
    (kept / "notes.txt").write_text("mine")
    for path in (out, tmp_path / "r.html", tmp_path / "r.txt", tmp_path):
        before = sorted(tmp_path.iterdir())
        assert main(["report", str(folder), "--out", str(path)]) == 2
        assert capfd.readouterr().err.splitlines()[-1].startswith("annotator: error: ")
        assert sorted(tmp_path.iterdir()) == before
    assert out.read_text() == "<p>years of work</p>" and (kept / "notes.txt").exists()
    assert main(["report", str(folder), "nobody-*", "--out", str(tmp_path / "x.html")]) == 2


def test_a_photo_that_is_gone_leaves_the_mesh(folder, tmp_path, capfd):
    with Project.open(folder) as project:
        first = project.hands()[0]
        Path(first.photo).unlink()
    assert main(["report", str(folder), "--out", str(tmp_path / "r.html")]) == 0
    with Project.open(folder) as project:
        found = Reader(project).hand(first.id)
    assert found.photo is None and escape(found.remarks[0]) in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert main(["show", str(folder), first.id, "--out", str(tmp_path / "x.png")]) == 0
    assert main(["show", str(folder), first.id, "--out", str(tmp_path / "y.png"), "--whole"]) == 2
    assert "cannot be shown" in capfd.readouterr().err and not (tmp_path / "y.png").exists()


def test_show_draws_one_hand(folder, tmp_path, capfd):
    with Project.open(folder) as project:
        hand_id, size = project.hands()[0].id, project.hand(project.hands()[0].id).photo
    for name, more in (("a.png", ()), ("b.jpg", ("--whole",))):
        out = tmp_path / "pictures" / name
        assert main(["show", str(folder), hand_id, "--out", str(out), "--json", *more]) == 0
        said = json.loads(capfd.readouterr().out)
        with Image.open(out) as image:
            assert image.size == (said["width"], said["height"])
    assert image.size == (size.width, size.height)
    assert main(["show", str(folder), hand_id, "--out", str(tmp_path / "x.doc")]) == 2
    assert main(["show", str(folder), "nobody", "--out", str(tmp_path / "x.png")]) == 2


def test_a_corrected_hand_shows_before_and_after(make_hand, photo_file, tmp_path):
    photo = read_photo(photo_file)
    before = make_hand(1)
    after = make_hand(2, corrections={8: before.keypoints[8] + 20})
    states = ["proposed"] * 8 + ["corrected"] + ["proposed"] * 12
    hand = ReportedHand("x<1>", "p&q.jpg", photo, before, after, states, "accepted", ["a < b"])
    pictures = dict(hand_pictures(hand))
    assert {shape.shape for shape in pictures.values()} == {(PIXELS, PIXELS, 3)}
    captions = list(pictures)
    assert captions[:3] == ["photo", "mesh", "the same mesh from the right"]
    assert JOINT_NAMES[8] in captions[3] and captions[4].startswith("keypoints after")
    assert (pictures[captions[3]] != pictures[captions[4]]).any()
    plain = ReportedHand("y", "p", photo, before, before, ["proposed"] * 21, "rejected")
    assert len(hand_pictures(plain)) == len(pictures) - 1
    assert sheet(hand, 100).shape[1] > 300 and whole_photo(hand).shape == photo.shape

    path = tmp_path / "new" / "report.html"
    written = write_report(path, "T & T", {"<a>": "<b>"}, [hand], [("none.jpg", "no <hand>", photo)])
    assert (written.hands, written.pages) == (1, [])
    page = Page(path)
    assert len(page.pictures) == len(pictures) + 1 and page.captions[-1] == "none.jpg: no <hand>"
    assert "x&lt;1&gt;" in path.read_text() and "a &lt; b" in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_many_processes_make_the_same_report(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "STRETCH", 1)
    made = {}
    for workers in (1, 2):
        with Project.open(folder) as project:
            shown = drawing.cards(project, str(folder), project.hands(), workers)
            written = write_report(tmp_path / "r.html", "t", {}, shown, (), 3)
        assert written.hands == 5 and len(written.pages) == 2
        made[workers] = [path.read_bytes() for path in (written.file, *written.pages)]
    assert made[1] == made[2]


def ended(_ids):
    os._exit(1)


def test_a_process_that_is_killed_is_made_up_for(folder, monkeypatch):
    with Project.open(folder) as project:
        entries = project.hands()
        expected = [one.html for one in drawing.cards(project, str(folder), entries, 1)]
        monkeypatch.setattr(drawing, "_draw", ended)
        assert [one.html for one in drawing.cards(project, str(folder), entries, 2)] == expected


def test_stretches_are_cut_between_photos():
    entries = [SimpleNamespace(photo_id=n // 40) for n in range(130)]
    assert [len(part) for part in drawing.stretches(entries)] == [40, 40, 40, 10]
    assert [len(part) for part in drawing.stretches(SimpleNamespace(photo_id=n) for n in range(60))] == [25, 25, 10]


def test_a_report_that_fails_leaves_nothing(make_hand, tmp_path):
    def broken():
        raise InputError("a photo is gone")
        yield

    with pytest.raises(InputError, match="gone"):
        write_report(tmp_path / "r.html", "t", {}, broken())
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        write_report(tmp_path / "file" / "r.html", "t", {}, [])


PAGE_OF_NODE = """
const lines = [];
const field = (value) => ({ value });
const elements = { state: field(""), side: field(""), doubt: field(""), corrected: field(""), order: field("project"),
                   text: field("") };
const filters = { elements, hidden: true, addEventListener() {}, querySelector: () => ({}) };
const hands = [
  { id: "a", state: "accepted", side: "left", kinds: "limit strain", corrections: 2, confidence: 0.9, severity: 3,
    text: "a" },
  { id: "b", state: "proposed", side: "right", kinds: "", corrections: 0, confidence: 0.4, severity: 0, text: "b <x>" },
  { id: "c", state: "proposed", side: "left", kinds: "side", corrections: 0, confidence: 0.7, severity: 1, text: "C" },
];
const body = { replaceChildren: (...made) => lines.splice(0, lines.length, ...made.map((one) => one.id)) };
const document = {
  querySelector: (name) => (name === ".filters" ? filters : null), querySelectorAll: () => [],
  getElementById: (id) => ({ list: { tBodies: [body] }, rows: { textContent: JSON.stringify(hands) },
                             more: { addEventListener() {} } })[id],
  createElement: (tag) => tag === "a" ? {} : { insertCell() { return { append: (cell) => {
    if (cell && cell.href) this.id = cell.textContent; } }; } },
};
for (const [name, value] of Object.entries(JSON.parse(process.argv[1]))) elements[name].value = value;
(() => {
SCRIPT
})();
console.log(lines.join(" "));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to run the page's script")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "a b c"),
        ({"state": "proposed"}, "b c"),
        ({"side": "left", "order": "unsure"}, "c a"),
        ({"doubt": "any", "order": "doubt"}, "a c"),
        ({"doubt": "none"}, "b"),
        ({"doubt": "side"}, "c"),
        ({"corrected": "yes"}, "a"),
        ({"text": "<X"}, "b"),
        ({"order": "unsure"}, "b c a"),
    ],
)
def test_the_filters_of_a_page(asked, found):
    script = Path(pages.__file__).with_name("page.js").read_text(encoding="utf-8").replace('"use strict";', "")
    code = PAGE_OF_NODE.replace("SCRIPT", script)
    done = subprocess.run(["node", "-e", code, json.dumps(asked)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == found
