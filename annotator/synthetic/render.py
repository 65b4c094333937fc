"""OpenGL renderer of synthetic photos: one 224 px crop at a time, off screen, with part labels and depth.

Runs on any OpenGL 3.3 through EGL: a GPU, or Mesa's software rasteriser (no display needed). Shading: up to
three directional lights with wrapped diffuse (skin scatters light past the terminator), Blinn highlights, a
hemisphere of ambient light, and a shadow map for the main light. Colours are computed in linear light and
leave as sRGB.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass, field

import numpy as np

from annotator.synthetic.shaders import DEPTH_VERTEX, FRAGMENT, SHADOW_FRAGMENT, SHADOW_VERTEX, VERTEX
from annotator.synthetic.skin import ATTRIBUTES
from annotator.vision.crop_size import CROP_SIZE

# Rendered at SIZE, then reduced: antialiasing at a software rasteriser's price (4 x multisampling takes 4 x).
SIZE = 288
SHADOW = 256
_STRIDE = 6 + len(ATTRIBUTES)
_NEAR, _FAR = 0.02, 6.0
_MAX_VERTICES, _MAX_INDICES = 16384, 65536


@dataclass(frozen=True, eq=False)
class Piece:
    """A mesh to draw: vertices, normals (n,3) camera frame, metres; faces (f,3); attributes (n,
    len(ATTRIBUTES)); look: uniform name -> value (see the fragment shader); `skin` chooses the material."""

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    attributes: np.ndarray
    look: dict = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Lights:
    """directions (3,3) unit, toward the light, camera frame; colours (3,3) linear; sky, ground (3,) ambient
    colours; shadow: strength 0..1 of the first light's shadow; count: how many of the lights are on."""

    directions: np.ndarray
    colours: np.ndarray
    sky: np.ndarray
    ground: np.ndarray
    shadow: float = 1.0
    count: int = 3


def _triton_first() -> None:
    """Import triton, if torch came with it, before a software OpenGL driver is loaded: both bring an LLVM, and loaded
    the other way round (torch's optimisers import it late) they end in a segmentation fault."""
    if importlib.util.find_spec("triton") is not None:
        importlib.import_module("triton")


