"""Which engine does the work: this process (`local`), Ray on this machine (`ray`), or a cluster (`ray://HOST:PORT`)."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from annotator.errors import InputError

LOCAL = "local"
# times a cluster is asked to start a server for this client: about one in ten of Ray's heads loses the first one as it
# starts, and a busy one gives up on it after half a minute
JOINS = 5


@dataclass(frozen=True)
class Engine:
    """Where Ray is and what of it is used.

    address: None starts Ray on this machine alone (or joins the cluster that RAY_ADDRESS names); workers: model actors,
    0 = as many as the cluster has room for; cpus, gpus: what each of them reserves (gpus may be a fraction).
    """

    address: str | None = None
    workers: int = 0
    cpus: float = 1.0
    gpus: float = 0.0

    @contextlib.contextmanager
    def connected(self) -> Iterator:
        """Ray, joined for the time of the block. InputError: it is not installed, or nobody answers there."""
        ray = needed("ray")
        if ray.is_initialized():
            yield ray
            return
        address = self.address or os.environ.get("RAY_ADDRESS")
        settings = {"log_to_driver": False, "logging_level": "ERROR"}
        if (
            not address
        ):  # Ray's own workers would give way to everything else on this machine: they are why it was asked
            os.environ.setdefault("RAY_worker_niceness", "0")
        try:
            # "local": without it Ray joins what it finds on this machine, also what is left of a head that was killed
            if address:
                _join(ray, address, settings)
            else:
                ray.init("local", include_dashboard=False, **settings)
        except Exception as error:  # Ray's own kinds are many, some plain `Exception`s
            hint = " (one that asks for a token wants RAY_AUTH_MODE=token here)" if address else ""
            raise InputError(f"engine {address or 'ray'}: no Ray cluster answers{hint}: {error}") from error
        try:
            yield ray
        finally:
            ray.shutdown()

    def actors(self, ray) -> int:
        """How many model actors: as asked for, or as many as fit. InputError where not even one does."""
        total = ray.cluster_resources()
        fit = min(int(total.get(name, 0) // each) for name, each in (("CPU", self.cpus), ("GPU", self.gpus)) if each)
        if fit < 1:
            raise InputError(f"the cluster has no room for one worker of {self.cpus:g} CPUs and {self.gpus:g} GPUs")
        return min(self.workers or fit, fit)


def _join(ray, address: str, settings: dict) -> None:
    """Ray as a client of a cluster. What Ray raises, if the head could not start this client's server `JOINS` times."""
    for left in reversed(range(JOINS)):
        try:
            ray.init(address=address, **settings)
            return
        except ConnectionAbortedError:
            if not left:
                raise
            ray.shutdown()  # what is half joined would be in the way of the next try


def parse_engine(text: str, workers: int = 0, cpus: float = 1.0, gpus: float = 0.0) -> Engine | None:
    """The engine of a command's options; None is this process. InputError names what is wrong."""
    if text == LOCAL:
        return None
    if text == "ray":
        return Engine(None, workers, cpus, gpus)
    if re.fullmatch(r"ray://[^\s/:]+:\d{1,5}", text):
        return Engine(text, workers, cpus, gpus)
    raise InputError(f"unknown engine {text!r}: expected local, ray or ray://HOST:PORT")


def needed(name: str):
    """A module of Ray. InputError naming the extra where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"this engine needs Ray: pip install 'hand-mesh-annotator[cluster]' ({error})") from error
