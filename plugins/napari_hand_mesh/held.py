"""What a widget must let go of when it is destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_hand_mesh.docks.frame.companions import Companions
    from napari_hand_mesh.jobs.background import Background
    from napari_hand_mesh.jobs.retrain import Retraining
    from napari_hand_mesh.session.session import Session


class Held:
    """Apart from the widget, which is gone by then."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.background: Background | None = None
        self.retraining: Retraining | None = None
        self.companions: Companions | None = None

    def release(self, *_args) -> None:
        if self.companions is not None:
            self.companions.remove()
        if self.background is not None:
            self.background.stop()
        if self.retraining is not None:
            self.retraining.stop()
        if self.session is not None:
            self.session.close()
            self.session = None