class Renderer:
    """An OpenGL context with its programs and buffers; use it from the process and thread that made it.

    size: px, the side of what it renders.
    """

    def __init__(self, size: int = SIZE) -> None:
        os.environ.setdefault("LP_NUM_THREADS", "1")  # one core a worker; workers are the parallelism
        import moderngl

        _triton_first()
        self.context = moderngl.create_context(standalone=True, backend="egl", require=330)  # type: ignore[arg-type]  # their stubs
        context = self.context
        self.size = size
        self.program = context.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
        self.shadow_program = context.program(vertex_shader=SHADOW_VERTEX, fragment_shader=SHADOW_FRAGMENT)
        self.vertex_buffer = context.buffer(reserve=_MAX_VERTICES * _STRIDE * 4, dynamic=True)
        self.index_buffer = context.buffer(reserve=_MAX_INDICES * 4, dynamic=True)
        layout = [
            (
                self.vertex_buffer,
                "3f 3f 3f 3f 2f 3f",
                "in_position",
                "in_normal",
                "in_rest",
                "in_nail",
                "in_crease",
                "in_extra",
            )
        ]
        self.vertex_array = context.vertex_array(self.program, layout, self.index_buffer)
        self.shadow_array = context.vertex_array(
            self.shadow_program,
            [(self.vertex_buffer, f"3f {4 * (_STRIDE - 3)}x", "in_position")],
            self.index_buffer,
        )
        self.depth_program = context.program(vertex_shader=DEPTH_VERTEX, fragment_shader=SHADOW_FRAGMENT)
        self.depth_array = context.vertex_array(
            self.depth_program,
            [(self.vertex_buffer, f"3f {4 * (_STRIDE - 3)}x", "in_position")],
            self.index_buffer,
        )
        self.depth = context.depth_texture((size, size))
        self.target = context.framebuffer([context.renderbuffer((size, size), 4)], self.depth)
        self.shadow_map = context.depth_texture((SHADOW, SHADOW))
        self.shadow_map.compare_func = "<="
        self.shadow_map.repeat_x = self.shadow_map.repeat_y = False
        self.shadow_target = context.framebuffer([], self.shadow_map)
        context.enable(moderngl.DEPTH_TEST)
        context.front_face = "cw"  # y runs down

    @property
    def device(self) -> str:
        """Name of the OpenGL device."""
        return self.context.info["GL_RENDERER"]

    def render(
        self, pieces: list[Piece], focal: float, lights: Lights, exposure: float = 1.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw the pieces with a camera of `focal` px (of the 224 px crop) whose axis is the crop's centre.

        Returns, `size` px wide and high, colour (...,3) uint8 (sRGB, black where nothing is), part uint8 (0 where
        nothing is) and depth float32 metres (infinite where nothing is).
        """
        spans = self._upload(pieces)
        light_matrix = self._shadow_pass(pieces, spans, lights) if lights.shadow > 0 else np.eye(4)
        program = self.program
        for each in (program, self.depth_program):
            _set(each, "focal", focal * 2.0 / CROP_SIZE)
            _set(each, "clip", (_NEAR, _FAR))
        _set(program, "light_directions", lights.directions)
        _set(program, "light_colours", lights.colours)
        _set(program, "light_count", lights.count)
        _set(program, "sky", lights.sky)
        _set(program, "ground", lights.ground)
        _set(program, "shadow_strength", lights.shadow)
        _set(program, "light_matrix", light_matrix.T)
        _set(program, "exposure", exposure)
        self.target.use()
        self.target.clear(0.0, 0.0, 0.0, 0.0, depth=1.0)
        self.shadow_map.use(0)
        # depth first, so that the costly shader runs once a pixel, on what is seen
        for piece, (first, count) in zip(pieces, spans, strict=True):
            self._cull(piece)
            self.depth_array.render(vertices=count, first=first)
        self.context.depth_func = "<="
        for piece, (first, count) in zip(pieces, spans, strict=True):
            self._cull(piece)
            for name, value in _LOOK.items():
                _set(program, name, piece.look.get(name, value))
            self.vertex_array.render(vertices=count, first=first)
        self.context.disable(self.context.CULL_FACE)
        self.context.depth_func = "<"
        pixels = np.frombuffer(self.target.read(components=4), np.uint8).reshape(self.size, self.size, 4)
        raw = np.frombuffer(self.depth.read(), np.float32).reshape(self.size, self.size)
        depth = 2 * _NEAR * _FAR / (_FAR + _NEAR - (2 * raw - 1) * (_FAR - _NEAR))
        return (
            pixels[..., :3],
            pixels[..., 3],
            np.where(raw < 1.0, depth, np.float32(np.inf)).astype(np.float32),
        )

    def _cull(self, piece: Piece) -> None:
        """Closed surfaces show their outside alone (at a silhouette the two sides tie in depth)."""
        if piece.look.get("skin", 1.0):
            self.context.enable(self.context.CULL_FACE)
        else:
            self.context.disable(self.context.CULL_FACE)

    @staticmethod
    def _all(array, spans: list[tuple[int, int]]) -> None:
        array.render(vertices=spans[-1][0] + spans[-1][1])

    def _upload(self, pieces: list[Piece]) -> list[tuple[int, int]]:
        rows, indices, spans, base, first = [], [], [], 0, 0
        for piece in pieces:
            rows.append(np.concatenate([piece.vertices, piece.normals, piece.attributes], axis=1, dtype=np.float32))
            indices.append((piece.faces + base).astype(np.uint32).ravel())
            spans.append((first, len(indices[-1])))
            base += len(piece.vertices)
            first += len(indices[-1])
        if base > _MAX_VERTICES or first > _MAX_INDICES:
            raise ValueError(f"scene too large: {base} vertices, {first} indices")
        self.vertex_buffer.write(np.concatenate(rows).tobytes())
        self.index_buffer.write(np.concatenate(indices).tobytes())
        return spans

    def _shadow_pass(self, pieces: list[Piece], spans: list[tuple[int, int]], lights: Lights) -> np.ndarray:
        """Orthographic view from the first light, round the first piece (the hand)."""
        hand = pieces[0].vertices
        centre = 0.5 * (hand.min(axis=0) + hand.max(axis=0))
        radius = float(np.linalg.norm(hand - centre, axis=1).max()) * 1.05
        forward = -np.asarray(lights.directions[0], dtype=float)
        helper = np.array([1.0, 0, 0]) if abs(forward[0]) < 0.8 else np.array([0, 1.0, 0])
        right = np.cross(helper, forward)
        right /= np.linalg.norm(right)
        up = np.cross(forward, right)
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([right, up, forward / 4.0]) / radius  # deep range: occluders in front count
        matrix[:3, 3] = -matrix[:3, :3] @ centre
        _set(self.shadow_program, "light_matrix", matrix.T)
        self.shadow_target.use()
        self.shadow_target.clear(depth=1.0)
        self._all(self.shadow_array, spans)
        return matrix

    def release(self) -> None:
        """Free the context."""
        self.context.release()


#: Look of a piece: the shader's uniforms with their defaults.
_LOOK: dict = {
    "skin": 1.0,
    "base": (0.6, 0.4, 0.3),
    "second": (0.6, 0.4, 0.3),
    "nail_colour": (0.7, 0.5, 0.45),
    "nail_polish": 0.0,
    "red_amount": 0.5,
    "mottle": 0.15,
    "grain": 0.06,
    "bump": 0.3,
    "crease_depth": 0.4,
    "gloss": 20.0,
    "specular": 0.15,
    "wrap": 0.3,
    "pattern": 0.0,
    "pattern_scale": 60.0,
    "noise_seed": (0.0, 0.0, 0.0),
}


def _set(program, name: str, value) -> None:
    if name not in program:  # optimised away by the driver
        return
    if np.ndim(value) == 0:
        program[name].value = value if isinstance(value, int) else float(value)
    else:
        program[name].write(np.ascontiguousarray(value, dtype=np.float32).tobytes())
