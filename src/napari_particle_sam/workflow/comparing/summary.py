"""A comparison as sentences that a window or a terminal shows."""

from __future__ import annotations

import math
from collections.abc import Mapping

from napari_particle_sam.workflow.comparing.beginnings import UNKNOWN, some
from napari_particle_sam.workflow.comparing.result import ADAPTED, BASE, EDITS, WARNING, Comparison, heading
from napari_particle_sam.workflow.comparing.verdict import DECIDES, count, masks_sentence


def summary_lines(comparison: Comparison) -> list[str]:
    """Return a comparison as sentences that a window or a terminal can show, the verdict first.

    Parameters
    ----------
    comparison : Comparison
        What `compare` returned.

    Returns
    -------
    list of str
        Verdict, warnings, numbers, how the truth began, and what else limits it.
    """
    metrics = comparison.metrics
    warnings = [note for note in comparison.notes if note.startswith(WARNING)]
    rest = [note for note in comparison.notes if not note.startswith(WARNING)]
    numbers = [masks_sentence(metrics), _pairwise(metrics, "splits", "Particles in pieces per 100 true", 1)]
    numbers.append(_pairwise(metrics, "merges", "Particles merged per 100 true", 1))
    numbers.append(_pairwise(metrics, "boundary_error", "Boundary error in pixels, median", 2))
    numbers += _foreground(comparison) + _edits(comparison) + _scales(comparison)
    return [comparison.verdict, *warnings, *numbers, *_truth(comparison), *_left_out(comparison), *rest]


def _pairwise(metrics: Mapping[str, Mapping[str, float]], metric: str, words: str, digits: int) -> str:
    values = [metrics[heading(who, "own")][metric] for who in (BASE, ADAPTED)]
    before, after = (f"{v:.{digits}f}" if math.isfinite(v) else "-" for v in values)
    return f"{words}: {before} with the base, {after} adapted."


def _foreground(comparison: Comparison) -> list[str]:
    known = comparison.yardstick
    if known is None or not math.isfinite(known.median_diameter):
        return []
    sentence = _pairwise(comparison.metrics, "dice_foreground", "Foreground Dice", 3).removesuffix(".")
    size = f"median diameter {known.median_diameter:.0f} px"
    return [f"{sentence}; the truth grown by one pixel scores {known.grown_dice:.3f} ({size})."]


def _edits(comparison: Comparison) -> list[str]:
    change = comparison.intervals.get(EDITS)
    if change is None or not math.isfinite(change.value):
        return []
    before, after = (comparison.metrics[heading(who, "own")][EDITS] for who in (BASE, ADAPTED))
    sure = "" if not math.isfinite(change.low) else f", 95 % interval {change.low:+.2f} to {change.high:+.2f}"
    seen = count(len(comparison.effort_images), "image")
    sentence = (
        f"Edits per particle, by the correction robot in {seen}: {before:.2f} with the base, {after:.2f} "
        f"adapted ({change.value:+.2f}{sure})."
    )
    return [sentence]


def _scales(comparison: Comparison) -> list[str]:
    if not comparison.scales:
        return []
    names = " / ".join(comparison.scales[BASE])
    parts = [
        f"{' / '.join(f'{v:.2f}' for v in comparison.scales[who].values())} {words}"
        for who, words in ((BASE, "with the base"), (ADAPTED, "adapted"))
    ]
    seen = count(len(comparison.scale_images), "image")
    return [f"{DECIDES} at {names} of the image's size, in {seen}: {', '.join(parts)}."]


def _truth(comparison: Comparison) -> list[str]:
    by_words: dict[str, list[str]] = {}
    for stem, words in comparison.began.items():
        by_words.setdefault(words, []).append(stem)
    if not by_words:
        return []
    parts = [f"{words} ({count(len(stems), 'image')})" for words, stems in by_words.items()]
    unknown = "; a truth that began from one of the two models favours it" if UNKNOWN in by_words else ""
    return [f"How the truth began: {', '.join(parts)}{unknown}."]


def _left_out(comparison: Comparison) -> list[str]:
    if not comparison.left_out:
        return []
    return [f"Left out, since the adapter trained on them: {some(comparison.left_out)}."]
