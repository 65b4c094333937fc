"""Ray Data and Ray Train from outside a cluster (`ray://HOST:PORT`, Ray Client).

Their drivers work in a process of the cluster alone. So where the connection is a client's, an actor there builds the
pipeline and hands on its blocks one by one, as they are asked for: what holds back the workers in one case does in the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def blocks(ray, build: Callable[..., Any], *arguments: Any) -> Iterator:
    """The blocks (Arrow tables) of the dataset that `build(*arguments)` makes, in a process of the cluster."""
    if not outside(ray):
        yield from _iterated(build(*arguments))
        return
    relay = ray.remote(num_cpus=0)(Relay).remote(build, arguments)
    try:
        coming = relay.next.remote()
        while (block := ray.get(coming)) is not None:
            coming = relay.next.remote()  # the next one is on its way while this one is stored
            yield block
    finally:
        ray.kill(relay)


def inside(ray, work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work(*arguments)` returns, called in a process of the cluster."""
    if not outside(ray):
        return work(*arguments)
    return ray.get(ray.remote(num_cpus=0, max_retries=0)(work).remote(*arguments))


def outside(ray) -> bool:
    """Whether this process is a client of the cluster, no part of it."""
    return ray.util.client.ray.is_connected()


class Relay:
    """An actor that is the driver of one dataset."""

    def __init__(self, build: Callable[..., Any], arguments: tuple):
        self.blocks = _iterated(build(*arguments))

    def next(self):
        """The next block; None after the last."""
        return next(self.blocks, None)


def _iterated(dataset) -> Iterator:
    return iter(dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))
