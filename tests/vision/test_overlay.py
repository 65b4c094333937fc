"""Meshes and keypoints on photos: what is covered, what is in front, where it lands."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.errors import InputError
from annotator.hand import HandParameters, load_hand
from annotator.vision.camera import project
from annotator.vision.drawing.overlay import GREY, heat, is_closed, orbit, shade
from annotator.vision.drawing.raster import rasterise
from annotator.vision.drawing.skeleton import draw_arrow, draw_rings, draw_skeleton
from annotator.vision.drawing.window import OUTSIDE, Window

K = np.array([[700.0, 0, 199.5], [0, 700.0, 199.5], [0, 0, 1]])


def hand_mesh(side="right", turn=(0.4, -1.2, 1.5), bend=0.7):
    """A hand with bent fingers, 0.5 m ahead: vertices, faces."""
    hand = load_hand()
    pose = np.zeros((16, 3))
    pose[0] = turn
    for bone in range(1, 7):
        pose[bone] = bend * hand.anatomical_axes[bone - 1, 0]
    parameters = HandParameters(pose, np.zeros(10), [-0.01, 0.03, 0.5], np.zeros((hand.offset_count, 3)))
    return hand.vertices(parameters, side), hand.faces_of(side)


def cast(vertices, faces, pixel):
    """(face, depth) that the ray through a pixel meets first, face by face; (-1, inf) if none."""
    ray = np.linalg.solve(K, [*pixel, 1.0])
    best = (-1, np.inf)
    for number, (a, b, c) in enumerate(vertices[faces]):
        try:
            u, v, depth = np.linalg.solve(np.column_stack([b - a, c - a, -ray]), -a)
        except np.linalg.LinAlgError:
            continue
        if u >= 0 and v >= 0 and u + v <= 1 and 0 < depth < best[1]:
            best = (number, depth)
    return best


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-6, 26), min_size=6, max_size=6))
def test_a_triangle_covers_the_pixel_centres_inside_it(numbers):
    points = np.array(numbers).reshape(3, 2)
    (ax, ay), (bx, by), (cx, cy) = points
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    y, x = np.mgrid[0:20, 0:20]
    inside = np.full((20, 20), np.inf)
    for k in range(3):
        (px, py), (qx, qy) = points[k], points[(k + 1) % 3]
        length = max(np.hypot(qx - px, qy - py), 1e-300)
        inside = np.minimum(inside, np.sign(area) * ((qx - px) * (y - py) - (qy - py) * (x - px)) / length)
    seen = rasterise(points, np.ones(3), np.array([[0, 1, 2]]), 20, 20)
    covered = np.zeros((20, 20), bool)
    covered[seen.rows, seen.columns] = True
    if abs(area) > 1e-6:
        assert covered[inside > 1e-6].all() and not covered[inside < -1e-6].any()
        assert (seen.front == (area < 0)).all()


def test_a_fan_of_triangles_has_neither_seams_nor_pixels_outside():
    angles = np.linspace(0, 2 * np.pi, 14)[:-1]
    points = np.vstack([[20.3, 19.7], np.column_stack([20.3 + 15 * np.cos(angles), 19.7 + 15 * np.sin(angles)])])
    fan = np.array([[0, 1 + k, 1 + (k + 1) % 13] for k in range(13)])
    seen = rasterise(points, np.ones(14), fan, 40, 40)
    covered = np.zeros((40, 40), bool)
    covered[seen.rows, seen.columns] = True
    y, x = np.mgrid[0:40, 0:40]
    distance = np.hypot(x - 20.3, y - 19.7)
    assert covered[distance < 15 * np.cos(np.pi / 13)].all() and not covered[distance > 15].any()


@pytest.mark.parametrize("side", ["right", "left"])
def test_what_is_seen_of_a_hand_is_what_a_ray_meets_first(side):
    vertices, faces = hand_mesh(side)
    seen = rasterise(project(vertices, K), vertices[:, 2], faces, 400, 400)
    depth = np.full((400, 400), np.inf)
    depth[seen.rows, seen.columns] = seen.depth
    random = np.random.default_rng(0)
    picked = np.concatenate([random.choice(len(seen.rows), 12), random.choice(len(seen.rows), 0)])
    places = [(seen.columns[i], seen.rows[i]) for i in picked] + [(5, 5), (390, 200)]
    for column, row in places:
        face, expected = cast(vertices, faces, (column, row))
        assert depth[row, column] == pytest.approx(expected, abs=1e-7), (column, row)


def test_surface_points_project_onto_their_pixels():
    vertices, faces = hand_mesh()
    seen = rasterise(project(vertices, K), vertices[:, 2], faces, 400, 400)
    points = seen.interpolate(vertices, faces).T.astype(np.float64)
    assert len(points) > 5000
    assert np.abs(project(points, K) - np.column_stack([seen.columns, seen.rows])).max() < 2e-3
    assert np.abs(points[:, 2] - seen.depth).max() < 1e-6


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_closed_hand_shows_only_its_outside(side):
    vertices, faces = hand_mesh(side)
    assert is_closed(faces) and not is_closed(faces[1:])
    both = rasterise(project(vertices, K), vertices[:, 2], faces, 400, 400)
    outside = rasterise(project(vertices, K), vertices[:, 2], faces, 400, 400, inside=False)
    assert both.front.mean() > 0.999  # a pixel or two on the silhouette may show an edge from within
    assert abs(len(both.rows) - len(outside.rows)) <= 0.001 * len(both.rows)


def test_the_hole_of_an_open_mesh_shows_its_inside():
    vertices, faces = hand_mesh(turn=(0.2, 1.4, 0.0))
    ahead = rasterise(project(vertices, K), vertices[:, 2], faces, 400, 400)
    number = np.bincount(ahead.faces).argmax()
    opened = np.delete(faces, number, axis=0)
    seen = rasterise(project(vertices, K), vertices[:, 2], opened, 400, 400)
    assert len(seen.rows) == len(ahead.rows)  # the hole shows the far wall
    assert (~seen.front).sum() >= 0.8 * (ahead.faces == number).sum() > 0


def test_shading_changes_the_photo_only_under_the_mesh():
    vertices, faces = hand_mesh()
    photo = np.random.default_rng(1).integers(0, 256, (400, 400, 3)).astype(np.uint8)
    before = photo.copy()
    drawn = shade(vertices, faces, K, photo, 1.0)
    assert drawn.dtype == np.uint8 and drawn.shape == photo.shape and (photo == before).all()
    seen = rasterise(project(vertices, K), vertices[:, 2], faces, 400, 400)
    covered = np.zeros((400, 400), bool)
    covered[seen.rows, seen.columns] = True
    near = covered.copy()
    for axis in (0, 1):
        near |= np.roll(near, 1, axis) | np.roll(near, -1, axis)
    assert (drawn[~near] == photo[~near]).all()
    well_inside = covered & ~((~covered) ^ (~near & ~covered))
    assert (drawn != photo).any(2)[well_inside].mean() > 0.95
    assert (shade(vertices, faces, K, photo, 0.0) == photo).all()


def test_opacity_blends_linearly():
    vertices, faces = hand_mesh()
    photo = np.full((400, 400, 3), 100, np.uint8)
    none, half, full = (shade(vertices, faces, K, photo, a).astype(float) for a in (0.0, 0.5, 1.0))
    assert np.abs(half - (none + full) / 2).max() <= 1.0


def test_light_comes_from_above_and_edges_are_darker():
    """A ball: its upper left is brighter than its lower right, its middle brighter than its rim."""
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 49)[:-1], np.linspace(0, np.pi, 25), indexing="ij")
    ball = np.stack([np.sin(v) * np.cos(u), np.cos(v), np.sin(v) * np.sin(u)], -1).reshape(-1, 3) * 0.1 + [
        0,
        0,
        1,
    ]
    grid = np.arange(48 * 25).reshape(48, 25)
    right = np.roll(grid, -1, 0)
    quads = np.stack([grid[:, :-1], grid[:, 1:], right[:, 1:], right[:, :-1]], -1).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    outward = np.cross(*(ball[faces[600, k]] - ball[faces[600, 0]] for k in (1, 2))) @ (ball[faces[600, 0]] - [0, 0, 1])
    if outward < 0:
        faces = faces[:, ::-1]
    drawn = shade(ball, faces, K, (400, 400), 1.0, (1.0, 1.0, 1.0)).mean(2)
    assert drawn[170, 170] > drawn[230, 230] + 15
    assert drawn[200, 200] > drawn[200, 266] + 60 and drawn[200, 200] > drawn[266, 200] + 60
    assert drawn[10, 10] == GREY


def test_colours_of_vertices_show_where_the_vertices_are():
    vertices, faces = hand_mesh()
    left = project(vertices, K)[:, 0]
    drawn = shade(vertices, faces, K, (400, 400), 1.0, heat(left, left.min(), left.max())).astype(int)
    seen = rasterise(project(vertices, K), vertices[:, 2], faces, 400, 400)
    redness = (drawn[..., 0] - drawn[..., 2])[seen.rows, seen.columns]
    assert np.corrcoef(seen.columns, redness)[0, 1] > 0.8
    assert np.allclose(heat(np.array([-1, 5.0]), 0, 1), heat(np.array([0, 1.0]), 0, 1))


def test_a_mesh_behind_the_camera_or_out_of_the_picture_draws_nothing():
    vertices, faces = hand_mesh()
    photo = np.full((100, 120, 3), 80, np.uint8)
    for moved in (vertices - [0, 0, 2], vertices + [5, 0, 0], vertices * [1, 1, -1]):
        assert (shade(moved, faces, K, photo) == photo).all()
    across = shade(vertices - [0, 0, 0.5], faces, K, photo)  # some of it behind: drawn without those faces, no crash
    assert across.shape == photo.shape


def test_from_the_side_depth_becomes_width():
    """A rod along the viewing axis, a plate at its far end: from the right the plate is on the right."""
    box = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    faces = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
                      [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]])  # fmt: skip
    rod, plate = box * [0.01, 0.01, 0.1] + [0, 0, 1], box * [0.01, 0.04, 0.01] + [0, 0, 1.09]
    vertices, faces = np.vstack([rod, plate]), np.vstack([faces, faces + 8])

    def extent(angle):
        drawn = orbit(vertices, faces, angle, 200)
        assert drawn.shape == (200, 200, 3)
        where = (drawn != GREY).any(2)
        assert not (where[0].any() or where[-1].any() or where[:, 0].any() or where[:, -1].any())
        columns, rows = np.flatnonzero(where.any(0)), np.flatnonzero(where.any(1))
        return np.ptp(columns), np.ptp(rows), np.argmax(where.sum(0))

    wide, high, _ = extent(0)
    assert wide < 0.4 * high
    wide, high, tallest = extent(90)
    assert wide > 2 * high and tallest > 150
    assert extent(-90)[2] < 50


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vertices": np.zeros((4, 2))}, "vertices"),
        ({"vertices": np.full((4, 3), np.nan)}, "finite"),
        ({"faces": np.array([[0, 1, 9]])}, "do not exist"),
        ({"faces": np.zeros((2, 3))}, "whole numbers"),
        ({"picture": np.zeros((8, 8), np.uint8)}, "picture"),
        ({"picture": np.zeros((8, 8, 3))}, "picture"),
        ({"colour": np.zeros((5, 3))}, "colour"),
    ],
)
def test_wrong_arrays_are_named(changes, message):
    good = {"vertices": np.ones((4, 3)), "faces": np.array([[0, 1, 2]]), "K": K, "picture": (8, 8)}
    with pytest.raises(InputError, match=message):
        shade(**(good | changes))


def test_skeleton_is_drawn_on_the_bones_and_nowhere_else():
    vertices, _ = hand_mesh()
    keypoints = project(load_hand().joints(vertices), K)
    photo = np.full((400, 400, 3), 120, np.uint8)
    drawn = draw_skeleton(photo, keypoints, 3.0)
    assert (photo == 120).all()
    for x, y in np.rint(keypoints).astype(int):
        assert (drawn[y, x] != 120).any()
    changed = np.argwhere((drawn != 120).any(2))[:, ::-1]
    from annotator.hand.joints import BONES

    steps = np.linspace(0, 1, 200)[:, None]
    lines = np.concatenate([keypoints[a] * (1 - steps) + keypoints[b] * steps for a, b in BONES])
    distance = np.sqrt(((changed[:, None, :] - lines[None, ::5]) ** 2).sum(-1)).min(1)
    assert distance.max() < 7.0


def test_marks_outside_the_picture_or_not_finite_are_left_out():
    photo = np.full((50, 60, 3), 9, np.uint8)
    keypoints = np.full((21, 2), np.nan)
    keypoints[::2] = (-400, 9000)
    assert (draw_skeleton(photo, keypoints) == photo).all()
    assert (draw_rings(photo, [(500, 500)], 6) == photo).all()
    arrow = draw_arrow(photo, (10, 10), (40, 30))
    assert (arrow[10, 10] != 9).any() and (arrow[30, 40] != 9).any() and (arrow[45, 5] == 9).all()


def test_a_window_shows_a_photo_point_where_it_says():
    y, x = np.mgrid[0:120, 0:160]
    spot = 200 * np.exp(-((x - 61.3) ** 2 + (y - 47.6) ** 2) / 18)
    photo = np.repeat(np.rint(spot).astype(np.uint8)[..., None], 3, axis=2)
    for window in (Window(30.2, 20.7, 60.0, 300), Window(10.0, 5.5, 100.0, 64)):
        picture = window.picture(photo)[..., 0].astype(float)
        rows, columns = np.mgrid[0 : window.pixels, 0 : window.pixels]
        found = (picture * columns).sum() / picture.sum(), (picture * rows).sum() / picture.sum()
        assert found == pytest.approx(window.points([61.3, 47.6]), abs=0.15 * window.pixels / window.size)


def test_a_window_beyond_the_photo_is_filled_and_its_camera_fits():
    photo = np.zeros((40, 40, 3), np.uint8)
    window = Window.around(np.array([[35.0, 5.0], [55.0, 25.0]]), 1.5, 90)
    picture = window.picture(photo)
    assert picture.shape == (90, 90, 3)
    assert (picture[45, 88] == OUTSIDE).all() and (picture[60, 4] == 0).all()
    points = np.random.default_rng(2).normal(0, 0.1, (9, 3)) + [0, 0, 1]
    assert np.allclose(project(points, window.matrix @ K), window.points(project(points, K)))
    with pytest.raises(InputError, match="finite"):
        Window.around(np.array([[np.nan, 1.0]]))


def test_drawing_a_hand_is_quick():
    """Under 100 ms at 400 x 400 px on a free core; three times that here, for a machine that is busy."""
    vertices, faces = hand_mesh()
    photo = np.zeros((400, 400, 3), np.uint8)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        shade(vertices, faces, K, photo)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3
