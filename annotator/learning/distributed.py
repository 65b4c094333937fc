"""Several processes that train one network: PyTorch's DistributedDataParallel (Li et al. 2020), and what goes with it.

Nobody passes ranks about: `processes()` asks torch. One process without a group is rank 0 of 1 and all of this costs
nothing. A launcher that has joined the processes already (Ray Train, say) is used as it is; under `torchrun` `launched`
joins them. All processes see one file system: the first writes, the others read.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn

from annotator.errors import InputError

# The others wait while the first reads a data set or computes a feature bank; a dead process ends the rest by itself.
PATIENCE = timedelta(hours=6)


class Processes(NamedTuple):
    """This process among those that train together. rank: 0 .. world - 1; local: its number on this machine."""

    rank: int = 0
    world: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def shares(self, parts: int) -> range:
        """Which of a batch's `parts` are this process's. InputError where they do not divide evenly."""
        if parts % self.world:
            raise InputError(f"a batch of {parts} parts cannot be shared by {self.world} processes evenly")
        each = parts // self.world
        return range(self.rank * each, (self.rank + 1) * each)


def processes() -> Processes:
    """Where this process stands now."""
    if not (dist.is_available() and dist.is_initialized()):
        return Processes()
    return Processes(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_RANK", 0)))


@contextmanager
def launched(device: torch.device | str = "cpu") -> Iterator[Processes]:
    """Joins the processes that `torchrun` started (gloo on a CPU, NCCL on GPUs) and leaves them at the block's end.

    Without `torchrun`, or where a group exists already, nothing is joined or left. A launcher's SIGTERM is taken as
    Ctrl-C, so that a run saves before it ends.
    """
    if not dist.is_available() or dist.is_initialized() or not dist.is_torchelastic_launched():
        yield processes()
        return
    cuda = torch.device(device).type == "cuda"
    if cuda:
        torch.cuda.set_device(own_device(device))
    dist.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield processes()
    finally:
        signal.signal(signal.SIGTERM, before)
        dist.destroy_process_group()


def _stop(*_) -> None:
    raise KeyboardInterrupt


def own_device(device: torch.device | str) -> torch.device:
    """The device of this process: on a machine with several GPUs each process has its own."""
    device = torch.device(device)
    if device.type == "cuda" and device.index is None and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]) % max(1, torch.cuda.device_count()))
    return device


@contextmanager
def first_before_others() -> Iterator[Processes]:
    """The first process runs the block while the others wait, then they run it: for files made once and read by all."""
    here = processes()
    if not here.first:
        dist.barrier()
    yield here
    if here.first and here.world > 1:
        dist.barrier()


def wait() -> None:
    """Until all processes are here."""
    if processes().world > 1:
        dist.barrier()


def together(module: nn.Module) -> nn.Module:
    """`module` with the gradients of all processes averaged in every backward pass; itself where there is one process.

    Running statistics are not averaged: those of the first process are saved.
    """
    if processes().world == 1:
        return module
    # a switch of the network can leave parameters without gradients
    return nn.parallel.DistributedDataParallel(module, broadcast_buffers=False, find_unused_parameters=True)


def as_first(module: nn.Module) -> None:
    """Every process gets the first one's weights."""
    if processes().world > 1:
        for tensor in (*module.parameters(), *module.buffers()):
            dist.broadcast(tensor.data, 0)


def mean(values: Tensor) -> Tensor:
    """The mean of `values` over the processes, without a gradient."""
    here = processes()
    if here.world == 1:
        return values
    values = values.detach().clone()
    dist.all_reduce(values)
    return values / here.world


def agreed(answer: bool, device: torch.device | str = "cpu") -> bool:
    """The first process's answer, in all of them: clocks differ, and who stops alone leaves the others waiting."""
    if processes().world == 1:
        return answer
    flag = torch.tensor([float(answer)], device=device)
    dist.broadcast(flag, 0)
    return bool(flag.item())


def check_same(value: int, what: str, device: torch.device | str = "cpu") -> None:
    """InputError, in all processes, where they differ in `value`."""
    if processes().world > 1:
        both = torch.tensor([value, -value], dtype=torch.int64, device=device)
        dist.all_reduce(both, op=dist.ReduceOp.MAX)
        if both[0] != -both[1]:
            raise InputError(f"{what} differs between the processes: {-int(both[1])} and {int(both[0])}")
