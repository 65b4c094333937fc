"""Names that others give to hands' joints and sides, in their spellings and languages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from annotator.errors import InputError
from annotator.hand.joints import FINGERS, JOINT_NAMES
from annotator.hand.topology import HAND

_WORDS = {
    "thumb": "thumb thumbs pollex daumen pouce pulgar pollice polegar duim kciuk",
    "index": "index forefinger forefingure indexfinger pointer zeigefinger zeige indice wijsvinger wskazujacy "
    "indicador",
    "middle": "middle middlefinger long mittelfinger mittel majeur medius medio corazon middelvinger srodkowy",
    "ring": "ring ringfinger annulaire anular anulare anelar ringvinger serdeczny",
    "little": "little pinky pinkie small smallfinger littlefinger pinkyfinger baby kleinerfinger auriculaire menique "
    "mignolo minimo pink maly",
    "wrist": "wrist root wristroot handroot carpus handgelenk poignet muneca polso pulso pols nadgarstek",
}
_WORD = {word: meaning for meaning, words in _WORDS.items() for word in words.split()}
_ROWS = {finger: tuple(JOINT_NAMES[k] for k in HAND.keypoints_of[finger]) for finger in FINGERS}
# a joint's word -> its place from base (0) to tip (3), of a finger and of the thumb
_PLACE = {"mcp": 0, "knuckle": 0, "pip": 1, "dip": 2, "tip": 3, "fingertip": 3, "end": 3}
_THUMBS = {"cmc": 0, "mcp": 1, "ip": 2, "tip": 3, "fingertip": 3, "end": 3}
_SHORT = {"t": "thumb", "i": "index", "m": "middle", "r": "ring", "l": "little", "p": "little"}
_SIDE = {
    "right": "right r rh rhand righthand rechts rechte rechtehand droite droit derecha destra direita rechter",
    "left": "left l lh lhand lefthand links linke linkehand gauche izquierda sinistra esquerda linker",
}
_SIDES = {word: side for side, words in _SIDE.items() for word in words.split()}
_ACCENTS = str.maketrans("áàâäãéèêëíîïóôöõúûüñçśł", "aaaaaeeeeiiioooouuuncsl")


def words_of(text: object) -> list[str]:
    """A name's words in small letters: cut at signs, at capitals in the middle (`LHand`), and before digits."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", str(text))
    return re.findall(r"[^\W\d_]+|\d+", text.lower().translate(_ACCENTS))


def _parts(name: object) -> tuple[str, str] | None:
    """(finger or "wrist", joint's word or number, "" for the wrist) of a joint's name, None where it is none."""
    words = words_of(name)
    while words and words[0] in _SIDES and len(words) > 1:
        words = words[1:]
    while words and words[-1] in _SIDES and len(words) > 1:
        words = words[:-1]
    words = [word for word in words if word not in ("hand", "finger", "joint", "keypoint", "kp")]
    if len(words) > 1 and _WORD.get("".join(words)) == "wrist":
        return "wrist", ""
    if len(words) == 1:
        if _WORD.get(words[0]) == "wrist" or str(name).strip() in ("W", "w"):
            return "wrist", ""
        found = re.fullmatch(r"([timrlp])(cmc|mcp|pip|dip|tip)", words[0])  # TMCP, IPIP, ...
        return (_SHORT[found[1]], found[2]) if found else None
    if len(words) == 2 and words[0] in _WORD and _WORD[words[0]] != "wrist":
        return _WORD[words[0]], words[1]
    if len(words) == 2 and _WORD.get(words[1]) in FINGERS and words[0] in ("tip", "mcp", "pip", "dip", "cmc", "ip"):
        return _WORD[words[1]], words[0]
    if len(words) == 2 and words[0] in _SHORT and words[1] in _PLACE | _THUMBS:
        return _SHORT[words[0]], words[1]
    return None


def keypoint_of(name: object) -> int | None:
    """0..20 of a joint's name by itself, or None.

    Known: ours (`index_tip`), MediaPipe's (`INDEX_FINGER_TIP`, `PINKY_MCP`), MMPose's and InterHand2.6M's
    (`forefinger4`, `r_thumb1`: base to tip), short ones (`TMCP`), fingers in some other languages, numbers 0..20. What
    a whole list of names says is more: see `order_of`.
    """
    text = str(name).strip()
    if text.isdecimal():
        return int(text) if int(text) < 21 else None
    found = _parts(name)
    if found is None:
        return None
    finger, joint = found
    if finger == "wrist":
        return 0
    if joint.isdecimal():
        return JOINT_NAMES.index(_ROWS[finger][int(joint) - 1]) if 1 <= int(joint) <= 4 else None
    place = (_THUMBS if finger == "thumb" else _PLACE).get(joint)
    return None if place is None else JOINT_NAMES.index(_ROWS[finger][place])


def order_of(names: Sequence[object]) -> list[int]:
    """Where each of our 21 keypoints stands in a list of 21 names.

    Beside what `keypoint_of` knows: numbers 0..20 or 1..21, in any order; a finger's four numbers that begin at 0; a
    thumb's joints called like a finger's; one finger of a name that is not known where the other four are.
    InputError naming what is not understood, or is there twice.
    """
    texts = [str(name).strip() for name in names]
    if len(texts) != 21:
        raise InputError(f"{len(texts)} names of keypoints, expected 21")
    if all(text.isdecimal() for text in texts):
        numbers = [int(text) for text in texts]
        for first in (0, 1):
            if sorted(numbers) == list(range(first, first + 21)):
                return [numbers.index(k + first) for k in range(21)]
    keypoints = [keypoint_of(text) for text in texts]
    if sorted(k for k in keypoints if k is not None) == list(range(21)):
        return [keypoints.index(k) for k in range(21)]
    return _by_finger(texts)


