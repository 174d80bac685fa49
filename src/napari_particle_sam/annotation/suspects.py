"""What is likely wrong in a session, the likeliest first, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession

#: A proposal below these scores is worth a look.
LOW_SCORE = 0.8
#: Robust standard deviations from this image's median beyond which a size or shape is odd.
ODD = 3.0
#: Median absolute deviation to standard deviation of a normal distribution.
MAD_TO_SD = 1.4826
#: Where all are alike, a few per cent more or less are not odd; of logarithms.
LEAST_SPREAD = 0.05
#: Fewer instances do not say what is usual in an image.
FEWEST = 8
#: Share of a proposal that went to its neighbours from which on it is worth a look.
LOST = 0.1
#: Of 1 - predicted IoU and 1 - stability in the order; about what a logistic regression gives on EMPS `fit`.
DOUBT = (1.1, 0.9)
#: What every other reason adds at most. On EMPS none of them makes the order better, so that they decide
#: between instances of like scores only.
_EXTRA = {"size": 0.04, "shape": 0.03, "parts": 0.05, "lost": 0.04, "seam": 0.02, "frame": 0.01}
#: Nearly half of such places are particles, more than are wrong among other suspects.
MISSED_SCORE = 0.5

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Suspect:
    """A place that deserves a look.

    Attributes
    ----------
    label : int or None
        The instance, None where one may be missing.
    at : tuple of float
        ``(row, col)`` of its middle.
    box : tuple of int
        ``(top, left, bottom, right)``, the last two exclusive.
    score : float
        How suspicious it is, 0 to 1.
    reasons : tuple of str
        Why, in plain words.
    """

    label: int | None
    at: tuple[float, float]
    box: Box
    score: float
    reasons: tuple[str, ...]


def find_suspects(
    session: AnnotationSession,
    lost: Mapping[int, float] | None = None,
    seams: Sequence[Box] = (),
    missed: Sequence[Mask] = (),
) -> list[Suspect]:
    """Return what nobody has looked at and is likely wrong, the likeliest first.

    Parameters
    ----------
    session : AnnotationSession
        Accepted and flagged instances were looked at and are left out; those accepted in bulk come last.
    lost : mapping of int to float, optional
        Share of a proposal's pixels that went to others, by id.
    seams : sequence of tuple
        Boxes of the tiles' seams.
    missed : sequence of Mask
        Places where a particle may be missing; those that instances cover are left out.
    """
    instances = list(session.instances.values())
    odd_size, odd_shape = _oddness(instances)
    found = []
    for place, instance in enumerate(instances):
        if instance.status not in ("unreviewed", "bulk"):
            continue
        reasons = _of_scores(instance) | _of_place(instance, session.shape, seams)
        reasons |= _of_outline(instance, odd_size[place], odd_shape[place])
        share = (lost or {}).get(instance.id, 0.0)
        if share >= LOST:
            reasons["lost"] = (min(1.0, 2 * share), f"lost {share:.0%} to its neighbours")
        if reasons:
            found.append(_suspect(instance, reasons))
    found += [_missed(mask) for mask in missed if not session.labels[mask.window][mask.crop].any()]
    bulk = {instance.id for instance in instances if instance.status == "bulk"}
    return sorted(found, key=lambda suspect: (suspect.label in bulk, -suspect.score))


def _of_scores(instance: Instance) -> dict[str, tuple[float, str]]:
    scores = {"predicted IoU": instance.predicted_iou, "stability": instance.stability}
    low = {name: value for name, value in scores.items() if value is not None and value < LOW_SCORE}
    if not low:
        return {}
    name, value = min(low.items(), key=lambda item: item[1])
    return {"score": (min(1.0, 2.5 * (LOW_SCORE - value) + 0.2), f"low {name} ({value:.2f})")}


def _of_outline(instance: Instance, size: float, shape: float) -> dict[str, tuple[float, str]]:
    reasons = {}
    if abs(size) > ODD:
        word = "large" if size > 0 else "small"
        reasons["size"] = (min(1.0, abs(size) / (3 * ODD)), f"oddly {word} for this image")
    if shape > ODD:
        reasons["shape"] = (min(1.0, shape / (3 * ODD)), "odd shape for this image")
    if instance.components > 1:
        reasons["parts"] = (1.0, f"in {instance.components} pieces")
    return reasons


def _of_place(
    instance: Instance, shape: tuple[int, int], seams: Sequence[Box]
) -> dict[str, tuple[float, str]]:
    top, left, bottom, right = instance.mask.box
    reasons = {}
    if any(top < s[2] and bottom > s[0] and left < s[3] and right > s[1] for s in seams):
        reasons["seam"] = (1.0, "on a seam of two tiles")
    if instance.completeness == "complete" and (
        top == 0 or left == 0 or bottom == shape[0] or right == shape[1]
    ):
        reasons["frame"] = (1.0, "touches the frame")
    return reasons


def _oddness(instances: Sequence[Instance]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far size (either way) and emptiness of the box lie from usual, in robust deviations."""
    area = np.array([i.mask.area for i in instances], float)
    boxes = np.array([i.mask.crop.size for i in instances], float)
    if len(area) < FEWEST:
        return np.zeros(len(area)), np.zeros(len(area))
    return _robust(np.log(np.maximum(area, 1))), _robust(-np.log(np.maximum(area, 1) / np.maximum(boxes, 1)))


def _robust(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centre = np.median(values)
    spread = MAD_TO_SD * np.median(np.abs(values - centre))
    return np.asarray((values - centre) / max(spread, LEAST_SPREAD), np.float64)


def _doubt(instance: Instance) -> float:
    """Return how little the model believed in it, 0 to 1; 0 where it was not asked."""
    scores = (instance.predicted_iou, instance.stability)
    lack = [weight * (1 - score) for weight, score in zip(DOUBT, scores, strict=True) if score is not None]
    return min(1.0, max(0.0, sum(lack)))


def _suspect(instance: Instance, reasons: Mapping[str, tuple[float, str]]) -> Suspect:
    top, left, bottom, right = instance.mask.box
    extra = {name: _EXTRA.get(name, 1.0) * weight for name, (weight, _) in reasons.items()}
    score = _doubt(instance) + sum(value for name, value in extra.items() if name in _EXTRA)
    words = tuple(reasons[name][1] for name in sorted(reasons, key=lambda name: -extra[name]))
    middle = (top + bottom) / 2, (left + right) / 2
    return Suspect(instance.id, middle, instance.mask.box, min(1.0, score), words)


def _missed(mask: Mask) -> Suspect:
    top, left, bottom, right = mask.box
    middle = (top + bottom) / 2, (left + right) / 2
    return Suspect(None, middle, mask.box, MISSED_SCORE, ("looks like a particle that has no mask",))
