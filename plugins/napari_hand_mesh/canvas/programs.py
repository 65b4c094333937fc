"""Lines that move keep their shader program.

vispy gives a mesh, which is what napari draws vectors with, a new function for its colours whenever its data change,
and so builds, compiles and links its program anew: while a keypoint is dragged that is a third of each picture on
software OpenGL. One function that does nothing is as good as the other, so all get the same.
"""

from __future__ import annotations

import functools

from vispy.visuals.mesh import MeshVisual


def keep_programs() -> None:
    """From now on, for all meshes of this process; a vispy that is built otherwise is left as it is."""
    make = getattr(MeshVisual, "_build_color_transform", None)
    if make is None or hasattr(make, "__wrapped__"):
        return
    plain = []

    @functools.wraps(make)
    def kept(self, colors):
        if colors.ndim == 2 and colors.shape[1] == 1:  # numbers, which go through a colour map
            return make(self, colors)
        if not plain:
            plain.append(make(self, colors))
        return plain[0]

    MeshVisual._build_color_transform = kept
