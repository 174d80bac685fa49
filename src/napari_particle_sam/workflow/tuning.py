"""Thresholds that agree best with what was reviewed on one image."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.evaluation_cache import Evaluated, evaluate
from napari_particle_sam.annotation.label_map import Proposal, propose
from napari_particle_sam.annotation.regions import COUNTED_SHARE, IGNORE, REVIEWED, UNKNOWN
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.evaluation.matching import Pairs, match

#: IoU from which on a proposal is the reviewed particle.
SAME = 0.5
#: Less is no gain: of F1, and of the mean IoU where F1 stays.
LEAST_F1, LEAST_IOU = 1e-9, 0.005
#: No new thresholds are tried after so many seconds.
PATIENCE = 15.0
#: What is tried, the first two in every combination, the others one after the other.
IOUS = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
STABILITIES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
CUTS = (-0.6, -0.3, 0.0, 0.3, 0.6, 1.0)
DUPLICATES = (0.4, 0.5, 0.6, 0.7, 0.8)
UNITS = ("whole", "part")
MARGINS = (0.0, 0.05, 0.1, 0.2)
#: Smallest areas are tried at these shares of the smallest reviewed particle.
AREA_SHARES = (0.25, 0.5, 0.8)
#: Steps around the best predicted IoU and stability in the end.
FINE = (-0.04, -0.02, 0.02, 0.04)


@dataclass(frozen=True)
class Tuned:
    """Outcome of a search.

    Attributes
    ----------
    thresholds : Thresholds
        The best ones; those of the start where nothing was gained.
    before, after : float
        F1 at IoU 0.5 against the reviewed instances, 0 to 1.
    words : str
        A sentence for the user.
    gained : bool
        Whether they agree better than those of the start.
    """

    thresholds: Thresholds
    before: float
    after: float
    words: str
    gained: bool


@dataclass(frozen=True)
class _Agreement:
    f1: float
    iou: float

    def beats(self, other: _Agreement) -> bool:
        if abs(self.f1 - other.f1) > LEAST_F1:
            return self.f1 > other.f1
        return self.iou > other.iou + LEAST_IOU


def tune_on_corrections(
    candidates: Candidates,
    session: AnnotationSession,
    start: Thresholds,
    token: CancelToken,
    evaluated: Evaluated | None = None,
) -> Generator[Event, None, Tuned]:
    """Look for the thresholds whose label map agrees best with the reviewed instances.

    Only reviewed regions count, without the pixels of instances that nobody has accepted: what these are is
    not known. The session is read at the call, not later.

    Parameters
    ----------
    candidates : Candidates
        What the model saw.
    session : AnnotationSession
        The corrected image.
    start : Thresholds
        To begin with; others must agree better to be taken.
    token : CancelToken
        Stops the search between two tries.
    evaluated : Evaluated, optional
        The candidates' masks, if no other thread uses them meanwhile.

    Returns
    -------
    Generator
        Yields `Progress`, returns `Tuned`. It raises CancelledError if the token was cancelled.

    Raises
    ------
    BadValueError
        If no reviewed instance lies in a reviewed region, or `start` lies below the collection floor.
    """
    truth = _Truth(session)
    if not truth.counted.any():
        raise BadValueError(
            "No accepted particle lies in a reviewed region; accept some and finish a region first."
        )
    evaluated = evaluate(candidates, start) if evaluated is None else evaluated.at(start)
    return _search(_Trial(candidates, truth, evaluated), start, token)


def _search(trial: _Trial, start: Thresholds, token: CancelToken) -> Generator[Event, None, Tuned]:
    before = best = trial.agreement(start)
    thresholds, ends, done = start, time.monotonic() + PATIENCE, 0
    plan = _plan(start, trial.truth)
    total = sum(len(stage) for stage in plan)
    for stage in plan:
        base = thresholds
        for changes in stage:
            token.check()
            yield Progress(done, total, "tuning thresholds")
            done += 1
            new = _changed(base, changes, trial.floor)
            if new is None or time.monotonic() > ends:
                continue
            found = trial.agreement(new)
            if found.beats(best):
                thresholds, best = new, found
    words, gained = _words(before, best, trial.truth), best.beats(before)
    return Tuned(thresholds, before.f1, best.f1, words, gained)


Changes = dict[str, Any]


def _plan(start: Thresholds, truth: _Truth) -> list[list[Changes]]:
    """Return stages of changes; each stage starts from the best of those before it."""
    smallest = float(truth.areas[truth.counted].min())
    areas = [int(share * smallest) for share in AREA_SHARES]
    return [
        [{"pred_iou": iou, "stability": stability} for iou in IOUS for stability in STABILITIES],
        [{"unit": unit} for unit in UNITS if unit != start.unit],
        [{"mask_threshold": cut} for cut in CUTS],
        [{"nms": nms} for nms in DUPLICATES],
        [{"min_area": area} for area in areas],
        [{"nesting_margin": margin} for margin in MARGINS],
        [{"pred_iou": _Step(step)} for step in FINE],
        [{"stability": _Step(step)} for step in FINE],
    ]


@dataclass(frozen=True)
class _Step:
    """A change relative to the value so far."""

    by: float


def _changed(base: Thresholds, changes: Changes, floors: tuple[float, float]) -> Thresholds | None:
    """Return changed thresholds; None where they are the same or lie below the collection floors."""
    values = base.model_dump()
    for name, value in changes.items():
        values[name] = (
            round(min(1.0, max(0.0, values[name] + value.by)), 4) if isinstance(value, _Step) else value
        )
    new = Thresholds(**values)
    lowest_iou, lowest_logit = floors
    below = new.pred_iou < lowest_iou or new.mask_threshold - new.stability_offset < lowest_logit
    return None if below or new == base else new


class _Truth:
    """What is known of an image: the accepted particles, and where everything else is background."""

    def __init__(self, session: AnnotationSession) -> None:
        accepted = [i for i in session.instances.values() if i.status in ("accepted", "bulk")]
        self.labels = np.zeros(session.shape, np.int32)
        regions = session.regions.values.copy()
        regions[(session.labels > 0) & (regions != IGNORE)] = UNKNOWN
        for number, instance in enumerate(accepted, start=1):
            window, crop = instance.mask.window, instance.mask.crop
            self.labels[window][crop] = number
            regions[window][crop] = session.regions.values[window][crop]
        self.reviewed: NDArray[np.bool_] = regions == REVIEWED
        self.usable: NDArray[np.bool_] = regions != IGNORE
        self.labels[~self.usable] = 0
        self.areas = np.bincount(self.labels.ravel(), minlength=len(accepted) + 1)[1:]
        inside = np.bincount(self.labels[self.reviewed], minlength=len(accepted) + 1)[1:]
        self.counted: NDArray[np.bool_] = (self.areas > 0) & (inside >= COUNTED_SHARE * self.areas)

    def compare(self, proposals: list[Proposal]) -> _Agreement:
        """Return F1 at IoU 0.5 and the mean IoU of the matches."""
        preds, truths = len(proposals), len(self.areas)
        areas, seen = np.zeros((2, preds), np.int64)
        rows, cols, shared = [], [], []
        for row, proposal in enumerate(proposals):
            window, crop = proposal.mask.window, proposal.mask.crop & self.usable[proposal.mask.window]
            counts = np.bincount(self.labels[window][crop], minlength=1)
            met = np.flatnonzero(counts[1:])
            areas[row], seen[row] = counts.sum(), np.count_nonzero(self.reviewed[window] & crop)
            rows.append(np.full(len(met), row))
            cols.append(met)
            shared.append(counts[met + 1])
        pairs = Pairs(
            np.arange(preds), np.arange(truths), areas, self.areas, _joined(rows), _joined(cols),
            _joined(shared),
        )  # fmt: skip
        return self._judge(pairs, seen)

    def _judge(self, pairs: Pairs, seen: NDArray[np.int64]) -> _Agreement:
        # As `score_image` does: what matches a particle that does not count is neither right nor wrong.
        every = match(pairs, SAME)
        outside = every[~self.counted[pairs.cols[every]]]
        counting = pairs.among(np.ones(len(pairs.pred_ids), bool), self.counted)
        matched = match(counting, SAME)
        false = (pairs.pred_areas > 0) & (seen >= COUNTED_SHARE * pairs.pred_areas)
        false[counting.rows[matched]] = False
        false[pairs.rows[outside]] = False
        right, wrong = len(matched), int(false.sum())
        missed = int(self.counted.sum()) - right
        iou = float(counting.iou[matched].mean()) if right else 0.0
        return _Agreement(2 * right / (2 * right + wrong + missed), iou)


def _joined(parts: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64)


class _Trial:
    """Filters candidates by thresholds and compares the result with the truth."""

    def __init__(self, candidates: Candidates, truth: _Truth, evaluated: Evaluated) -> None:
        self.truth, self.floor = truth, (candidates.floor_iou, candidates.floor_logit)
        self._candidates, self._evaluated = candidates, evaluated

    def agreement(self, thresholds: Thresholds) -> _Agreement:
        """Return how well the label map at some thresholds agrees."""
        return self.truth.compare(propose(self._candidates, thresholds, self._evaluated))


def _words(before: _Agreement, after: _Agreement, truth: _Truth) -> str:
    count = int(truth.counted.sum())
    on = "1 reviewed particle" if count == 1 else f"{count} reviewed particles"
    if after.f1 > before.f1 + LEAST_F1:
        return f"Agreement (F1) with {on} rises from {before.f1:.2f} to {after.f1:.2f}."
    if after.beats(before):
        return (
            f"Agreement (F1) with {on} stays {before.f1:.2f}; outlines fit better, "
            f"mean IoU {before.iou:.2f} to {after.iou:.2f}."
        )
    return f"Nothing is gained: no other thresholds agree better with {on} (F1 {before.f1:.2f})."
