"""What many simulated annotations say together: means with their spread, shares of the gain, corrections to a
goal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from annotator.correcting.simulation.simulated import Trace

GOALS_MM = (10.0, 7.0, 5.0, 3.0)
MEASURES = ("vertex_mm", "joint_mm", "photo_px", "others_px", "others_before_px", "miss_px")


def curve(traces: Sequence[Trace], measure: str, length: int) -> np.ndarray:
    """(hands, length+1): a measure of every hand after 0..length corrections.

    A hand with fewer keypoints to correct keeps its last value (but for the keypoints not corrected, where
    there are none left: NaN).
    """
    rows = np.full((len(traces), length + 1), np.nan)
    for row, trace in zip(rows, traces, strict=True):
        values = getattr(trace, measure)[: length + 1]
        row[: len(values)] = values
        if not measure.startswith("others"):
            row[len(values) :] = values[-1]
    return rows


def corrections_to(traces: Sequence[Trace], goal_mm: float, length: int) -> dict[str, float | None]:
    """How many corrections bring PA-MPVPE to `goal_mm`: mean over hands that get there; their share."""
    reached = curve(traces, "vertex_mm", length) <= goal_mm
    there = reached.any(axis=1)
    return {
        "goal_mm": goal_mm,
        "share_of_hands": float(there.mean()),
        "mean_corrections": float(reached[there].argmax(axis=1).mean()) if there.any() else None,
        "median_corrections": float(np.median(reached[there].argmax(axis=1))) if there.any() else None,
    }


def summarise(traces: Sequence[Trace], length: int) -> dict:
    """For JSON: per measure mean, median, 10th and 90th percentile after 0..length corrections; shares;
    times.

    share_of_gain[k]: (e_0 - e_k) / (e_0 - e_length) of mean PA-MPVPE; seconds: percentiles of one answer's
    time.
    """
    result: dict = {"hands": len(traces), "corrections": list(range(length + 1))}
    for measure in MEASURES:
        rows = curve(traces, measure, length)
        usable = np.isfinite(rows).any(axis=0)
        if not usable.any():
            continue
        table = {"mean": np.nanmean(rows[:, usable], axis=0), "median": np.nanmedian(rows[:, usable], axis=0)}
        table["p10"], table["p90"] = np.nanpercentile(rows[:, usable], [10, 90], axis=0)
        number = np.isfinite(rows[:, usable]).sum(axis=0)
        squares = np.nansum((rows[:, usable] - table["mean"]) ** 2, axis=0)
        table["standard_error"] = np.sqrt(squares / np.maximum(number - 1, 1) / number)
        result[measure] = {name: _spread_out(values, usable) for name, values in table.items()}
    error = curve(traces, "vertex_mm", length)
    if np.isfinite(error).all():
        mean = error.mean(axis=0)
        gain = mean[0] - mean[-1]
        result["share_of_gain"] = [float((mean[0] - e) / gain) if gain else None for e in mean]
        result["corrections_to"] = [corrections_to(traces, goal, length) for goal in GOALS_MM]
    seconds = np.concatenate([trace.seconds for trace in traces]) if traces else np.zeros(0)
    if len(seconds):
        result["seconds"] = {
            "mean": float(seconds.mean()),
            "median": float(np.median(seconds)),
            "p95": float(np.percentile(seconds, 95)),
        }
    return result


def _spread_out(values: np.ndarray, usable: np.ndarray) -> list[float | None]:
    filled: list[float | None] = [None] * len(usable)
    for index, value in zip(np.flatnonzero(usable), values, strict=True):
        filled[int(index)] = float(value)
    return filled


def plot(summaries: Mapping[str, Mapping], path: str | Path, measure: str = "vertex_mm") -> None:
    """Error over corrections, one line per summary (10th to 90th percentile shaded), as an image file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    labels = {
        "vertex_mm": "PA-MPVPE, mm",
        "joint_mm": "PA-MPJPE, mm",
        "photo_px": "2-D error, px of the 224 px crop",
    }
    figure = Figure(figsize=(7, 4.5), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, summary in summaries.items():
        if measure not in summary:
            continue
        table = {key: np.array(values, dtype=float) for key, values in summary[measure].items()}
        steps = np.arange(len(table["mean"]))
        (line,) = axes.plot(steps, table["mean"], marker="o", markersize=3, label=name)
        axes.fill_between(steps, table["p10"], table["p90"], color=line.get_color(), alpha=0.12, linewidth=0)
    axes.set_xlabel("corrected keypoints")
    axes.set_ylabel(labels.get(measure, measure))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
