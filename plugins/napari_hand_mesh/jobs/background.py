"""Work that takes longer than a blink, in threads: loading the network, its features of a hand, proposing on
photos, writing a data set."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari.qt.threading import FunctionWorker, GeneratorWorker, WorkerBase, create_worker

from annotator.errors import InputError
from annotator.formats.transfer.from_project import left_out_words
from annotator.project import Project
from napari_hand_mesh.jobs.tasks import Counted, export, looked_at, propose
from napari_hand_mesh.session import settings
from napari_hand_mesh.session.session import Session

if TYPE_CHECKING:
    from annotator.model import Model

LONGEST = 30_000  # ms: loading the network from a cold disk
# s, see sys.setswitchinterval: OpenGL gives up Python's lock at each of its hundreds of calls a frame, and while
# another thread works would wait for it 5 ms each time
EAGER, USUAL = 0.0005, sys.getswitchinterval()


# imported with the first layer of vectors or points, with the first words on a hand, with the first video
EARLY = ("pandas", "scipy.ndimage", "annotator.correcting.plausibility", "av")


def import_early() -> None:
    """What the first project would wait for, most of a second, in a thread as soon as there is a window."""

    def imported() -> None:
        for name in EARLY:
            with contextlib.suppress(ImportError):  # an extra that is not installed
                importlib.import_module(name)

    threading.Thread(target=imported, name="early imports").start()


def read_units() -> None:
    """All units of measurement, which napari has read by the time of the first layer, a quarter of a second. On the
    GUI's thread: who asks while another thread reads them gets an error."""
    with contextlib.suppress(ImportError, AttributeError):  # another napari
        importlib.import_module("pint").get_application_registry().meter  # noqa: B018  asked for, they are read


@atexit.register
def wait_for_threads() -> None:
    """At the end of Python no thread may be left that still talks to Qt: that would abort the process. napari
    waits when its event loop ends; a script that closes the viewer itself has none."""
    with contextlib.suppress(RuntimeError):  # a thread that does not end in time is beyond our help
        WorkerBase.await_workers(LONGEST)


