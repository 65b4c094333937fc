"""The window in our mode: the photo is the largest thing, nothing moves under the mouse.

From left to right: the queue, the photo with the bar of verdicts below it, the panel with the side view. napari's own
list of layers and its controls are folded away until they are asked for.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QRect, QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow, QWidget

from napari_hand_mesh.docks.frame.main_window import main_window_of

NAPARI = ("layer list", "layer controls")  # names of napari's own docks
PLUGIN = " (hand-mesh-annotator)"  # what napari adds to the panel's name
SHARE = 0.62  # of the width is the photo's, at least
HALF = 0.5  # of a column, for the other cameras' photos
SHORTER = 40  # px of the screen that a frame and a panel of the desktop take
USUAL = (1600, 1000)  # px, at most, of a window that nobody has sized


class Layout(QObject):
    """Of the main window that a widget sits in. folded: whether napari's own docks are. resized: the photo has another
    size now."""

    resized = Signal()

    def __init__(self, widget: QWidget):
        super().__init__(widget)
        self._widget = widget
        self.folded = False
        self._resized = QTimer(self)  # a window that is dragged larger has many sizes
        self._resized.setSingleShot(True)
        self._resized.setInterval(60)
        self._resized.timeout.connect(self.resized)
        self._out: tuple[QDockWidget, QRect] | None = None  # what lies over the photo, and where it was put

    def eventFilter(self, watched, event) -> bool:  # noqa: N802
        window = self.window
        canvas = None if window is None else window.centralWidget()
        if watched is canvas and event.type() == QEvent.Type.Resize:
            self._resized.start()
            self._follow()
        elif watched is window and event.type() == QEvent.Type.Move:
            self._follow()
        return False

    @property
    def window(self) -> QMainWindow | None:
        return main_window_of(self._widget)

    def arrange(
        self,
        panel: QWidget,
        queue: QWidget,
        history: QWidget,
        bar: QWidget,
        side: QWidget,
        video: QWidget,
        views: QWidget,
        person: QWidget,
    ) -> None:
        """Once, when all are docked: columns take the whole height, the bar has no frame, the video is above it, the
        other cameras' photos are below the queue."""
        window = self.window
        if window is None:
            return
        window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        if window.centralWidget() is not None:
            window.centralWidget().installEventFilter(self)
            window.installEventFilter(self)
        docks = {id(one): dock_of(one) for one in (panel, queue, history, side)}
        if all(docks.values()):
            window.splitDockWidget(docks[id(panel)], docks[id(side)], Qt.Orientation.Vertical)
            views_dock = dock_of(views)
            if views_dock is not None:
                window.splitDockWidget(docks[id(queue)], views_dock, Qt.Orientation.Vertical)
                views_dock.hide()  # until there is an instant
            window.tabifyDockWidget(docks[id(queue)], docks[id(history)])
            if dock_of(person) is not None:
                window.tabifyDockWidget(docks[id(history)], dock_of(person))
            docks[id(queue)].raise_()
        bar_dock, video_dock = dock_of(bar), dock_of(video)
        if bar_dock is not None and video_dock is not None:
            window.splitDockWidget(video_dock, bar_dock, Qt.Orientation.Vertical)
        for dock in (bar_dock, video_dock):
            if dock is not None:
                dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
                dock.setTitleBarWidget(QWidget())
        if video_dock is not None:
            video_dock.hide()  # until there is a video
        self.fold(True)
        before = window.size()

        def laid_out() -> None:
            self._back_to(before)
            self.widths(queue, side)
            for one in (panel, queue, history, person, side, views):
                below_title(dock_of(one))

        QTimer.singleShot(0, laid_out)

    def fit(self) -> None:
        """Make the window as large as the screen is good for."""
        window, room = self.window, self._room()
        if room is None:
            return
        width, height = min(room.width(), USUAL[0]), min(room.height(), USUAL[1])
        window.resize(width, height)
        window.move(room.left() + (room.width() - width) // 2, room.top())

    def _back_to(self, size: QSize) -> None:
        """Give the window this size again, as far as its parts and the screen allow: while docks come one by one, Qt
        makes it as tall as all of them in one column, and leaves it so."""
        room = self._room()
        if room is not None:
            self.window.resize(size.expandedTo(self.window.minimumSizeHint()).boundedTo(room.size()))

    def _room(self) -> QRect | None:
        """What of the screen the window may take; None: it has no screen, or fills it already."""
        window = self.window
        screen = None if window is None else window.screen()
        if screen is None or window.isMaximized() or window.isFullScreen():
            return None
        return screen.availableGeometry().adjusted(0, 0, 0, -SHORTER)

    def widths(self, queue: QWidget, side: QWidget) -> None:
        """Share out the width: what is not the photo's is the columns'."""
        window = self.window
        docks = [dock for dock in (dock_of(queue), dock_of(side)) if dock is not None]
        if window is None or len(docks) < 2:
            return
        rest = max(int(window.width() * (1 - SHARE)), 1)
        window.resizeDocks(docks, [int(0.44 * rest), int(0.56 * rest)], Qt.Orientation.Horizontal)

    def share(self, upper: QWidget, lower: QWidget, part: float = HALF) -> None:
        """Two docks of a column get so much of it: the lower one this part."""
        window, docks = self.window, [dock_of(upper), dock_of(lower)]
        if window is None or None in docks:
            return
        tall = docks[0].height() + docks[1].height()
        window.resizeDocks(docks, [int((1 - part) * tall), int(part * tall)], Qt.Orientation.Vertical)

    def fold(self, wanted: bool) -> None:
        """napari's own docks away, or back."""
        window = self.window
        self.folded = wanted
        if window is not None:
            unfold(window, not wanted)

    def swap(self, side: QWidget) -> bool:
        """The side view in the middle of the screen, as large as one likes, or back in its dock; whether it is out."""
        dock = dock_of(side)
        if dock is None:
            return False
        out = not dock.isFloating()
        dock.setFloating(out)
        self._out = None
        if out:
            dock.setGeometry(self._photo_place())
            self._out = dock, dock.geometry()
        return out

    def _photo_place(self) -> QRect:
        """Where the photo is on the screen."""
        middle = self.window.centralWidget()
        return QRect(middle.mapToGlobal(middle.rect().topLeft()), middle.size())

    def _follow(self) -> None:
        """What lies over the photo stays there, unless a person has put it elsewhere."""
        if self._out is None:
            return
        dock, place = self._out
        if not dock.isFloating() or dock.geometry() != place:
            self._out = None
            return
        dock.setGeometry(self._photo_place())
        self._out = dock, dock.geometry()


def below_title(dock: QDockWidget | None) -> None:
    """What the dock holds begins below its title: napari tells Qt that the title is 20 px high, whatever its font. The
    title itself is without the plugin's name, for which a narrow column has no room."""
    title = None if dock is None else dock.titleBarWidget()
    if title is not None and dock.widget() is not None:
        hidden = title.minimumSizeHint().height() - title.sizeHint().height()
        dock.widget().setContentsMargins(0, max(hidden, 0), 0, 0)
        for words in title.findChildren(QLabel):
            words.setText(words.text().removesuffix(PLUGIN))


def unfold(window: QWidget, wanted: bool = True) -> None:
    """napari's own docks of a window."""
    for name in NAPARI:
        for dock in window.findChildren(QDockWidget, name):
            dock.setVisible(wanted)


def dock_of(widget: QWidget) -> QDockWidget | None:
    """The dock that a widget sits in."""
    while widget is not None and not isinstance(widget, QDockWidget):
        widget = widget.parentWidget()
    return widget
