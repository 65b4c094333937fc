"""The trainer: one loop for CPU and GPU, frozen or learning encoder, with resume, moving average and logs."""

from __future__ import annotations

import csv
import json
import math
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from annotator.errors import InputError
from annotator.files.file_errors import writing
from annotator.files.serialization.tensor_files import opened_safetensors
from annotator.learning import distributed
from annotator.learning.batch_loss import BatchLoss, Part
from annotator.learning.data.disturbing import Disturbance
from annotator.learning.data.sources import Source
from annotator.learning.losses import LossWeights, Supervision
from annotator.network.checkpoint import save_checkpoint, write_tensors
from annotator.network.glfnet import GLFNet


@dataclass(frozen=True)
class TrainSettings:
    """steps: optimiser steps in all; batch: crops a step; learning_rate: peak of everything but the encoder.

    encoder_learning_rate: the encoder's peak, 0 = frozen. warmup: steps of linear warm-up, then half a cosine to 1 % of
    the peak. ema_decay: of the moving average of the weights. simulated and the four after it: see `Disturbance`.
    prompts: False trains without prompts. seconds: stop after that long (0 = never).
    tensorboard: also write the log's numbers for TensorBoard, below the run's folder. parts: a batch is drawn in this
    many equal parts, each with a seed of its own, which the processes share out (0: one each); a run of so many parts
    is the same on any number of processes that divides it. log_every: steps between two lines of the log.
    """

    steps: int = 10_000
    batch: int = 48
    learning_rate: float = 1e-3
    encoder_learning_rate: float = 0.0
    warmup: int = 300
    ema_decay: float = 0.999
    weight_decay: float = 0.02
    clip: float = 1.0
    simulated: float = 0.8
    simulated_real: float = 0.0
    drop_landmarks: float = 0.0
    drop_image: float = 0.0
    mixed_styles: float = 0.0
    prompts: bool = True
    seed: int = 0
    seconds: float = 0.0
    save_every: float = 120.0
    tensorboard: bool = False
    parts: int = 0
    log_every: int = 50


