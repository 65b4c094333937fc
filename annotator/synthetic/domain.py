"""Where synthetic photos are taken: everyday rooms (what the shipped model learned from), or a place it has not seen.

`workshop`: hands around tools and things, in patterned gloves or blotched skin, long sleeves, things in the way,
coloured lamps with little light around them, cameras close by and looking along the fingers. For experiments on a
changed domain; the everyday domain draws nothing from here, so that its sets stay what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotator.errors import InputError
from annotator.synthetic.render import Lights
from annotator.synthetic.view import turn

SITES = 4711  # seed of what sites look like


@dataclass(frozen=True)
class Domain:
    """What differs from everyday photos. Chances 0..1: gloves, blotches (smeared skin), sleeve, solid (a held thing is
    shown), stray (something in the way), second (another hand near), along (a view along the fingers); lamps: how
    coloured and contrasty the light is, 0..1; nearest, farthest: focal length over half the crop's side; poses: kind
    (`poses.KINDS`) -> share, None: all kinds as everywhere; sites: each kind of pose is at home at so many sites, the
    first the busiest, and a site has its own gloves or skin, lamps, view and background (0: every photo is a place of
    its own); degraded: the chance that lens, sensor and compression spoil a photo.
    """

    name: str = "everyday"
    gloves: float = 0.0
    blotches: float = 0.0
    sleeve: float = 0.5
    solid: float = 0.85
    stray: float = 0.09
    second: float = 0.12
    along: float = 0.0
    lamps: float = 0.0
    nearest: float = 3.0
    farthest: float = 14.0
    poses: Mapping[str, float] | None = None
    sites: int = 0
    degraded: float = 1.0

    def site(self, seed: Sequence[int], kind: int) -> int:
        """Which of its kind's sites the sample with this seed (set's seed, number) is at; 0 where there are none."""
        if not self.sites:
            return 0
        chances = 0.3 ** np.arange(self.sites)
        return int(np.random.default_rng([*seed, SITES]).choice(self.sites, p=chances / chances.sum()))

    def site_of(self, rng: np.random.Generator, seed: Sequence[int], kind: int) -> np.random.Generator:
        """The generator of what a site shares: always the same for a site; `rng` itself where there are none."""
        return np.random.default_rng([SITES, kind, self.site(seed, kind)]) if self.sites else rng


# hands at work: around handles and boxes, fingertips on small things
TOOLS = {"grasp_cylinder": 0.45, "grasp_box": 0.2, "grasp_sphere": 0.1, "pinch": 0.15, "hook": 0.05, "claw": 0.05}
DOMAINS = {
    domain.name: domain
    for domain in (
        Domain(),
        Domain("workshop", 0.45, 0.6, sleeve=0.9, solid=1.0, stray=0.3, second=0.15, along=0.45, lamps=0.8, nearest=2.6,
               farthest=6.0, poses=TOOLS, sites=2, degraded=0.4),
    )
}  # fmt: skip


def domain_of(name: str) -> Domain:
    """The domain of this name; InputError if there is none."""
    if name not in DOMAINS:
        raise InputError(f"unknown domain {name!r}: expected one of {', '.join(DOMAINS)}")
    return DOMAINS[name]


def dressed(rng: np.random.Generator, look: dict, cloth: dict, domain: Domain) -> dict:
    """A hand's look (uniforms of the shader) in this domain: in gloves of `cloth`, smeared, or as it is."""
    if domain.gloves and rng.random() < domain.gloves:
        return look | cloth | {"mottle": rng.uniform(0, 0.2)}
    if domain.blotches and rng.random() < domain.blotches:
        smear = np.clip(rng.beta(1.0, 2.0, 3), 0.01, 0.9)
        return look | {
            "second": smear,
            "mottle": rng.uniform(0.3, 0.9),
            "gloss": 60.0,
            "specular": rng.uniform(0.2, 0.8),
        }
    return look


def relit(rng: np.random.Generator, lights: Lights, exposure: float, domain: Domain) -> tuple[Lights, float]:
    """The lights under coloured lamps; at least one from the side or below, little light around."""
    if not domain.lamps:
        return lights, exposure
    tint = np.clip(1 + domain.lamps * rng.normal(0, 0.55, (3, 3)), 0.15, 2.2)
    side = rng.normal(size=3) * (1.0, 1.0, 0.35)
    directions = lights.directions.copy()
    directions[0] = side / np.linalg.norm(side)
    dim = 1 - 0.6 * domain.lamps
    cast = np.clip(1 + domain.lamps * rng.normal(0, 0.3, 3), 0.3, 1.8)
    changed = replace(
        lights, directions=directions, colours=lights.colours * tint * 1.3, sky=lights.sky * dim * cast,
        ground=lights.ground * dim * cast, shadow=1.0,
    )  # fmt: skip
    return changed, float(np.clip(exposure * rng.lognormal(0.1, 0.35), 0.4, 2.6))


def turned(rng: np.random.Generator, rotation: np.ndarray, frame: np.ndarray, domain: Domain) -> np.ndarray:
    """The hand's rotation (3,3), or, by chance, one with the fingers toward or away from the camera.

    frame rows: the rest hand's radial, along, palmar axes; rng: the site's."""
    if not domain.along or rng.random() >= domain.along:
        return rotation
    away = np.array([0.0, 0.0, 1.0 if rng.random() < 0.6 else -1.0])
    up = np.array([0.0, -1.0 if rng.random() < 0.5 else 1.0, 0.0])
    target = np.stack([np.cross(away, up), away, up])  # radial = along x palmar
    tilt = turn(np.array([1.0, 0, 0]), rng.normal(0, 0.35)) @ turn(np.array([0, 1.0, 0]), rng.normal(0, 0.35))
    return turn(np.array([0, 0, 1.0]), rng.uniform(-np.pi, np.pi)) @ tilt @ target.T @ frame
