"""What the dock's upper buttons open: projects, photos, videos, the form of an export, a round of learning."""

from __future__ import annotations

from pathlib import Path

from magicgui import magicgui
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLabel, QVBoxLayout

from annotator.errors import InputError
from annotator.files.photo_paths import VIDEO_SUFFIXES
from annotator.formats.table import writers
from napari_hand_mesh.docks.question import choose
from napari_hand_mesh.jobs.retrain import RoundResult
from napari_hand_mesh.jobs.tally import Tally
from napari_hand_mesh.jobs.tasks import count_strained
from napari_hand_mesh.session.sources import project_beside


class Files:
    """The part of the plugin's widget that asks for files and starts long work."""

    def _ask_project(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A project's folder")
        self.typing.to_canvas()
        if folder:
            self._try(lambda: self.open_project(folder))

    def _ask_photos(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A folder of photos")
        self.typing.to_canvas()
        if folder:
            self._try(lambda: self.propose_on(folder, project_beside(folder)))

    def _ask_video(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
        path, _ = QFileDialog.getOpenFileName(self, "A video", "", f"Videos ({kinds});;All files (*)")
        self.typing.to_canvas()
        if path:
            self._try(lambda: self.propose_on(Path(path), project_beside(path)))

    def _ask_export(self) -> None:
        if self.session is None:
            self.say("open a project first: Photos … makes one")
            return
        session = self.session
        dialog = ExportDialog(session.project.folder.parent, self)
        tally = Tally.of(session.queue)
        dialog.tell(tally.words())
        dialog.finished.connect(lambda _result: self.typing.to_canvas())

        def found(strained: int) -> None:
            if self.session is session and dialog.isVisible():
                dialog.tell(tally.words(strained))

        folder = session.project.folder
        self.background.ask(lambda: count_strained(folder), found, lambda: None)
        dialog.accepted.connect(lambda: self._try(lambda: self.export(dialog.format, dialog.folder, dialog.strained)))
        dialog.show()

    def _ask_round(self) -> None:
        """Start a round on the project's accepted hands, or say why not."""
        if self.session is None:
            self.say("open a project first: Photos … makes one")
            return
        if self.retraining.running:
            self.say("a round is under way already")
            return
        session, tally = self.session, Tally.of(self.session.queue)

        def start() -> None:
            if self.session is session and not self.retraining.running:
                self.retraining.start(session.project.folder)
                self.say("a round of learning begins …")
                self.cancel.setVisible(True)

        box = choose(self, tally.round_words(), {"Learn": start}, lambda: None)
        box.finished.connect(lambda _result: self.typing.to_canvas())

    def _round_went(self, words: str, done: int, total: int) -> None:
        self.say(f"learning: {words}")
        self.verdicts.show_progress(done, total)

    def _round_ended(self, said: dict, wrong: str) -> None:
        self.cancel.setVisible(self.background.proposing)
        self.verdicts.show_progress(0, 0)
        self.say(wrong or said["why"])
        if wrong:
            return
        if self.session is not None and said["promoted"]:
            self.session.read_queue()  # open hands were proposed anew
            if self._network and self.background.use(self.session.project):
                self.session.forget_features()
                self.background.with_model(self._look)
            if self.session.hand is not None:
                self._try(lambda: self.session.go(self.session.hand.id))
        self.result = RoundResult(said, self)
        self.result.show()

    def _try(self, call) -> None:
        try:
            call()
        except InputError as error:
            self.say(str(error))


class ExportDialog(QDialog):
    """Format and folder of a data set, and what will be in it."""

    def __init__(self, beside: Path, parent=None):
        super().__init__(parent)
        self.setWindowTitle("Export accepted hands")

        @magicgui(
            auto_call=False,
            call_button=False,
            kind={"label": "Format", "choices": sorted(writers())},
            out={"label": "New folder", "mode": "w"},
            strained={"label": "Strained hands, too", "tooltip": "with labels that no plausible hand meets"},
        )
        def form(kind="freihand", out=beside / "export-freihand", strained=False): ...  # their types make the widgets

        self.form = form
        form.kind.changed.connect(lambda kind: setattr(form.out, "value", form.out.value.with_name(f"export-{kind}")))
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.setMinimumHeight(66)  # what is found later moves nothing
        self.told.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.addWidget(self.told)
        layout.addWidget(form.native)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.resize(480, 210)

    def tell(self, words: str) -> None:
        """What leaves, what is left out and why."""
        self.told.setText(words)

    @property
    def format(self) -> str:
        return self.form.kind.value

    @property
    def folder(self) -> Path:
        return Path(self.form.out.value)

    @property
    def strained(self) -> bool:
        """Whether hands are wanted, too, with labels that no plausible hand meets."""
        return bool(self.form.strained.value)
