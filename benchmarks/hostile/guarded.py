"""One action in a forked process with limits: a crash, an endless loop or a growing memory is seen and counted."""

from __future__ import annotations

import os
import resource
import select
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from annotator.errors import InputError

COMPUTING = 10  # s of computing that a file may take
WAITING = 60  # s without any computing: on a busy machine it may wait for a core
MEMORY = 6 << 30  # bytes of addresses a reader may ask for
_PAGE = resource.getpagesize()


@dataclass(frozen=True)
class Outcome:
    """said: "read", "refused" or what went wrong; seconds: of computing; grown: bytes of memory above what the process
    had before."""

    said: str
    seconds: float
    grown: int


def run(action: Callable[[], object]) -> Outcome:
    """Do it in a fork; InputError with a message is a refusal, everything else that is raised went wrong."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (COMPUTING, COMPUTING + 1))
        before = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
        try:
            action()
            said = "read"
        except InputError as error:
            said = "refused" if str(error).strip() else "an empty message"
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"[:300] + _place(error)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        os.write(writing, f"{max(0, peak - before)} {said}".encode(errors="replace")[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        ready, used_before = [], -1
        while not ready and (used := _ticks(child)) > used_before:
            used_before = used
            ready, _, _ = select.select([pipe], [], [], WAITING)
        told = pipe.read().decode(errors="replace") if ready else f"0 waits for something for {WAITING} s"
    if not ready:
        os.kill(child, signal.SIGKILL)
    _, status, spent = os.wait4(child, 0)
    if not told and status & 127 in (signal.SIGXCPU, signal.SIGKILL):
        told = f"0 no answer in {COMPUTING} s of computing"
    grown, _, said = (told or f"0 crashed: signal {status & 127}").partition(" ")
    return Outcome(said, spent.ru_utime + spent.ru_stime, int(grown))


def _ticks(process: int) -> int:
    """The time of computing that a process has had, in ticks of the clock."""
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return int(user) + int(system)


def _place(error: BaseException) -> str:
    """Where it was raised, as far as that is in this program: " at file:line"."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "/annotator/" in code.co_filename:
            place = f" at {code.co_filename.rpartition('/annotator/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
