"""Keypoints, lines of sight and other hands over a picture from the side, in pixels of the screen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPen

from annotator.hand.joints import BONES
from annotator.vision.drawing.skeleton import KEYPOINT_COLOURS

DISC, CHOSEN = 4.0, 6.5  # px, radius, in a picture that is LARGE px a side; smaller in smaller ones
LARGE = 320
DARK, LIGHT, SIGHT = QColor(15, 15, 15), QColor(255, 255, 255), QColor(90, 90, 200, 160)
GHOST, LOOKED_AT = QColor(120, 120, 120, 170), QColor(205, 120, 0)


def paint_bones(painter: QPainter, places: np.ndarray, looked_at: bool) -> None:
    """Another hand that looks the same in the photo; places (21, 2) px."""
    painter.setPen(QPen(LOOKED_AT if looked_at else GHOST, 2.2 if looked_at else 1.2, Qt.PenStyle.DashLine))
    for a, b in BONES:
        painter.drawLine(QPointF(*places[a]), QPointF(*places[b]))


def paint_joints(
    painter: QPainter, places: np.ndarray, joints: np.ndarray, said: Sequence[int], chosen: Sequence[int], side: int
) -> None:
    """places (21, 2) px: where a person or the mesh has each joint; joints (21, 2) px: where the mesh has it; said:
    those whose depth a person gave; chosen: those under the mouse, pulled, or being put in order; side: px, of the
    picture."""
    small = min(side / LARGE, 1.0)
    painter.setPen(QPen(DARK, small))
    for a, b in BONES:
        painter.drawLine(QPointF(*joints[a]), QPointF(*joints[b]))
    for joint, place in enumerate(places):
        if joint in said:
            painter.setPen(QPen(DARK, 1.4, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(*place), QPointF(*joints[joint]))
        finger = QColor(*KEYPOINT_COLOURS[joint])
        painter.setPen(QPen(finger if joint in said else DARK, (2.0 if joint in said else 1.0) * max(small, 0.5)))
        painter.setBrush(LIGHT if joint in said else finger)
        radius = CHOSEN if joint in chosen else DISC * small
        painter.drawEllipse(QPointF(*place), radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_sight(painter: QPainter, near: np.ndarray, far: np.ndarray) -> None:
    """The line of sight from the photo's camera through a joint: along it the joint keeps its place in the photo."""
    painter.setPen(QPen(SIGHT, 1.6, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(*near), QPointF(*far))
