"""A command in a fork where calls of the operating system fail, see `calls.c`."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

# name -> (bits, as calls.c has them; what the system says)
KINDS = {
    "write": (1, errno.ENOSPC),
    "sync": (2, errno.EIO),
    "read": (4, errno.EIO),
    "rename": (8, errno.EACCES),
    "open": (16, errno.EMFILE),
    "remove": (32, errno.EACCES),
    "connection": (64, errno.ECONNRESET),
    "killed": (63, 0),  # at any of these calls, before it is made
}
LONGEST = 240  # s that a command may take, on a busy machine
PRELOADED = "HAND_MESH_FAILING_CALLS"


def preload() -> None:
    """Start this program again with the failing calls before the C library. SystemExit: they cannot be made here."""
    if os.environ.get(PRELOADED):
        return
    made = Path(tempfile.mkdtemp(prefix="failing-")) / "failing.so"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        raise SystemExit("failing calls need Linux and a C compiler")
    source = Path(__file__).with_name("calls.c")
    options = ("-shared", "-fPIC", "-O1", "-U_FORTIFY_SOURCE", "-o", made, source, "-ldl")
    subprocess.run([compiler, *options], check=True)
    told = os.environ | {"LD_PRELOAD": str(made), PRELOADED: str(made)}
    os.execve(sys.executable, [sys.executable, *sys.argv], told)


@dataclass
class Ended:
    """code: of the command, negative for a signal; said: its stderr; seen: calls of the kind."""

    code: int
    said: str
    seen: int


def run(arguments: list, kind: str, number: int, ever: bool, under: Path) -> Ended:
    """The command in a fork where a call fails; number 0: none does."""
    calls = ctypes.CDLL(os.environ[PRELOADED])
    calls.calls_seen.restype = ctypes.c_long
    said, told = os.memfd_create("said"), os.memfd_create("told")
    child = os.fork()
    if child == 0:
        code = 99
        try:
            signal.alarm(LONGEST)
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), 1)
            os.dup2(said, 2)
            from annotator.cli import main as command

            os.environ["XDG_DATA_HOME"] = str(under / "home")
            bits, error = KINDS[kind]
            calls.fail_call(bits, ctypes.c_long(number), error, int(ever), os.fsencode(under))
            try:
                code = command([str(one) for one in arguments])
            except BaseException:
                import traceback

                traceback.print_exc()
            seen = calls.calls_seen()
            calls.fail_call(0, ctypes.c_long(0), 0, 0, b"")
            sys.stderr.flush()
            os.write(told, str(seen).encode())
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    text, seen = (os.pread(file, 1 << 20, 0).decode(errors="replace") for file in (said, told))
    os.close(said)
    os.close(told)
    return Ended(os.waitstatus_to_exitcode(status), text, int(seen or 0))
