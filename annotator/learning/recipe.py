"""A training run from one configuration file: data, network, losses and phases.

A phase with a frozen encoder trains from feature banks (built on first use, kept in the run's folder); a phase that
moves all of the encoder reads crops. Phases follow each other; each can be interrupted and resumed.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import torch

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.learning import distributed
from annotator.learning.calibration import calibrate, described
from annotator.learning.data.bank import FeatureBank
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.data.sources import BankSource, CropSet, CropSource, Source, in_batches
from annotator.learning.losses import LossWeights
from annotator.learning.old_names import with_new_names
from annotator.learning.trainer import Trainer, TrainSettings
from annotator.network.checkpoint import load_checkpoint, resolve_device, save_checkpoint
from annotator.network.glfnet import GLFNet, GLFNetConfig


@dataclass(frozen=True)
class DataPart:
    """One set of a recipe. kind: 'rendered' (shards of synthetic photos) or 'photos' (a keypoint table).

    share: its part of every batch; bank: how many samples its feature bank holds (0 = one of each). joint_trust: factor
    on the weight of a table's 3-D joints: a teacher's depth is worth less than its keypoints. phases: the phases that
    see the set (none named = all).
    """

    kind: str
    folder: str
    share: float = 1.0
    bank: int = 0
    joint_trust: float = 1.0
    phases: tuple[str, ...] = ()

    def crops(self, root: Path) -> CropSet:
        folder = root / self.folder
        if self.kind == "rendered":
            return RenderedCrops(folder)
        if self.kind == "photos":
            return KeypointPhotos(folder, joint_trust=self.joint_trust)
        raise InputError(f"data kind '{self.kind}' is unknown: expected 'rendered' or 'photos'")


@dataclass(frozen=True)
class Calibrating:
    """At the end sigmas are fitted on `count` rendered photos of a folder that no phase has seen."""

    folder: str
    count: int = 1000


@dataclass(frozen=True)
class Recipe:
    """A whole run: network, losses, data and phases (name -> settings); calibration: None leaves sigmas as they were
    learned; card: what the checkpoint says of itself."""

    data: tuple[DataPart, ...]
    phases: dict[str, TrainSettings]
    network: GLFNetConfig = field(default_factory=GLFNetConfig)
    losses: LossWeights = field(default_factory=LossWeights)
    calibration: Calibrating | None = None
    card: dict = field(default_factory=dict)

    @staticmethod
    def read(path: str | Path | None) -> Recipe:
        """From a TOML file; None is the recipe of the shipped checkpoint. InputError names what is wrong."""
        source = files("annotator.learning") / "configs" / "default.toml" if path is None else Path(path)
        # no TOML, no UTF-8, a number of thousands of digits
        with reading(str(source), "is no TOML of a training configuration", ValueError, RecursionError):
            raw = tomllib.loads(source.read_text(encoding="utf-8"))
        try:
            data, phases = raw["data"], table(raw["phases"], "phases")
            if not isinstance(data, list):
                raise InputError("data is no list of tables ([[data]])")
            return Recipe(
                data=tuple(make(DataPart, part, "data") for part in data),
                phases={name: phase(part, f"phases.{name}") for name, part in phases.items()},
                network=make(GLFNetConfig, raw.get("network", {}), "network"),
                losses=make(LossWeights, raw.get("losses", {}), "losses"),
                calibration=make(Calibrating, raw["calibration"], "calibration") if "calibration" in raw else None,
                card=dict(table(raw.get("card", {}), "card")),
            )
        except KeyError as error:
            raise InputError(f"training configuration {source} lacks [{error.args[0]}]") from error
        except InputError as error:
            raise InputError(f"training configuration {source}: {error}") from None


# how a setting's field is declared -> what it may be, in words
_KINDS = {
    "int": "a whole number",
    "float": "a finite number",
    "bool": "true or false",
    "str": "a text",
    "dict": "a table",
    "tuple[str, ...]": "a list of texts",
    "tuple[int, ...]": "a list of whole numbers",
}


def _fits(value: object, kind: str) -> bool:
    """Whether a value of a file is of the kind that a field is declared as; what is not in `_KINDS` may be anything."""
    if kind.startswith("tuple["):
        return isinstance(value, list) and all(_fits(one, kind[6:9]) for one in value)
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
    simple = {"bool": bool, "str": str, "dict": dict}
    return kind not in simple or isinstance(value, simple[kind])


def table(value, where: str) -> dict:
    """The value itself; InputError if it is no table."""
    if not isinstance(value, dict):
        raise InputError(f"{where} is {str(value)[:40]!r}, expected a table")
    return value


def phase(values: dict, where: str) -> TrainSettings:
    """A phase from a table of the file, also of one that was written with the settings' old names."""
    return make(TrainSettings, with_new_names(table(values, where), f"[{where}]"), where)


