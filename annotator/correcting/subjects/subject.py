"""The record of a subject: one shape of a hand model with what is not known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.hand.mesh import HandParameters
from annotator.hand.model import HandModel
from annotator.hand.topology import SHAPE as SHAPE_COUNT

# a single hand may differ from its subject by this share of what is not known of it: what it says is in the subject
HELD = 0.3
WIDEST = 10.0  # of each number of shape, and of its sigma: beyond this there is no hand


@dataclass(frozen=True, eq=False)
class Subject:
    """A person's hand, as all their photos have it.

    Attributes
    ----------
    shape : (10,) array
        Numbers of shape of the hand model; a left hand's are those of its mirror image, so both hands share them.
    covariance : (10, 10) array
        What is not known of them: the errors of some numbers go together.
    hand_model : str
        Digest of the hand model whose numbers these are; "": not said.
    hands : int
        Hands that it was estimated from.
    left_out : tuple of int
        Which of them, by their place in the list, hardly counted because they contradict the others.
    sizes : mapping
        What was measured, "length" and "width" in m.
    """

    shape: np.ndarray
    covariance: np.ndarray
    hand_model: str = ""
    hands: int = 0
    left_out: tuple[int, ...] = ()
    sizes: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, shape in (("shape", (SHAPE_COUNT,)), ("covariance", (SHAPE_COUNT, SHAPE_COUNT))):
            try:
                array = np.array(getattr(self, name), dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(f"subject: {name} is no array of numbers: {error}") from None
            if array.shape != shape or not np.isfinite(array).all() or np.abs(array).max() > WIDEST**2:
                raise InputError(f"subject: {name} must be {shape}, finite and plausible, got shape {array.shape}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if np.abs(self.covariance - self.covariance.T).max() > 1e-9 or np.linalg.eigvalsh(self.covariance)[0] <= 0:
            raise InputError("subject: covariance is not symmetric and positive definite")

    @property
    def sigma(self) -> np.ndarray:
        """(10,) one sigma of each number of shape."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def whitening(self) -> np.ndarray:
        """W (10, 10): W d is white for how far d (10,) the shape of one of its hands, solved by itself, may be off."""
        return np.linalg.cholesky(np.linalg.inv(self.covariance)).T / HELD

    def parameters(self, model: HandModel, parameters: HandParameters) -> HandParameters:
        """The parameters of a hand with this subject's shape, and without the displacements of a single photo: all
        photos of a subject show one hand. InputError: the subject is of another hand model."""
        if self.hand_model and self.hand_model != model.digest:
            raise InputError(
                f"this subject was estimated with another hand model than {model.name!r}: estimate it anew"
            )
        return parameters.replace(shape=self.shape, offsets=np.zeros_like(parameters.offsets))

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it."""
        return {
            "shape": self.shape.tolist(), "covariance": self.covariance.tolist(), "hand_model": self.hand_model,
            "hands": self.hands, "left_out": list(self.left_out), "sizes": dict(self.sizes),
        }  # fmt: skip

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Subject:
        """What `as_dict` gave. InputError for anything else."""
        try:
            return Subject(
                values["shape"], values["covariance"], str(values.get("hand_model", "")), int(values.get("hands", 0)),
                tuple(int(k) for k in values.get("left_out", ())),
                {str(name): float(size) for name, size in dict(values.get("sizes", {})).items()},
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"this is no subject: {error}") from None
