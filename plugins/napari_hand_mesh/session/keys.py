"""The one registry of shortcuts: it binds them, labels the buttons and writes the help.

Left hand alone, the right one drags. None is one of napari's own on the viewer or on a layer of ours (a test
compares).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """name: of the widget's method; key: as napari writes it; button: its label ("" = none); words: for
    help; group: of its button: verdict, joint, hand, step, video or view, keys for those of a
    joint chosen by keys; held: it goes on until the key is let go, then the
    method NAME_end is called."""

    name: str
    key: str
    button: str
    words: str
    group: str = "view"
    held: bool = False


CHOOSE = "choose a joint by keys: thumb, index, middle, ring, little finger, from the tip towards the palm"
NEXT = "choose the next joint, or the one before, in the order of the fingers"
NUDGE, NUDGE_FAR = (
    "move the chosen joint by 1 px of the photo",
    "move it by 10 px; stored as one step when the keys rest",
)
PUSH = "the joint is nearer to the camera, or farther, by 4 mm seen from the palm"
PUSH_HAND = "the whole hand is nearer to the camera, or farther, by 10 mm"

ACTIONS = (
    Action("accept", "E", "Accept", "accept this hand and go to the next open one", "verdict"),
    Action("reject", "R", "Reject", "reject this hand (it is not used) and go to the next open one", "verdict"),
    Action("flag", "T", "Flag", "put this hand aside for a second look and go to the next open one", "verdict"),
    Action("next_open", "W", "Next", "go to the next open hand, without a verdict", "verdict"),
    Action("previous_open", "Q", "Back", "go to the open hand before", "verdict"),
    Action("occluded", "D", "Occluded", "the keypoint under the mouse or chosen cannot be seen (again: it can)",
           "joint"),
    Action("out_of_frame", "G", "Outside", "the keypoint under the mouse or chosen is outside the photo (again: no)",
           "joint"),
    Action("confirm", "B", "Right", "the keypoint under the mouse or chosen is right where it is (again: not sure)",
           "joint"),
    Action("confirm_all", "Shift-B", "All right", "all keypoints still proposed are right where they are", "joint"),
    Action("other_depth", "Shift-D", "Other depth", "the likeliest other hand that looks the same in the photo",
           "hand"),
    Action("show_alternatives", "Shift-C", "Depths …", "list all other hands that look the same in the photo", "hand"),
    Action("in_front", "Shift-Z", "In front", "click two joints: the first is in front of the second (again: stop)",
           "hand"),
    Action("change_side", "Shift-S", "Other side", "this is a left hand, not a right one, or the other way round",
           "hand"),
    Action("delete", "Shift-R", "Not a hand", "there is no hand here, or it is here twice: it is not shown any more",
           "hand"),
    Action("draw_box", "Shift-X", "Draw hand", "draw a box round a hand that was missed (again: stop)", "hand"),
    Action("next_bare", "Shift-Q", "Empty photo", "go to the next photo without a hand, to draw a box there",
           "hand"),
    Action("undo", "Control-Z", "Undo", "take back the last step, also one before the last start", "step"),
    Action("redo", "Control-Shift-Z", "Redo", "do it again", "step"),
    Action("take_back", "Control-Shift-X", "", "take back the verdicts of the last moments, as one", "step"),
    Action("previous_frame", "Control-D", "Frame", "the frame before of the track that this hand is on", "video"),
    Action("next_frame", "Control-F", "Frame", "the next frame of the track", "video"),
    Action("play", "Control-B", "Play", "play the video from here, with the mesh (again: stop)", "video"),
    Action("previous_doubtful", "Control-Shift-D", "Doubt", "the doubtful frame before, of the track", "video"),
    Action("next_doubtful", "Control-Shift-F", "Doubt", "the next doubtful frame of the track", "video"),
    Action("needs_you", "Control-X", "Needs you", "the frame whose correction helps the video's tracks most", "video"),
    Action("other_track", "Control-5", "Track", "the other hand of the video, in this frame", "video"),
    Action("propagate_backward", "Control-Shift-Q", "Carry",
           "carry this hand's labels backward through its track, until unsure", "video"),
    Action("propagate_forward", "Control-Shift-E", "Carry",
           "carry this hand's labels forward through its track, until unsure", "video"),
    Action("accept_to_here", "Control-Shift-A", "To here", "accept what waits on the track up to this frame, after a "
           "question; bridged frames are left out", "video"),
    Action("fade_markers", "F", "Markers", "hide or show keypoints and skeleton"),
    Action("peek", "Space", "", "while it is held: nothing over the mesh, to judge it", held=True),
    Action("mesh_style", "Shift-F", "Mesh", "the mesh filled, as outline, as wireframe, or off"),
    Action("colour_by_uncertainty", "Shift-G", "Unsure", "colour the mesh by its uncertainty: blue sure, red not"),
    Action("look", "Shift-W", "Fit hand", "bring the hand into view"),
    Action("turn_view", "Control-1", "Turn", "turn the view by a quarter; nothing stored changes"),
    Action("mirror_view", "Control-2", "Mirror", "mirror the view; nothing stored changes"),
    Action("swap_views", "Control-3", "Side big", "the side view as large as the photo, over it, or back in its place"),
    Action("show_layers", "Control-4", "Layers", "fold napari's own list of layers and controls in or out"),
    Action("choose_thumb", "1", "", CHOOSE, "keys"),
    Action("choose_index", "2", "", CHOOSE, "keys"),
    Action("choose_middle", "3", "", CHOOSE, "keys"),
    Action("choose_ring", "4", "", CHOOSE, "keys"),
    Action("choose_little", "5", "", CHOOSE, "keys"),
    Action("choose_wrist", "0", "", "choose the wrist", "keys"),
    Action("next_joint", "N", "", NEXT, "keys"),
    Action("joint_before", "Shift-N", "", NEXT, "keys"),
    Action("leave_joint", "Escape", "", "let go of the joint; draw no box", "keys"),
    Action("nudge_left", "Left", "", NUDGE, "keys"),
    Action("nudge_right", "Right", "", NUDGE, "keys"),
    Action("nudge_up", "Up", "", NUDGE, "keys"),
    Action("nudge_down", "Down", "", NUDGE, "keys"),
    Action("nudge_left_far", "Shift-Left", "", NUDGE_FAR, "keys"),
    Action("nudge_right_far", "Shift-Right", "", NUDGE_FAR, "keys"),
    Action("nudge_up_far", "Shift-Up", "", NUDGE_FAR, "keys"),
    Action("nudge_down_far", "Shift-Down", "", NUDGE_FAR, "keys"),
    Action("nearer", "PageDown", "", PUSH, "keys"),
    Action("farther", "PageUp", "", PUSH, "keys"),
    Action("hand_nearer", "Shift-PageDown", "", PUSH_HAND, "keys"),
    Action("hand_farther", "Shift-PageUp", "", PUSH_HAND, "keys"),
)  # fmt: skip

# what the photo may always do, whoever has the focus: these change nothing that is stored
HARMLESS = frozenset(
    name for action in ACTIONS if action.group == "view" for name in (action.name, f"{action.name}_end")
)


def bind(targets: Iterable, call: Callable[[str], None]) -> None:
    """Bind every action on all targets (a viewer and its layers: a layer's own keys win over the
    viewer's)."""
    for target in targets:
        for action in ACTIONS:
            target.bind_key(action.key, _caller(action, call), overwrite=True)


def unbind(targets: Iterable) -> None:
    """Take them off again."""
    for target in targets:
        for action in ACTIONS:
            target.bind_key(action.key, None)


SIGNS = {"Control": "Ctrl", "PageUp": "PgUp", "PageDown": "PgDn", "Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}


def shown(key: str) -> str:
    """The key as people read it."""
    return "+".join(SIGNS.get(part, part) for part in key.split("-"))


MOUSE = (
    ("drag", "move a keypoint; it stays where you put it, the mesh becomes the likeliest hand for it"),
    ("Shift+drag", "move it while all others stay"),
    ("Ctrl+drag", "move it and pin: the mesh meets it and all others that were set, at the price of its shape"),
    ("click", "on another hand of the photo: go to it"),
    ("drag in the side view", "a keypoint: its depth, its place in the photo stays; beside them: turn the hand"),
    ("Shift+drag in the side view", "the depth of the whole hand"),
    ("wheel in the side view", "zoom"),
)


def rows() -> list[tuple[str, str]]:
    """(keys, what they do), for people: keys that do the same in other directions share a line."""
    by_words: dict[str, list[str]] = {}
    for action in ACTIONS:
        by_words.setdefault(action.words, []).append(shown(action.key))
    return [*MOUSE, *((" ".join(group), words) for words, group in by_words.items())]


def help_text() -> str:
    """All shortcuts as an HTML table."""
    lines = "".join(f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{words}</td></tr>" for key, words in rows())
    return f"<table>{lines}</table>"


def page() -> str:
    """docs/keys.md."""
    lines = "".join(f"| `{key}` | {words} |\n" for key, words in rows())
    return (
        "# Keys of the napari plugin\n\n"
        "The left hand alone; the right one drags, or nudges a joint with the arrows. None of them is one of napari's\n"
        "own in the layers shown (a test compares), but for those that change the mode of a layer, which ours do not,\n"
        "move along axes that a photo does not have, and `Shift+↑` and `Shift+↓`, with which napari extends the\n"
        "selection to the layer above or below: here they move a joint. In the window: the button *Keys*. Written by\n"
        "`python -m napari_hand_mesh.session.keys > docs/keys.md`.\n\n"
        f"| key | does |\n|---|---|\n{lines}"
    )


def _caller(action: Action, call: Callable[[str], None]):
    def pressed(_target) -> None:
        call(action.name)

    def held(_target):
        call(action.name)
        yield  # napari goes on here when the key is let go
        call(f"{action.name}_end")

    return held if action.held else pressed


if __name__ == "__main__":
    print(page(), end="")
