"""Proposals for the image that is being reviewed: shown as they are found, and filtered anew at will."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_particle_sam.annotation.actions import Propose
from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.evaluation_cache import Evaluated
from napari_particle_sam.annotation.label_map import propose
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.storage.project.provenance import Beginning
from napari_particle_sam.workflow.reviewing.job import ProposalsFound, ReviewJob
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ModelShelf, ProposeSettings
from napari_particle_sam.workflow.reviewing.parts import Box, join_parts

if TYPE_CHECKING:
    from napari_particle_sam.sam.generate import GenerateSettings
    from napari_particle_sam.sam.model import SamModel
    from napari_particle_sam.workflow.collecting import CandidateCache

__all__ = ["ProposalsFound", "ReviewCandidates", "beginning_of", "proposal_action", "propose_for_review"]

#: Narrower parts of an image are not looked at, in pixels.
NARROWEST = 8
#: From here on count the proposals that stand for no candidate of the run.
NO_CANDIDATE = 2**30


@dataclass(frozen=True, eq=False)
class ReviewCandidates:
    """What a model saw in one image, to be filtered again without it.

    Attributes
    ----------
    candidates : Candidates
        In the micrograph's coordinates.
    run : str
        Their identity, under which proposals keep their ids.
    choice : ModelChoice
        The model that was asked for, the last one where parts were looked at with several.
    thresholds : Thresholds
        Those the job was given.
    fingerprint : str
        Of the model's base.
    from_cache : bool
        Whether an earlier job had kept them.
    adapter : str or None
        Identity of the adapter.
    everywhere : bool
        Whether the whole field of view was looked at, not parts only.
    """

    candidates: Candidates
    run: str
    choice: ModelChoice
    thresholds: Thresholds
    fingerprint: str
    from_cache: bool = False
    adapter: str | None = None
    everywhere: bool = True


def propose_for_review(
    shelf: ModelShelf,
    settings: ProposeSettings,
    micrograph: Micrograph,
    thresholds: Thresholds,
    token: CancelToken,
    window: Box | None = None,
    previous: ReviewCandidates | None = None,
    cache: CandidateCache | None = None,
) -> Generator[Event, None, ReviewCandidates]:
    """Collect the candidates of the image that is open, or of a part of it.

    Parameters
    ----------
    shelf : ModelShelf
        Where the model is from.
    settings : ProposeSettings
        Which model, and how to look.
    micrograph : Micrograph
        The image; its data bar is not looked at.
    thresholds : Thresholds
        With which masks are shown while the job runs.
    token : CancelToken
        Stops the job between two batches of prompts.
    window : tuple of int, optional
        ``(top, left, bottom, right)``: only particles prompted here are looked for. The model sees what lies
        beside it too, and the grey values as in the whole image.
    previous : ReviewCandidates, optional
        Candidates that stay outside the window; those that the cache holds of the whole image by default.
    cache : CandidateCache, optional
        Where candidates of whole images are looked for and kept.

    Yields
    ------
    Event
        Progress, and about once a second `ProposalsFound`.

    Returns
    -------
    ReviewCandidates
        The candidates; for `proposal_action`.

    Raises
    ------
    BadModelError
        If the model cannot be loaded.
    BadValueError
        If the window holds too little of the image, or engine and model do not fit.
    CancelledError
        If the token was cancelled.
    """
    yield Progress(0, 0, "loading the model")
    model = shelf.get(settings.choice)
    token.check()
    how = _generating(settings)
    job = ReviewJob(model, micrograph, how, thresholds, token, cache)
    if window is None:
        found, run, kept = yield from job.whole()
        return _result(found, run, settings, thresholds, model, kept)
    new, run = yield from job.part(_clipped(window, micrograph))
    everywhere = True
    if previous is not None:
        run, everywhere = previous.run, previous.everywhere
        joined = join_parts(previous.candidates, new, _clipped(window, micrograph))
    elif (known := job.known()) is not None:
        run, joined = job.key, join_parts(known, new, _clipped(window, micrograph))
    else:
        everywhere, joined = False, new
    return _result(joined, run, settings, thresholds, model, False, everywhere)


def _generating(settings: ProposeSettings) -> GenerateSettings:
    from napari_particle_sam.sam.generate import GenerateSettings

    return GenerateSettings(settings.engine, tiles=settings.tiles, points_per_side=settings.points_per_side)


def _result(
    found: Candidates, run: str, settings: ProposeSettings, thresholds: Thresholds, model: SamModel,
    kept: bool, everywhere: bool = True,
) -> ReviewCandidates:  # fmt: skip
    return ReviewCandidates(
        found, run, settings.choice, thresholds, model.fingerprint, kept, model.adapter, everywhere
    )


def _clipped(window: Box, micrograph: Micrograph) -> Box:
    top, left, bottom, right = window
    rows, cols = micrograph.field_rows, micrograph.shape[1]
    box = max(top, 0), max(left, 0), min(bottom, rows), min(right, cols)
    if min(box[2] - box[0], box[3] - box[1]) < NARROWEST:
        raise BadValueError(
            f"The part to look at shows less than {NARROWEST} px of the field of view; draw a larger one."
        )
    return box


def proposal_action(
    candidates: ReviewCandidates,
    thresholds: Thresholds,
    evaluated: Evaluated | None = None,
    drag: str = "",
    regions: RegionMap | None = None,
    session: AnnotationSession | None = None,
) -> Propose:
    """Return the action that replaces the unreviewed proposals of a session.

    Parameters
    ----------
    candidates : ReviewCandidates
        What the model saw.
    thresholds : Thresholds
        How to filter.
    evaluated : Evaluated, optional
        The candidates' masks, kept from an earlier call; they are measured anew where they do not fit.
    drag : str
        Proposals with one token become one step of the history.
    regions : RegionMap, optional
        Nothing is proposed where it says ignore.
    session : AnnotationSession, optional
        Where only parts of the image were looked at, its unreviewed proposals of other runs stay unless new
        ones cover half of them.

    Returns
    -------
    Propose
        For `AnnotationSession.apply`.

    Raises
    ------
    BadValueError
        If the thresholds reach below the logits that were collected.
    """
    from napari_particle_sam.workflow.propose import cut_ignored

    proposals = propose(candidates.candidates, thresholds, evaluated)
    if regions is not None:
        proposals = cut_ignored(proposals, regions, thresholds.min_area)
    action = Propose(
        tuple(p.mask for p in proposals),
        tuple((p.predicted_iou, p.stability) for p in proposals),
        tuple(p.candidate for p in proposals),
        candidates.run,
        drag,
    )
    return action if session is None or candidates.everywhere else _with_others(action, session)


def _with_others(action: Propose, session: AnnotationSession) -> Propose:
    taken = np.zeros(session.shape, bool)
    for mask in action.masks:
        taken[mask.window] |= mask.crop
    others = [
        i for i in session.instances.values()
        if not i.locked and (i.run != action.run or (i.candidate or 0) >= NO_CANDIDATE)
        and 2 * np.count_nonzero(taken[i.mask.window] & i.mask.crop) < i.mask.area
    ]  # fmt: skip
    return replace(
        action,
        masks=action.masks + tuple(i.mask for i in others),
        scores=action.scores + tuple((i.predicted_iou, i.stability) for i in others),
        candidates=action.candidates + tuple(_stand_in(i.id, i.candidate) for i in others),
    )


def _stand_in(label: int, candidate: int | None) -> int:
    return candidate if candidate is not None and candidate >= NO_CANDIDATE else NO_CANDIDATE + label


def beginning_of(candidates: ReviewCandidates) -> Beginning:
    """Return what a session begins with that starts from these candidates, for its provenance."""
    name = candidates.choice.name
    return Beginning(
        kind="model",
        model=Path(name).name or name,
        fingerprint=candidates.fingerprint,
        adapter=candidates.adapter,
        thresholds=candidates.thresholds,
    )
