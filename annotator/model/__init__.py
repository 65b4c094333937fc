"""The model as a user meets it: a photo in, hand meshes out; corrections in, a better mesh out."""

from annotator.model.loading import load_model
from annotator.model.model import Model

__all__ = ["Model", "load_model"]
