"""One run of the active-learning experiment: a strategy spends its corrections in stages, and learns after each.

Questions are of whole hands (every visible keypoint is corrected) or of joints (the few whose correction is expected to
help most, by `correcting.next_keypoint.expected_gain`; at random for `random joints`). The simulated person clicks with
1.5 px of noise. After each stage the network is trained anew from the shipped checkpoint on all answers so far, with
replay; everything behind the encoder learns (its features are computed once). The next stage is chosen by the network
so trained.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from worlds.active import OLD, Photos, over_sites, vertex_mm

from annotator.correcting.next_keypoint import expected_gain
from annotator.correcting.plausibility import measures
from annotator.hand.mesh import HandMesh
from annotator.learning.data.sources import BankSource
from annotator.learning.trainer import Trainer, TrainSettings
from annotator.network.crop_camera import CropView
from annotator.network.glfnet import Answer, GLFNet
from annotator.network.hand_meshes import CachedFeatures, HandMeshes
from annotator.network.parametric import Estimate
from annotator.rounds.retraining.training import LOSSES
from annotator.rounds.selection.candidates import Candidates
from annotator.rounds.selection.disagreement import without_landmarks
from annotator.rounds.selection.strategies import choose
from annotator.rounds.trials.trial_projects import camera_of
from annotator.vision.crops import MIDDLE, Crop

NOISE = 1.5  # px, a person's click
LOOK, CLICK = 6.0, 2.5  # simulated seconds: to take in a hand, and for each keypoint


@dataclass(frozen=True)
class Way:
    """How corrections are spent. strategy: of `rounds.strategies`; joints: asked of each hand, 0 = all visible ones."""

    strategy: str
    joints: int = 0


@dataclass(frozen=True)
class Budget:
    """stages: corrections after which it learns; pool, test: hands a seed sees; steps, batch, rate: of each
    training."""

    stages: tuple[int, ...] = (60, 120, 240)
    pool: int = 600
    test: int = 300
    steps: int = 250
    batch: int = 20
    rate: float = 3e-4


WAYS = {
    "random": Way("random"),
    "random joints": Way("random", 3),
    "uncertainty": Way("uncertainty"),
    "core-set": Way("core-set"),
    "weighted-core-set": Way("weighted-core-set", 3),
}


class Answers:
    """What a person has said so far, as a bank: row -> keypoints (21, 2) px with weights (21,)."""

    def __init__(self, data: Photos):
        self.data, self.rows = data, []
        self.said: dict[int, dict[int, np.ndarray]] = {}

    def add(self, row: int, joint: int, place: np.ndarray) -> None:
        if row not in self.said:
            self.rows.append(row)
        self.said.setdefault(row, {})[joint] = place

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, index: torch.Tensor):
        rows = np.array(self.rows)[index.numpy()]
        features, labels = self.data.batch(rows)
        points, weights = labels.keypoints.clone(), torch.zeros(len(rows), 21)
        for at, row in enumerate(rows):
            for joint, place in self.said[row].items():
                points[at, joint] = torch.from_numpy(place)
                weights[at, joint] = (21 / len(self.said[row])) ** 0.5  # as in `rounds.samples.table_of`
        return features, labels._replace(
            keypoints=points,
            keypoint_weight=weights,
            visible=(weights > 0).float(),
            joint_weight=torch.zeros(len(rows), 21),
            exact=torch.zeros(len(rows)),
        )


class Rest:
    """Replay: what the network knew before, without its test."""

    def __init__(self, data: Photos):
        self.data = data

    def __len__(self) -> int:
        return len(self.data) - OLD

    def batch(self, index: torch.Tensor):
        return self.data.bank.batch(index + OLD)


class Learned:
    """Features that are complete: the trainer's `complete` has nothing to do."""

    def __init__(self, network: GLFNet):
        self.network = network
        self.complete = network.encoder.complete

    def __enter__(self):
        self.network.encoder.complete = lambda features: features

    def __exit__(self, *_):
        self.network.encoder.complete = self.complete


