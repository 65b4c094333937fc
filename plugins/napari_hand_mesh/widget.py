"""The plugin's dock: what ties its form, the canvas, mouse and keys to a session."""

from __future__ import annotations

from pathlib import Path

import napari
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from annotator.errors import InputError
from annotator.project import Project
from napari_hand_mesh.actions import Actions
from napari_hand_mesh.beside.people import OfPeople
from napari_hand_mesh.beside.views import Viewing
from napari_hand_mesh.canvas.dragging import Dragging
from napari_hand_mesh.canvas.layers import HandLayers
from napari_hand_mesh.canvas.tones import Tones
from napari_hand_mesh.docks.controls import Controls
from napari_hand_mesh.docks.frame.companions import Companions
from napari_hand_mesh.docks.frame.layout import Layout
from napari_hand_mesh.docks.frame.typing import Typing
from napari_hand_mesh.docks.frame.window_place import WindowPlace
from napari_hand_mesh.docks.video.panel import VideoPanel
from napari_hand_mesh.files import Files
from napari_hand_mesh.filming import Filming
from napari_hand_mesh.first_use import FirstUse
from napari_hand_mesh.held import Held
from napari_hand_mesh.jobs.background import Background, import_early, read_units
from napari_hand_mesh.jobs.retrain import Retraining
from napari_hand_mesh.pointing.by_keys import ByKeys
from napari_hand_mesh.pointing.in_depth import ByDepth
from napari_hand_mesh.pointing.mouse import Pointing
from napari_hand_mesh.session import keys, settings
from napari_hand_mesh.session.memory import uncollected
from napari_hand_mesh.session.session import Session
from napari_hand_mesh.session.sources import photos_of
from napari_hand_mesh.showing import AFTER_PAINT, Showing

IDLE = 100  # ms after the window is shown


