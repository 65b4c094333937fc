"""Several cameras in the window: the other photos of the moment, epipolar lines in them, and the way to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

from napari_hand_mesh.docks.frame.layout import dock_of

if TYPE_CHECKING:
    from napari_hand_mesh.docks.views.panel import ViewsPanel
    from napari_hand_mesh.session.session import Session


class Viewing:
    """The part of the plugin's widget that shows an instant."""

    session: Session | None
    views: ViewsPanel

    def _start_views(self) -> None:
        """Once, after Qt's own part of the widget is there."""
        self.views.chosen.connect(self._go_to_camera)

    def _show_views(self) -> Iterator[None]:
        """The other photos as the session has them now, one in each step; a photo of no instant has none."""
        session = self.session
        cameras = [] if session is None else session.other_cameras
        dock = dock_of(self.views)
        if dock is not None and dock.isHidden() == bool(cameras):
            dock.setVisible(bool(cameras))
            if cameras:
                # when it has its place: before, a dock takes no size
                QTimer.singleShot(0, lambda: self.arrangement.share(self.queue, self.views))
        if not cameras:
            self.views.show_instant((), "")
            return
        instant = session.instant
        off = session.reprojection().get(session.camera)
        here = session.camera + ("" if off is None else f", {off:.1f} px off")
        self.views.show_instant(
            (instant.rig, instant.moment, session.camera), f"{instant.moment} · {here} on the canvas"
        )
        for camera in cameras:
            yield
            self._try(lambda camera=camera: self.views.show_view(session.view_of(camera), len(cameras)))

    def _all_views(self) -> None:
        for _ in self._show_views():
            pass

    def _show_lines(self, joint: int | None, place: tuple[float, float] | None = None) -> None:
        """The epipolar lines of a joint at (x, y) photo px (None: where it is shown); None: of none."""
        session = self.session
        if session is None or not self.views.views:
            return
        if joint is None or session.hand is None:
            self.views.show_lines(None, {})
            return
        at = self.layers.places[joint] if place is None else place
        self.views.show_lines(joint, {camera: session.epipolar(camera, at) for camera in self.views.views})

    def _show_moved(self) -> None:
        """The hand in the other photos while it is dragged in this one."""
        if self.session.previewed is not None:
            self.views.show_moved({name: one.keypoints for name, one in self.session.previewed.views.items()})

    def _go_to_camera(self, camera: str) -> None:
        self.stop_playing()
        self.settle()
        self._try(lambda: self.session.go_to_camera(camera))