def make(record, values: dict, where: str):
    """A dataclass from a table of the file; unknown names and values of another kind are errors, not silence."""
    known = {f.name: str(f.type) for f in dataclasses.fields(record)}
    for name, value in table(values, where).items():
        if name not in known:
            raise InputError(f"[{where}] has no setting '{name}' (known: {', '.join(sorted(known))})")
        if not _fits(value, known[name]):
            expected = _KINDS.get(known[name], "something else")
            raise InputError(f"[{where}] {name} is {str(value)[:40]!r}, expected {expected}")
    try:
        return record(**values)
    except TypeError as error:
        raise InputError(f"[{where}]: {error}") from error


def run(
    recipe: Recipe,
    data: Path,
    out: Path,
    device: str | None = None,
    start: Path | None = None,
    progress=None,
    say=print,
) -> Path:
    """Runs the recipe in folder `out` with data below `data`; returns the last phase's checkpoint.

    start: a checkpoint to begin from (its network replaces the recipe's). Phases that are finished are skipped, one
    that was interrupted goes on. progress: called with (phase, step, steps, numbers). Several processes that train
    together (`annotator.learning.distributed`) each call this with the same arguments, `out` on a file system they
    share.
    """
    target = distributed.own_device(resolve_device(device))
    first = distributed.processes().first
    say = say if first else lambda _: None
    progress = progress if first else None
    torch.manual_seed(next((phase.seed for phase in recipe.phases.values()), 0))  # the same run, the same first weights
    network = GLFNet(recipe.network) if start is None else load_checkpoint(start)[0]
    out.mkdir(parents=True, exist_ok=True)
    if recipe.calibration is not None:
        RenderedCrops(data / recipe.calibration.folder)  # what is missing is said now, not after hours
    last = None
    for name, settings in recipe.phases.items():
        folder = out / name
        network.train()
        parts = [part for part in recipe.data if not part.phases or name in part.phases]
        if not parts:
            raise InputError(f"[phases.{name}] has no data: every [[data]] names other phases")
        with distributed.first_before_others():
            source = source_of(parts, data, out, network, settings, say)
        card = {"trained_by": "annotator train", "phase": name, "supervision": "2-D and 3-D keypoints only, no mesh"}
        trainer = Trainer(network, source, folder, settings, recipe.losses, target, card)
        if trainer.resume():
            say(f"{name}: goes on at step {trainer.step} of {settings.steps}")
        network = trainer.run(None if progress is None else lambda *numbers, name=name: progress(name, *numbers))
        last = folder / "checkpoint.safetensors"
    final = out / "checkpoint.safetensors"
    if first:
        network, card = network.cpu(), load_checkpoint(last)[1] | recipe.card
        if recipe.calibration is not None:
            say(f"fitting sigmas on {recipe.calibration.count} photos of {recipe.calibration.folder}")
            factors = calibrate(network, data / recipe.calibration.folder, recipe.calibration.count)
            card["sigma"] = described(factors, recipe.calibration.count)
        save_checkpoint(final, network, card)
    distributed.wait()
    return final


def source_of(parts: list[DataPart], data: Path, out: Path, network: GLFNet, settings: TrainSettings, say) -> Source:
    """Banks of whatever of the encoder does not learn; crops where all of it does."""
    shares = [part.share for part in parts]
    if settings.encoder_learning_rate > 0 and not network.encoder.kept_stem:
        return CropSource([part.crops(data) for part in parts], shares)
    banks = []
    for part in parts:
        folder = out / "banks" / part.folder.replace("/", "-")
        if FeatureBank.there(folder):
            banks.append(FeatureBank(folder))
            continue
        crops = part.crops(data)
        count = part.bank or len(crops)
        say(f"computing the encoder's features of {count} crops of {part.folder}")
        network.encoder.eval()
        banks.append(FeatureBank.build(folder, network.encoder.stem, in_batches(crops, count), count))
    return BankSource(banks, shares)
