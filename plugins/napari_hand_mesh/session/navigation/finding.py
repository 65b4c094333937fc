"""Which hands of the list are wanted: words and comparisons as a person types them. Without Qt."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass

from annotator.project import HandEntry

COMPARISON = re.compile(r"(sure|labels)(<=|>=|<|>|=)(\d+(?:\.\d+)?)%?")
SIGNS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "=": operator.eq}


@dataclass(frozen=True)
class Wanted:
    """text: words that must all be in a hand's id, photo, side, state or in who works on it; `sure<40` (percent) and
    `labels>0` compare."""

    text: str = ""

    def takes(self, entry: HandEntry) -> bool:
        """Whether the hand is wanted; no text wants all."""
        if not self.text:
            return True
        known = f"{entry.id} {entry.photo_name} {entry.side} {entry.state} {entry.leased_by}".lower()
        for word in self.text.lower().split():
            found = COMPARISON.fullmatch(word)
            if found is None:
                if word not in known:
                    return False
                continue
            name, sign, number = found.groups()
            value = 100 * entry.confidence if name == "sure" else entry.corrections
            if not SIGNS[sign](value, float(number)):
                return False
        return True
