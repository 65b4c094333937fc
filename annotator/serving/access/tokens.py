"""Tokens with names, in a file that holds only their hashes: `annotator token add`, `annotator serve --tokens FILE`.

A token is 256 random bits, so that one pass of SHA-256 keeps it as safe as a slow hash would keep a password. The file
is replaced as a whole, and looked at again whenever it has changed: who is revoked is out at the next request.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from annotator.errors import InputError
from annotator.files.atomic import put
from annotator.files.file_errors import reading, writing

PREFIX = "hma_"  # by which programs that look for leaked secrets know one
FORMAT = "annotator-tokens"
NAME = re.compile(r"\w[\w.@+-]{0,63}")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Client:
    """Who asks. name: "" without named tokens; requests, seconds: what it may have a minute, of requests and of the
    model's time (None: no limit); read_only: proposals, and no corrections."""

    name: str = ""
    requests: float | None = None
    seconds: float | None = None
    read_only: bool = False


@dataclass(frozen=True)
class Entry:
    """A token as the file has it. sha256: hexadecimal; made, revoked, expires: ISO 8601; the rest: see `Client`."""

    name: str
    sha256: str
    made: str
    revoked: str | None = None
    expires: str | None = None
    requests: float | None = None
    seconds: float | None = None
    read_only: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is neither revoked nor over."""
        return self.revoked is None and (self.expires is None or _time(self.expires) > datetime.now(UTC))

    @property
    def client(self) -> Client:
        return Client(self.name, self.requests, self.seconds, self.read_only)


class Access(Protocol):
    """What knows tokens."""

    def find(self, token: str) -> Client | None:
        """Who shows this token ("": none was shown); None: nobody that is known."""


class OneToken:
    """One token for all; "": everybody may come in."""

    def __init__(self, token: str):
        self._token = token.encode()

    def find(self, token: str) -> Client | None:
        return Client() if not self._token or hmac.compare_digest(token.encode(), self._token) else None


class TokenFile:
    """The tokens in a file, as they are now. InputError when it is opened and cannot be read; later a damaged file is
    logged, and what was known before holds; a file that is gone has no tokens."""

    def __init__(self, path: Path):
        self._path = path
        self._known: dict[str, Entry] = {}
        self._seen: tuple | None = None
        self._look(first=True)

    def find(self, token: str) -> Client | None:
        self._look()
        entry = self._known.get(_hashed(token))  # who can choose a hash's beginning has found the token
        return entry.client if entry is not None and entry.holds else None

    def _look(self, first: bool = False) -> None:
        try:
            at = self._path.stat()
            seen: tuple = (at.st_ino, at.st_mtime_ns, at.st_size)
        except FileNotFoundError:
            seen = ()
        except OSError as error:
            seen = (error.errno,)
        if seen == self._seen and not first:
            return
        self._seen = seen
        try:
            self._known = {one.sha256: one for one in read(self._path)} if seen or first else {}
        except InputError as error:
            if first:
                raise
            _log.warning("%s; the tokens that were known before hold", error)


def read(path: Path) -> list[Entry]:
    """The tokens of a file, revoked ones too. InputError: there is none, or it is damaged."""
    with reading(path, "is no file of tokens", ValueError, KeyError, TypeError, RecursionError):
        if not path.exists():
            raise InputError(f"{path}: no such file; `annotator token add` makes one")
        whole = json.loads(path.read_text(encoding="utf-8"))
        if whole["format"] != FORMAT:
            raise ValueError(f"format {whole['format']!r}")
        return [_checked(Entry(**one)) for one in whole["tokens"]]


def add(
    path: Path,
    name: str,
    requests: float | None = None,
    seconds: float | None = None,
    read_only: bool = False,
    days: float | None = None,
) -> str:
    """A new token for `name`, told this once; the file is made if it is missing. requests, seconds, read_only: see
    `Client`; days: how long it holds. InputError: not a name, or one that has a token."""
    with _alone(path):
        known = read(path) if path.exists() else []
        if any(one.name == name and one.holds for one in known):
            raise InputError(f"{name} has a token: revoke it first")
        token, now = PREFIX + secrets.token_urlsafe(32), datetime.now(UTC)
        try:
            expires = None if days is None else _iso(now + timedelta(days=days))
            entry = _checked(Entry(name, _hashed(token), _iso(now), None, expires, requests, seconds, read_only))
        except (ValueError, OverflowError) as error:
            raise InputError(str(error)) from error
        _write(path, [*known, entry])
    return token


def revoke(path: Path, name: str) -> None:
    """From now on `name`'s token opens nothing. InputError: it has none."""
    with _alone(path):
        known = read(path)
        if not any(one.name == name and one.holds for one in known):
            raise InputError(f"{path}: {name} has no token")
        now = _iso(datetime.now(UTC))
        _write(path, [replace(one, revoked=now) if one.name == name and one.holds else one for one in known])


def _write(path: Path, entries: list[Entry]) -> None:
    text = json.dumps({"format": FORMAT, "tokens": [asdict(one) for one in entries]}, indent=1) + "\n"

    def private(partial: Path) -> None:
        with open(partial, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            if path.exists():
                partial.chmod(path.stat().st_mode & 0o777)  # what its owner has chosen for it
            file.write(text)

    put(path, private)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two people who change the file at once: one after the other."""
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        yield
        return
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_name(f".{path.name}.lock").open("a")
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _checked(entry: Entry) -> Entry:
    if not (isinstance(entry.name, str) and NAME.fullmatch(entry.name)):
        raise ValueError(f"{entry.name!r} is no name: letters, digits and . _ @ + - are taken, at most 64")
    if not re.fullmatch("[0-9a-f]{64}", entry.sha256):
        raise ValueError(f"{entry.name}: sha256")
    for name in ("requests", "seconds"):
        value = getattr(entry, name)
        if value is not None and not (isinstance(value, int | float) and 0 < value < 1e9):
            raise ValueError(f"{entry.name}: {name} a minute must be above 0, not {value}")
    if not isinstance(entry.read_only, bool):
        raise ValueError(f"{entry.name}: read_only")
    for told in (entry.made, entry.revoked, entry.expires):
        if told is not None:
            _time(told)
    return entry


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