def _by_finger(texts: list[str]) -> list[int]:
    """`order_of` where names mean something beside each other only."""
    wrist = [n for n, text in enumerate(texts) if _parts(text) == ("wrist", "")]
    groups: dict[str, list[tuple[str, int]]] = {}
    for n, text in enumerate(texts):
        if n in wrist:
            continue
        parts = _parts(text)
        if parts is not None:
            finger, joint = parts
        else:
            words = [w for w in words_of(text) if w not in _SIDES and w not in ("hand", "finger", "joint")]
            finger, joint = (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (text, "")
        groups.setdefault(finger, []).append((joint, n))
    strange = [name for name in groups if name not in FINGERS]
    missing = [finger for finger in FINGERS if finger not in groups]
    if len(strange) == len(missing) == 1:
        groups[missing[0]] = groups.pop(strange[0])
    places = {0: wrist[0]} if len(wrist) == 1 else {}
    for f, finger in enumerate(FINGERS):
        rows = _places(finger, [joint for joint, _ in groups.get(finger, ())])
        if rows is None:
            continue
        places |= {1 + 4 * f + place: n for place, (_, n) in zip(rows, groups[finger], strict=True)}
    if len(places) != 21:
        odd = [text for text in texts if texts.index(text) not in places.values()]
        some = ", ".join(map(repr, odd[:4])) + (" ..." if len(odd) > 4 else "")
        raise InputError(
            f"the keypoints' names are not understood ({some}): "
            "expected names like index_tip or forefinger4, or 0..20; --order NAME says which order the file has"
        )
    return [places[k] for k in range(21)]


def _places(finger: str, joints: list[str]) -> list[int] | None:
    """From base (0) to tip (3) of a finger's four joints, None where that is not clear."""
    if len(set(joints)) != 4 or len(joints) != 4:
        return None
    if all(joint.isdecimal() for joint in joints):
        numbers = [int(joint) for joint in joints]
        return [n - min(numbers) for n in numbers] if max(numbers) - min(numbers) == 3 else None
    for table in (_THUMBS, _PLACE) if finger == "thumb" else (_PLACE,):
        if sorted(table.get(joint, -1) for joint in joints) == [0, 1, 2, 3]:
            return [table[joint] for joint in joints]
    return None


def side_of(text: object) -> str | None:
    """ "right" or "left" where a text or number (1 right, 0 left) says so and does not say both, else None.

    Understood: `left`, `hand_l`, `LHand`, `lh`, `lefthand`, and the words of some other languages.
    """
    if text is None or isinstance(text, (dict, list)):
        return None
    if isinstance(text, bool) or str(text).strip() in ("0", "1", "0.0", "1.0"):
        return "right" if float(str(int(text)) if isinstance(text, bool) else str(text)) else "left"
    words = words_of(text)
    said = {_SIDES[word] for word in words if word in _SIDES}
    if not said:
        said = {word for word in ("left", "right") for own in words if re.fullmatch(rf"{word}.*|.*hand{word}", own)}
    return said.pop() if len(said) == 1 else None


_KEYS = ("side", "handedness", "hand_type", "handside", "hand_side", "hand", "laterality", "chirality", "lr")
_FLAGS = {
    "is_right": "right",
    "right": "right",
    "isright": "right",
    "is_left": "left",
    "left": "left",
    "isleft": "left",
}


def sides_said(annotation: Mapping) -> dict[str, str]:
    """{field: side} of an annotation's fields that say a side, also in `attributes` and alike, however they are
    listed."""
    found: dict[str, str] = {}
    for name, value in _fields(annotation):
        word = name.rpartition(_INSIDE)[2].lower().replace("-", "_").replace(" ", "_")
        if word in _KEYS and (side := side_of(value)) is not None:
            found[name] = side
        elif word in _FLAGS and isinstance(value, (bool, int, float, str)) and str(value).lower() in _TRUTH:
            other = {"right": "left", "left": "right"}[_FLAGS[word]]
            found[name] = _FLAGS[word] if _TRUTH[str(value).lower()] else other
    return found


_TRUTH = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}


_INSIDE = " > "  # `attributes > side` is another field than `side`, and may contradict it


def _fields(annotation: Mapping):
    yield from ((str(name), value) for name, value in annotation.items())
    for key in ("attributes", "attribute", "properties", "tags", "extra"):
        inside = annotation.get(key)
        if isinstance(inside, Mapping):
            yield from ((f"{key}{_INSIDE}{name}", value) for name, value in inside.items())
        for one in inside if isinstance(inside, list) else ():
            if isinstance(one, Mapping) and "name" in one and "value" in one:
                yield f"{key}{_INSIDE}{one['name']}", one["value"]


def one_side(said: Mapping[str, str]) -> str | None:
    """The side that all of these say, None if there are none. InputError naming two that contradict each other."""
    if len(set(said.values())) > 1:
        raise InputError("the side is contradicted: " + ", ".join(f"{name} says {side}" for name, side in said.items()))
    return next(iter(said.values()), None)
