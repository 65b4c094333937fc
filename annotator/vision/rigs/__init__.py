"""Rigs: several calibrated cameras, from whatever calibration file there is."""

from annotator.vision.rigs.camera import RigCamera
from annotator.vision.rigs.rig import Rig

__all__ = ["Rig", "RigCamera"]
