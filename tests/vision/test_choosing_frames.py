"""Which frames of a video somebody means: by time, by rate, by number."""

from __future__ import annotations

import pytest
from small_videos import SIZE, pictures, video

from annotator.errors import InputError
from annotator.vision.video import Choice, open_video

pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize(
    "said, expected",
    [
        ({}, [0, 5, 10, 15]),
        ({"every": "0.5s"}, [0, 5, 10, 15]),
        ({"every": "200ms"}, list(range(0, 20, 2))),
        ({"every": 0}, list(range(20))),
        ({"fps": 2}, [0, 5, 10, 15]),
        ({"fps": 10}, list(range(20))),
        ({"fps": 60}, list(range(20))),
        ({"frames": "4:7"}, [4, 5, 6]),
        ({"frames": "17:"}, [17, 18, 19]),
        ({"frames": ":2, 7,10:20:4"}, [0, 1, 7, 10, 14, 18]),
        ({"frames": "3:15", "every": "0.4"}, [3, 7, 11]),
        ({"frames": "100:400"}, []),
    ],
)
def test_frames_are_chosen_as_a_person_says(clip, said, expected):
    opened = open_video(clip)
    assert opened.numbers[Choice.of(**said).rows(opened)].tolist() == expected


@pytest.mark.parametrize(
    "said, words",
    [
        ({"every": "soon"}, "'soon' is no time"),
        ({"every": "-1"}, "is no time"),
        ({"every": "1", "fps": 2}, "not both"),
        ({"fps": 0}, "0 frames a second"),
        ({"frames": "a:b"}, "'a:b' names no frames"),
        ({"frames": ""}, "names no frames"),
        ({"frames": "1:5:0"}, "cannot be 0"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(said, words):
    with pytest.raises(InputError, match=words):
        Choice.of(**said)


def test_every_third_of_a_second_at_thirty_frames_in_whole_milliseconds(tmp_path):
    """WebM rounds time stamps: a grid of exact thirtieths must not lose frames by it."""
    path = video(tmp_path / "v.webm", pictures(30, SIZE), "libvpx", rate=30)
    opened = open_video(path)
    assert Choice.of(fps=30).rows(opened).tolist() == list(range(30))
    assert Choice.of(fps=10).rows(opened).tolist() == list(range(0, 30, 3))