class Background:
    """The threads of one widget. Answers that come after `stop`, or for another session, are dropped.

    say: shown to the person; progress(done, all, new hands, wrong): of proposing; finished: after the last
    photo; looked: the network knows the hand that is looked at.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        progress: Callable[[int, int, int, str], None],
        finished: Callable[[], None],
        looked: Callable[[], None],
    ):
        self._say, self._progress, self._finished, self._looked = say, progress, finished, looked
        self.model: Model | None = None
        self._source: tuple = (settings.read(), None)  # what the network is, or will be, loaded from
        self._loading_from: tuple = ()
        self._loading: FunctionWorker | None = None
        self._looking: FunctionWorker | None = None
        self._proposing: GeneratorWorker | None = None
        self._exporting: FunctionWorker | None = None
        self._asking: FunctionWorker | None = None
        self._counted: Counted | None = None
        self._session: Session | None = None
        self._then: list[Callable[[], None]] = []
        self._stopped = False

    def use(self, project: Project) -> bool:
        """From now on the network that the settings, or the project's rounds, name; whether that is another one."""
        from annotator.rounds import current_checkpoint

        source = (settings.read(), current_checkpoint(project))
        if source == self._source:
            return False
        self._source, self.model = source, None
        return True

    def with_model(self, then: Callable[[], None]) -> None:
        """Call `then` when the network is loaded: at once, or after it was loaded in a thread."""
        if self.model is not None:
            then()
            return
        self._then.append(then)
        if self._loading is None:
            self._say("loading the network …")
            self._loading_from = self._source
            self._loading = create_worker(settings.load_network, *self._source, _start_thread=False)
            self._loading.returned.connect(self._loaded)
            self._loading.errored.connect(self._failed)
            self._loading.start()

    def look(self, session: Session) -> None:
        """Get the network's features of the hand that is looked at, so that a correction has its word too."""
        self._session = session
        session.model = self.model
        if self.model is None or self._looking is not None:
            return
        wanted, joined = session.wants_features(), session.wants_joined()
        if wanted is None and joined is None:
            return

        def returned(kept) -> None:
            self._looking = None
            if self._stopped or self._session is not session:
                return
            if wanted is not None:
                session.keep_features(wanted[0], *kept[0])
            if joined is not None:
                session.keep_joined(joined[0], kept[1])
            self._looked()
            self.look(session)  # the person may have gone on meanwhile

        def errored(error: Exception) -> None:
            self._looking = None
            self._failed(error)

        self._looking = create_worker(looked_at, self.model, wanted, joined, _start_thread=False)
        self._looking.returned.connect(returned)
        self._looking.errored.connect(errored)
        self._looking.start()

    def ask(self, call: Callable[[], object], then: Callable[[object], None], failed: Callable[[], None]) -> bool:
        """One question at a time to the network or the solver, in a thread: `then` gets the answer, on the GUI's
        thread; `failed` is called where there is none, after the person was told. False, and nothing happens, while
        another question waits."""
        if self._asking is not None:
            return False

        def returned(answer: object) -> None:
            self._asking = None
            if not self._stopped:
                then(answer)

        def errored(error: Exception) -> None:
            self._asking = None
            if not self._stopped:
                self._say(str(error))
                failed()

        self._asking = create_worker(call, _start_thread=False)
        self._asking.returned.connect(returned)
        self._asking.errored.connect(errored)
        self._asking.start()
        return True

    def propose(self, folder: Path, files: Sequence[Path]) -> None:
        """Propose on photos in a thread. InputError if that is under way already."""
        if self._proposing is not None:
            raise InputError("photos are being looked at already: wait, or cancel that first")
        self._proposing = create_worker(
            propose, folder, list(files), self.model, settings.read().seconds_between_frames, _start_thread=False
        )
        self._proposing.yielded.connect(lambda step: None if self._stopped else self._progress(*step))
        self._proposing.errored.connect(self._failed)
        self._proposing.finished.connect(self._proposed)
        sys.setswitchinterval(EAGER)
        self._proposing.start()

    def export(self, folder: Path, name: str, out: Path, strained: bool = False) -> None:
        """Write a data set in a thread. InputError if one is being written already. strained: also hands with labels
        that no plausible hand meets."""
        if self._exporting is not None:
            raise InputError("a data set is being written already")

        def returned(counts: tuple[int, int]) -> None:
            hands, without = counts
            words = f"{hands} hand{'' if hands == 1 else 's'} written to {out}"
            if not self._stopped:
                self._say(words + (f"; {left_out_words(without)}" if without else ""))

        def errored(error: Exception) -> None:
            if not self._stopped:
                self._say(str(error))

        def finished() -> None:
            self._exporting = self._counted = None

        self._say(f"writing {out} …")
        self._counted = Counted()
        self._exporting = create_worker(export, folder, name, out, self._counted, strained, _start_thread=False)
        self._exporting.returned.connect(returned)
        self._exporting.errored.connect(errored)
        self._exporting.finished.connect(finished)
        self._exporting.start()

    @property
    def exported(self) -> int | None:
        """How many hands the export under way has written; None: there is none."""
        return None if self._counted is None else self._counted.done

    @property
    def proposing(self) -> bool:
        return self._proposing is not None

    def cancel(self) -> None:
        """Stop proposing after the photo that is looked at now, what was found stays; stop an export, then nothing is
        written."""
        if self._proposing is not None:
            self._proposing.quit()
        if self._counted is not None:
            self._counted.stopped = True

    def forget(self) -> None:
        """The session is over."""
        self._session = None

    def stop(self) -> None:
        """The widget goes away: nothing is shown or stored any more."""
        self._stopped = True
        self._then.clear()
        self.forget()
        self.cancel()

    def _loaded(self, model: Model) -> None:
        self._loading = None
        if self._stopped:
            return
        if self._loading_from != self._source:  # another project was opened meanwhile
            self.with_model(lambda: None)
            return
        self.model = model
        self._say("")
        waiting, self._then = self._then, []
        for then in waiting:
            then()

    def _failed(self, error: Exception) -> None:
        self._loading = None
        if not self._stopped:
            self._say(f"the network cannot be used ({error}); corrections go on without it")

    def _proposed(self) -> None:
        sys.setswitchinterval(USUAL)
        self._proposing = None
        if not self._stopped:
            self._finished()
