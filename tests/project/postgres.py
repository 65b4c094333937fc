"""A real PostgreSQL server in a temporary folder, for tests: started from Debian's package `postgresql`."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Missing(Exception):
    """Why there is no server here."""


@contextmanager
def server(durable: bool = False) -> Iterator[str]:
    """URL of a running server's database, reached through a socket in a temporary folder; no port is opened.

    As root it runs as the user `postgres`, since PostgreSQL refuses root. It does not wait for the disk
    (fsync=off): what clients are promised does not depend on that here. durable: it does, as a server for work would.
    """
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb")) or [shutil.which("initdb") or ""]
    if not found[-1]:
        raise Missing("PostgreSQL is not installed (apt-get install postgresql)")
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise Missing(f"psycopg is not installed (pip install hand-mesh-annotator[postgres]): {error}") from error
    options, binaries = {}, Path(found[-1]).parent
    if os.getuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError as error:
            raise Missing("root cannot run PostgreSQL and there is no user `postgres`") from error
        options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path has at most 107 characters
    try:
        if options:
            shutil.chown(folder, options["user"], options["group"])

        def run(*command):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **options)
            if done.returncode:
                raise Missing(f"{Path(command[0]).name} failed: {done.stderr.strip()[-300:]}")

        run(binaries / "initdb", "-D", folder / "data", "-U", "tester", "-A", "trust", "-N", "--locale=C.UTF-8",
            "--encoding=UTF8")  # fmt: skip
        settings = f"-k {folder} -c listen_addresses= -c fsync={'on' if durable else 'off'} -c shared_buffers=32MB"
        run(binaries / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", settings, "start")
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={folder}"
        finally:
            run(binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_schema(url: str, name: str) -> str:
    """Make an empty schema of the database of `url`; the schema's own URL."""
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    return f"{url}&options=-csearch_path%3D{name}"
