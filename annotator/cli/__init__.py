"""The command line, `annotator COMMAND`: one module of this package a command, loaded when asked for."""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from collections.abc import Sequence

from annotator.errors import InputError

INTERRUPTED = 130  # as a shell says of a program ended by Ctrl-C
CLOSED_PIPE = 141  # ... and of one whose reader went away, as in `annotator status P | head -1`

LONGEST = 2000  # characters of an error's line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0, 2 (wrong use or bad input, one line on stderr), 130 (Ctrl-C)."""
    import typer

    from annotator.cli.registry import group

    given = list(sys.argv[1:] if arguments is None else arguments)
    _say_anything()
    try:
        code = group().main(args=given or ["--help"], prog_name="annotator", standalone_mode=False)
        if sys.stdout is not None:  # it may have been closed before the program began
            sys.stdout.flush()
    except InputError as error:
        return _fail(str(error))
    except typer.TyperException as error:  # an unknown command or option, a missing argument
        return _fail(f"{error.format_message()} (see `annotator --help`)")
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        code = CLOSED_PIPE
    except OSError as error:  # where nobody nearer knew what it means
        return _fail(_said_by_system(error))
    except MemoryError:
        return _fail("there is not enough memory for this")
    except SystemExit as stop:  # typer ends so when it meets a closed pipe
        code = CLOSED_PIPE if stop.code == 1 else stop.code
    if code == CLOSED_PIPE:
        # what Python still wants to flush at its end goes nowhere, without a complaint
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if code == INTERRUPTED:
        print("annotator: interrupted; what was stored before is kept", file=sys.stderr)
    return int(code or 0)


def _say_anything() -> None:
    """Output in the terminal's or pipe's own encoding, with escapes for what it cannot say; remarks as lines."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # what the database's library tells of a connection that broke while it was closed: the command has said so
    logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())
    usual = warnings.showwarning
    if usual.__module__ == __name__:
        return

    def show(message, category, *more, **named) -> None:
        if category.__name__ == "PhotoRemark":
            print(f"annotator: remark: {message}", file=sys.stderr)
        else:
            usual(message, category, *more, **named)

    warnings.showwarning = show


def _said_by_system(error: OSError) -> str:
    """What a disk that is full or broken, or a network that is gone, did to which file."""
    why = error.strerror or str(error) or type(error).__name__
    named = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return f"cannot read or write {' or '.join(named) or 'a file or the output'}: {why}"


def _fail(message: str) -> int:
    line = " ".join(message.split())
    if len(line) > LONGEST:  # somebody's name of 5,000 characters, say: what is wrong with it stands at the end
        line = f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"
    print(f"annotator: error: {line}", file=sys.stderr)
    return 2