def learn(start: GLFNet, sources: list, budget: Budget, folder: Path, seed: int) -> GLFNet:
    """A copy of `start`, trained on the sources in equal shares."""
    network = copy.deepcopy(start).train()
    settings = TrainSettings(
        steps=budget.steps,
        batch=budget.batch,
        learning_rate=budget.rate,
        warmup=8,
        ema_decay=0.98,
        simulated=0.8,
        drop_landmarks=0.1,
        drop_image=0.1,
        seed=seed,
        prompts=False,
        save_every=1e9,
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("state.safetensors", "checkpoint.safetensors", "log.csv"):
        (folder / name).unlink(missing_ok=True)
    with Learned(network):
        trained = Trainer(network, BankSource(sources, [1.0] * len(sources)), folder, settings, LOSSES).run()
    return trained.eval()


@torch.inference_mode()
def described(network: GLFNet, data: Photos, rows: np.ndarray, taught: list[int], full: bool) -> Candidates:
    """The rows as `Candidates`; full: also how plausible they are, and how views differ (with and without landmarks:
    features of turned crops are not kept)."""
    records = HandMeshes(network.hand)
    found: dict[str, list] = {name: [] for name in ("gains", "sigma", "stages", "views", "severity", "features")}
    for start in range(0, len(rows), 50):
        part = rows[start : start + 50]
        features, labels = data.batch(part)
        answer = network.answer(features, labels.projection, labels.focal)
        unled = network.answer(without_landmarks(features), labels.projection, labels.focal) if full else answer
        found["features"] += list(answer.parametric.hidden.numpy())
        for at in range(len(part)):
            hand = mesh_of(records, answer, at, float(labels.focal[at]))
            other = mesh_of(records, unled, at, float(labels.focal[at])).keypoints if full else hand.keypoints
            apart = np.linalg.norm(other - hand.keypoints, axis=1)
            found["gains"].append(expected_gain(hand, network.hand, seen_states(data, part[at]), disagreement=apart))
            found["sigma"].append(float(np.median(hand.keypoint_sigma)))
            found["stages"].append(float(np.linalg.norm(hand.keypoints - hand.parametric.keypoints, axis=1).mean()))
            found["severity"].append(max(r.severity for r in measures(hand, network.hand)) if full else 0.0)
            found["views"].append(float(apart.mean()))
    known = []
    if taught:
        features, labels = data.batch(np.array(taught))
        known = network.parametric(features, labels.focal).hidden.numpy()
    width = len(found["features"][0])
    return Candidates(
        ids=tuple(str(row) for row in rows),
        taught=np.array(known).reshape(-1, width),
        **{n: np.array(v) for n, v in found.items()},
    )


def mesh_of(records: HandMeshes, answer: Answer, at: int, focal: float) -> HandMesh:
    """Hand `at` of an answer in its rendered photo, without features."""
    crop, K = Crop(MIDDLE, MIDDLE, 224.0), camera_of(focal)
    kept = CachedFeatures(None, Estimate(*(f[at : at + 1] for f in answer.parametric)), CropView.of(crop, K), crop)
    return records.of(answer, at, kept, K, "right", 1.0, {}).replace(features=None)


def seen_states(data: Photos, row: int) -> dict[int, str]:
    """A person would not be asked for what nobody sees: hidden keypoints are occluded."""
    return {int(k): "occluded" for k in np.flatnonzero(~data.visible[row])}


def ask(way: Way, gains: np.ndarray, visible: np.ndarray, random: np.random.Generator) -> list[int]:
    """The joints to ask for in one hand."""
    seen = np.flatnonzero(visible)
    if not way.joints:
        return random.permutation(seen).tolist()
    order = random.permutation(seen) if way.strategy == "random" else seen[np.argsort(-gains[seen], kind="stable")]
    return order[: way.joints].tolist()


def run(name: str, start: GLFNet, world: dict[str, Photos], out: Path, budget: Budget, seed: int, say=print) -> dict:
    """The run's errors after each stage; kept in `out`, so that a finished run is not run again."""
    path = out / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}.json"
    spending = json.loads(json.dumps(asdict(budget)))
    done = json.loads(path.read_text()) if path.exists() else {"budget": spending, "stages": []}
    if done["budget"] != spending:
        raise SystemExit(f"{path} is of another budget")
    if len(done["stages"]) == len(budget.stages) + 1:
        return done
    way, pool = WAYS[name], world["pool"]
    draw = np.random.default_rng([seed, 1])
    rows = np.sort(draw.permutation(len(pool))[: budget.pool])
    clicks = pool.bank.labels.keypoints.numpy() + draw.normal(0, NOISE, (len(pool), 21, 2)).astype(np.float32)
    answers, network, stages = Answers(pool), start, []
    for number, corrections in enumerate((0, *budget.stages)):
        if number:
            random = np.random.default_rng([seed, number])
            spend(way, network, pool, rows, clicks, answers, corrections, random)
            network = learn(start, [answers, Rest(world["replay"])], budget, out / f"training-{seed}", seed)
        stages.append(scored(network, world, budget, answers))
        done["stages"] = stages
        path.write_text(json.dumps(done))
        say(
            f"{name}, seed {seed}: {stages[-1]['corrections']} corrections, {stages[-1]['site_mm']:.2f} mm, old "
            f"{stages[-1]['old_mm']:.2f}"
        )
    return done


def spend(way, network, pool, rows, clicks, answers: Answers, corrections: int, random) -> None:
    """Ask until so many corrections are there; the last hand's are cut short."""
    left = corrections - sum(len(said) for said in answers.said.values())
    open_rows = np.array([row for row in rows if row not in answers.said])
    if way.strategy == "random":
        order, gains = random.permutation(len(open_rows)), np.zeros((len(open_rows), 21))
    else:
        candidates = described(network, pool, open_rows, answers.rows, way.strategy == "weighted-core-set")
        per_hand = way.joints or 7
        chosen = choose(way.strategy, candidates, min(len(open_rows), left // per_hand + 2), random)
        order, gains = [one.index for one in chosen], candidates.gains
    for index in order:
        for joint in ask(way, gains[index], pool.visible[open_rows[index]], random):
            if left <= 0:
                return
            answers.add(int(open_rows[index]), int(joint), clicks[open_rows[index], joint])
            left -= 1


def scored(network: GLFNet, world: dict[str, Photos], budget: Budget, answers: Answers) -> dict:
    """Errors on the test photos and on what was known before."""
    rows = np.arange(budget.test)
    errors = vertex_mm(network, world["test"], rows)
    count = sum(len(said) for said in answers.said.values())
    return {
        "corrections": count,
        "hands": len(answers),
        "seconds": LOOK * len(answers) + CLICK * count,
        "site_mm": over_sites(errors, world["test"].site[rows]),
        "mean_mm": float(errors.mean()),
        "old_mm": float(vertex_mm(network, world["replay"], np.arange(OLD)).mean()),
        "errors": np.round(errors, 4).tolist(),
    }
