"""What a reader took for something that the data set does not say outright: remarked, counted, and told in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_REMARKS: ContextVar[Counter | None] = ContextVar("remarks", default=None)


@contextmanager
def remarking() -> Iterator[Counter]:
    """While this lasts readers count here what they remark: {text: how often}."""
    counts: Counter = Counter()
    mark = _REMARKS.set(counts)
    try:
        yield counts
    finally:
        _REMARKS.reset(mark)


def remark(text: str, count: int = 1) -> None:
    """Say that `text` is so of `count` more things; nowhere, unless somebody is `remarking`."""
    remarks = _REMARKS.get()
    if remarks is not None and count:
        remarks[text] += int(count)


def told(remarks: Counter) -> list[str]:
    """The remarks as lines, the most frequent first."""
    return [f"{count} x {text}" for text, count in remarks.most_common()]
