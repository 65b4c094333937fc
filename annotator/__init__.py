"""hand-mesh-annotator: label hands in 3-D. Propose hand meshes on photos, correct keypoints, export pseudo-labels.

>>> import annotator
>>> model = annotator.load_model()
>>> hands = model.propose(photo)
>>> fixed = model.refine(hands[0], {"index_tip": (x, y)})
"""

from __future__ import annotations

from importlib import import_module

from annotator.errors import InputError

__version__ = "0.1.0"

# torch takes seconds to import: only who asks for a model pays
_LAZY = {
    "load_model": "annotator.model",
    "Model": "annotator.model",
    "HandMesh": "annotator.hand.mesh",
    "HandParameters": "annotator.hand.mesh",
    "InFront": "annotator.correcting.depth.evidence",
    "PalmDepths": "annotator.correcting.depth.evidence",
    "PalmDistance": "annotator.correcting.depth.evidence",
    "DepthLabels": "annotator.hand.depth_labels",
    "Depths": "annotator.correcting.depth.evidence",
    "SecondView": "annotator.correcting.depth.evidence",
    "DepthImage": "annotator.vision.images.depth_images",
    "read_depth": "annotator.vision.images.depth_images",
    "JointDefinition": "annotator.hand.definitions",
    "learn_definition": "annotator.correcting.defining",
    "estimate_subject": "annotator.correcting.subjects.estimating",
    "Subject": "annotator.correcting.subjects.subject",
    "load_hand": "annotator.hand.model",
    "Rig": "annotator.vision.rigs",
    "InstantHand": "annotator.correcting.views",
    "read_photo": "annotator.vision.photos",
    "Project": "annotator.project",
    "track_video": "annotator.tracking",
    "Track": "annotator.tracking",
}

__all__ = ["InputError", "__version__", *_LAZY]


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'annotator' has no attribute '{name}'")
