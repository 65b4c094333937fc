"""First use: the samples from the first screen, the tour, and the page of progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_hand_mesh.docks.pages.progress_page import ProgressPage
from napari_hand_mesh.docks.pages.tour import Tour, TourStep
from napari_hand_mesh.jobs.progress import Progress

if TYPE_CHECKING:
    from napari_hand_mesh.session.session import Session


class FirstUse:
    """The part of the plugin's widget that takes a person by the hand."""

    session: Session | None

    def start_tour(self) -> None:
        """From where the person is: what they have done already is left out."""
        canvas = self._canvas()
        if canvas is None:
            return
        if self._tour is not None:
            self._tour.end()
        self._tour = Tour(canvas, self._steps())
        self._tour.ended.connect(self._tour_ended)

    def _tour_ended(self) -> None:
        self._tour = None
        self.typing.to_canvas()

    def _steps(self) -> list[TourStep]:
        bar, files = self.verdicts.buttons, self.files

        def labels() -> int:
            return 0 if self.session is None or self.session.hand is None else len(self.session.hand.corrections)

        def judged() -> int:
            return 0 if self.session is None else self.session.progress()[0]

        before = judged()
        return [
            TourStep(
                "Press <b>Photos …</b> and choose a folder of photos, or click <i>sample photos</i> in the panel on "
                "the right.", lambda: files["Photos"], lambda: self.session is not None,
            ),
            TourStep(
                "Hands are looked for; the first one comes by itself. All of them are in this list, the doubtful "
                "first.",
                lambda: self.queue.table, lambda: self.session is not None and self.session.hand is not None,
            ),
            TourStep(
                "Is each marker on its joint? Put the mouse on one that is not, best on the ◇, and <b>drag</b> it "
                "there: the mesh follows. Is all well? Press <b>Next</b> here.",
                lambda: None, lambda: labels() > 0,
            ),
            TourStep(
                "Hold <b>Space</b> to see the mesh alone. It fits: press <b>Accept</b>, or the key E. It cannot be "
                "mended: Reject, R.", lambda: bar["accept"], lambda: judged() > before,
            ),
            TourStep(
                "<b>Ctrl+Z</b> takes back any step, also tomorrow. Nothing need be saved.", lambda: self.tools["undo"],
            ),
            TourStep(
                "When enough hands are accepted: <b>Export …</b> writes them as a data set. All keys: <b>Keys</b>; "
                "this tour again: <b>Tour</b>.", lambda: files["Export"],
            ),
        ]  # fmt: skip

    def open_samples(self, _link: str = "") -> None:
        """A project on sample photos, in a temporary folder."""
        from napari_hand_mesh.reader import sample_project

        self._try(lambda: sample_project(self))

    def _ask_progress(self) -> None:
        if self.session is None:
            self.say("open a project first: Photos … makes one")
            return
        self.settle()
        session, folder = self.session, self.session.project.folder

        def found(progress: Progress) -> None:
            self.say("")
            if self.session is session:
                page = ProgressPage(progress, self)
                page.finished.connect(lambda _result: self.typing.to_canvas())
                page.show()

        self._ask("counting …", lambda: Progress.read(folder), found)