class HandMeshWidget(
    Actions, Filming, Viewing, OfPeople, Files, FirstUse, Showing, Pointing, ByKeys, ByDepth, Controls
):
    """Correct hands of a project on the viewer's canvas. network: whether it is loaded (in a thread) for
    proposals and for its word on corrections; without it the solver alone moves the mesh."""

    def __init__(self, napari_viewer: napari.Viewer, network: bool = True):
        super().__init__()
        self.viewer = napari_viewer
        self.layers: HandLayers | None = None
        self.dragging: Dragging | None = None
        self._network = network
        self.settings = settings.read()
        self.opacity.setValue(self.settings.mesh_opacity)
        self._last_joint: int | None = None
        self.video = VideoPanel()
        self._start_showing()
        self._start_filming()
        self._start_pointing()
        self._start_keys()
        self._start_depth()
        self._start_views()
        self._start_people()
        self._held = Held()
        self.background = Background(self.say, self._proposed_some, self._proposed_all, self._looked)
        self._held.background = self.background
        self.retraining = self._held.retraining = Retraining()
        self.retraining.progress.connect(self._round_went)
        self.retraining.finished.connect(self._round_ended)
        self._held.companions = Companions(napari_viewer, {
            "Side view": (self.side, "right"), "Hands": (self.queue, "left"), "History": (self.history, "left"),
            "Views": (self.views, "left"), "Subject": (self.person, "left"),
            "Video": (self.video, "bottom"), "Verdicts": (self.verdicts, "bottom"),
        })  # fmt: skip
        self.destroyed.connect(self._held.release)
        self.place = WindowPlace(self)
        self.arrangement = Layout(self)
        self.arrangement.resized.connect(self._refit)
        self.typing = Typing(self, self.queue.table, self._typed)
        self.search.returnPressed.connect(self.typing.to_canvas)
        self._arranged = False
        self.history.acted.connect(self.act)
        self.history.chosen.connect(self._chosen)
        self.queue.chosen.connect(self._chosen)
        self.queue.judged.connect(self._judge_many)
        self.picture.changed.connect(self._tone)
        self.picture.lifted.connect(lambda: self._show_tones(Tones.lifting))
        self.picture.stretched.connect(lambda: self._show_tones(Tones.stretching))
        self.opacity.valueChanged.connect(self._set_opacity)
        self.acted.connect(self.act)
        self.cancelled.connect(self.background.cancel)
        self.cancelled.connect(self.retraining.cancel)
        self.asked_video.connect(self._ask_video)
        self.asked_round.connect(self._ask_round)
        self.depths.looked_at.connect(self._look_at_depth)
        self.depths.taken.connect(self._take_depth)
        self.asked_project.connect(self._ask_project)
        self.asked_photos.connect(self._ask_photos)
        self.asked_export.connect(self._ask_export)
        self.asked_progress.connect(self._ask_progress)
        self.asked_tour.connect(self.start_tour)
        self.asked_samples.connect(self.open_samples)
        self._tour = None
        import_early()

    @property
    def session(self) -> Session | None:
        return self._held.session

    # -- projects --------------------------------------------------------------------------------------------
    def open_project(self, folder: str | Path) -> None:
        """Open a project where it was left. InputError if there is none; what was open then stays open."""
        with uncollected():
            self._open(folder)

    def _open(self, folder: str | Path) -> None:
        session = Session.open(folder)
        self.close_project()
        self._arrange()
        self._held.session = session
        self.settings = settings.read()
        self.layers = HandLayers(self.viewer, self.settings.marker_scale, session.definition)
        self.layers.mesh.opacity = self.opacity.value() / 100
        self.dragging = Dragging(
            self.layers, self._preview, self._drop, self._touch, self._clicked, self._boxed, self._over
        )
        self.dragging.rest = self.side.picture.rest = 1 / self.settings.live_updates
        self.layers.canvas_size = self._canvas_size
        self.layers.tone(self.picture.tones)
        keys.bind((self.viewer, *self.layers.all), self.press)
        session.listeners.append(self._refresh)
        if session.hand is None:  # one may arrive at any time
            self.layers.warm()
        self.queue.show_session(session)
        self._refresh()
        self._finish()  # nothing speaks of the project before
        self.place.restore()
        self._show_video()  # whatever was noted of their docks
        self._all_views()
        self.typing.watch()
        if self._network:
            self.background.use(session.project)
            self.background.with_model(self._look)

    def close_project(self) -> None:
        """Let go of the project; everything is stored already."""
        if self.session is None:
            return
        self.settle()
        self.place.stop()
        self._stop_showing()
        self._magnify(None)
        self.background.cancel()
        self.background.forget()
        self.stop_playing()
        self.queue.show_session(None)
        self.history.show_session(None)
        self._order(None)
        self.side.show_hand(None)
        self.depths.forget()
        self.dragging.disconnect()
        keys.unbind((self.viewer, *self.layers.all))
        self.layers.remove()
        self.session.close()
        self._held.session, self.layers, self.dragging = None, None, None
        self._last_joint = None
        self._show_evidence()
        self._show_video()
        self._show_person()
        self._all_views()

    def propose_on(self, photos: str | Path | list[Path], project: str | Path) -> None:
        """Look for hands in a folder of photos, a video, or these files, in the background; `project` is made if it is
        missing."""
        files = photos_of(photos, Path(project))
        if self.background.proposing:
            raise InputError("photos are being looked at already: cancel that first")
        if self.session is None or self.session.project.folder.resolve() != Path(project).resolve():
            Project.open_or_create(project).close()
            self.open_project(project)
        folder = self.session.project.folder

        def start() -> None:
            if self.session is not None and self.session.project.folder == folder:
                self.background.propose(folder, files)
                self.cancel.setVisible(True)

        self.background.with_model(start)

    def export(self, name: str, out: str | Path, strained: bool = False) -> None:
        """Write the accepted hands as a data set of this format in the background; strained: also those with labels
        that no plausible hand meets."""
        if self.session is None:
            raise InputError("open a project first")
        self.background.export(self.session.project.folder, name, Path(out), strained)

    # -- proposing -------------------------------------------------------------------------------------------
    def _proposed_some(self, done: int, total: int, hands: int, wrong: str) -> None:
        self.say(f"looking for hands: {done} of {total} photos")
        if wrong:
            self.say(wrong)
        self.verdicts.show_progress(done, total)
        if hands and self.session is not None:
            self.session.read_queue()
            if self.session.photo is None:
                self._rest = self._first_hand()
                self._later.start(AFTER_PAINT)
            else:
                self.queue.refresh()

    def _proposed_all(self) -> None:
        self.cancel.setVisible(False)
        self.verdicts.show_progress(0, 0)
        self.say("")
        if self.session is not None and self.session.hand is None:
            self.say("no hand was found in these photos")
            if self.session.photo is None:
                self._try(self.session.next_bare)

    # -- dialogs ---------------------------------------------------------------------------------------------
    def _chosen(self, hand_id: str) -> None:
        self.settle()
        try:
            self.session.go(hand_id)
        except InputError as error:
            self.say(str(error))

    def _set_opacity(self, value: int) -> None:
        if self.layers is not None:
            self.layers.mesh.opacity = value / 100

    # -- the window ------------------------------------------------------------------------------------------
    def _arrange(self) -> None:
        """Once, when the window is there."""
        if not self._arranged and self.arrangement.window is not None:
            self._arranged = True
            self.arrangement.arrange(
                self, self.queue, self.history, self.verdicts, self.side, self.video, self.views, self.person
            )

    def showEvent(self, event) -> None:  # noqa: N802
        super().showEvent(event)
        self._arrange()
        QTimer.singleShot(IDLE, read_units)

    def _refit(self) -> None:
        if self.layers is not None:
            self.layers.refit()

    def _canvas(self) -> QWidget | None:
        window = self.arrangement.window
        return None if window is None else window.centralWidget()

    def _canvas_size(self) -> tuple[int, int]:
        canvas = self._canvas()
        return (800, 600) if canvas is None else (max(canvas.width(), 100), max(canvas.height(), 100))

    def _tone(self, tones: Tones) -> None:
        if self.layers is not None:
            self.layers.tone(tones)

    def _show_tones(self, of) -> None:
        if self.session is not None and self.session.photo is not None:
            self.picture.show_tones(of(self.session.photo))