class Trainer:
    """Trains `network` from `source` in `folder`: state.safetensors (resume), log.csv, checkpoint.safetensors.

    Where several processes train together (see `distributed`) each makes one of these, with the same arguments and a
    `source` of the same data; the first one writes. InputError where a batch cannot be shared out evenly.
    """

    def __init__(
        self,
        network: GLFNet,
        source: Source,
        folder: str | Path,
        settings: TrainSettings = TrainSettings(),
        weights: LossWeights = LossWeights(),
        device: torch.device | str = "cpu",
        card: dict | None = None,
    ):
        self.network, self.source, self.settings = network.to(device), source, settings
        self.folder, self.device, self.card = Path(folder), torch.device(device), card or {}
        self.processes = distributed.processes()
        self.parts = settings.parts or self.processes.world
        self.shares = self.processes.shares(self.parts)
        if settings.batch % self.parts:
            raise InputError(f"a batch of {settings.batch} cannot be drawn in {self.parts} equal parts")
        if self.processes.first:
            self.folder.mkdir(parents=True, exist_ok=True)
        distributed.as_first(self.network)
        self.supervision = Supervision(network, weights).to(device)
        learned = settings.encoder_learning_rate > 0
        for parameter in network.encoder.learned().parameters():
            parameter.requires_grad_(learned)
        self.disturbance = Disturbance(**{f.name: getattr(settings, f.name) for f in fields(Disturbance)})
        groups = [{"params": network.head_parameters(), "peak": settings.learning_rate}]
        if learned:
            groups.append(
                {"params": list(network.encoder.learned().parameters()), "peak": settings.encoder_learning_rate}
            )
        self.optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self.average = {n: p.detach().clone() for n, p in network.named_parameters() if p.requires_grad}
        self.step, self.spent = 0, 0.0
        self._board: Any = None  # a SummaryWriter, from the first step on
        self._loss: nn.Module | None = None

    # -- one step ---------------------------------------------------------------------------------------------
    def learning_share(self) -> float:
        """The schedule: the share of the peak rate at this step."""
        s = self.settings
        if self.step < s.warmup:
            return (self.step + 1) / s.warmup
        progress = min(1.0, (self.step - s.warmup) / max(1, s.steps - s.warmup))
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress))

    def train_step(self) -> dict[str, float]:
        if self._loss is None:  # not before: DDP looks at what learns
            disturbance, prompts = self.disturbance, self.settings.prompts
            self._loss = distributed.together(BatchLoss(self.network, self.supervision, disturbance, prompts))
        loss, numbers = self._loss([self.draw(part) for part in self.shares])
        share = self.learning_share()
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * share
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(
            [p for g in self.optimiser.param_groups for p in g["params"]], self.settings.clip
        )
        if torch.isfinite(norm):  # one broken batch must not end a long run
            self.optimiser.step()
            decay = min(self.settings.ema_decay, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                for name, parameter in self.network.named_parameters():
                    if name in self.average:
                        self.average[name].lerp_(parameter.detach(), 1 - decay)
        self.step += 1
        numbers = numbers | {"loss": float(loss.detach())}
        if self.processes.world > 1:
            means = distributed.mean(torch.tensor(list(numbers.values()), device=self.device))
            numbers = dict(zip(numbers, means.tolist(), strict=True))
        return numbers | {"rate": share * self.settings.learning_rate}

    def draw(self, part: int) -> Part:
        """A part of this step's batch; a resumed run draws the same ones, and so does another number of processes."""
        seed = (self.settings.seed, self.step) if self.parts == 1 else (self.settings.seed, self.step, part)
        generator = np.random.default_rng(seed)
        later = int(generator.integers(2**31))
        return Part(*self.source.draw(self.settings.batch // self.parts, generator), later).to(self.device)

    # -- the run ----------------------------------------------------------------------------------------------
    def run(self, progress=None) -> GLFNet:
        """Trains to the last step (or the time limit), saving on the way; returns the averaged network.

        progress: called with (step, steps, numbers) after every step. Ctrl-C saves before it goes on up.
        """
        began = saved = time.monotonic()
        start_spent = self.spent
        running: dict[str, float] = {}
        try:
            while self.step < self.settings.steps:
                numbers = self.train_step()
                for name, value in numbers.items():
                    running[name] = 0.98 * running.get(name, value) + 0.02 * value
                now = time.monotonic()
                self.spent = start_spent + now - began
                if self.step % self.settings.log_every == 0 and self.processes.first:
                    self.log(running)
                if progress is not None:
                    progress(self.step, self.settings.steps, running)
                if now - saved > self.settings.save_every:
                    self.save()
                    saved = now
                if self.settings.seconds and distributed.agreed(self.spent > self.settings.seconds, self.device):
                    break
        finally:
            self.save()
        distributed.wait()  # whoever goes on reads what the first has written
        return self.averaged()

    def log(self, numbers: dict[str, float]) -> None:
        path = self.folder / "log.csv"
        row = {"step": self.step, "seconds": round(self.spent, 1)} | {k: round(v, 6) for k, v in numbers.items()}
        with writing(path), path.open("a", newline="") as file:
            fresh = file.tell() == 0
            writer = csv.DictWriter(file, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        if self.settings.tensorboard:
            if self._board is None:
                from torch.utils.tensorboard import SummaryWriter

                self._board = SummaryWriter(self.folder / "tensorboard")
            for name, value in numbers.items():
                self._board.add_scalar(name, value, self.step)
            self._board.flush()

    def averaged(self) -> GLFNet:
        """The network with the moving average in place of the last weights (a swap: training can go on after)."""
        own = {n: p.detach().clone() for n, p in self.network.named_parameters() if n in self.average}
        self._put(self.average)
        self._own = own
        return self.network

    def restore(self) -> None:
        """Undoes `averaged`."""
        self._put(self._own)

    def _put(self, values: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                if name in values:
                    parameter.copy_(values[name])

    # -- resume -----------------------------------------------------------------------------------------------
    def save(self) -> None:
        """state.safetensors (everything a resume needs) and checkpoint.safetensors (averaged), each atomically; the
        first process's."""
        if not self.processes.first:
            return
        state = {
            f"own.{n}": p.detach().cpu().contiguous() for n, p in self.network.named_parameters() if n in self.average
        }
        state |= {f"average.{n}": p.detach().cpu().clone() for n, p in self.average.items()}
        names = [n for n in self.average]
        parameters = dict(self.network.named_parameters())
        for name in names:
            for key, value in self.optimiser.state.get(parameters[name], {}).items():
                state[f"optimiser.{key}.{name}"] = torch.as_tensor(value).detach().cpu().clone()
        meta = {"step": str(self.step), "spent": str(self.spent), "settings": json.dumps(asdict(self.settings))}
        write_tensors(self.folder / "state.safetensors", state, meta)
        self.averaged()
        card = self.card | {"steps": self.step, "seconds": round(self.spent), "settings": asdict(self.settings)}
        save_checkpoint(self.folder / "checkpoint.safetensors", self.network, card)
        self.restore()

    def resume(self) -> bool:
        """Goes on where the folder's state left off; False if there is none."""
        path = self.folder / "state.safetensors"
        if path.exists():
            self._read(path)
        distributed.check_same(self.step, f"the step that {path} holds", self.device)
        return self.step > 0 or path.exists()

    def _read(self, path: Path) -> None:
        with opened_safetensors(path, "is no state of a training") as file:
            meta = file.metadata()
            keys = set(file.keys())
            expected = {f"own.{n}" for n in self.average}
            if not expected <= keys:
                raise InputError(f"{path} belongs to another network: it lacks {sorted(expected - keys)[:2]}")
            parameters = dict(self.network.named_parameters())
            with torch.no_grad():
                for name in self.average:
                    parameters[name].copy_(file.get_tensor(f"own.{name}"))
                    self.average[name].copy_(file.get_tensor(f"average.{name}"))
            for name in self.average:
                entries = {k: f"optimiser.{k}.{name}" for k in ("step", "exp_avg", "exp_avg_sq")}
                if entries["step"] in keys:
                    self.optimiser.state[parameters[name]] = {
                        k: file.get_tensor(full).to(self.device if k != "step" else "cpu")
                        for k, full in entries.items()
                    }
        self.step, self.spent = int(meta["step"]), float(meta["spent"])
