"""Propose labels for one micrograph."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.label_map import Proposal, label_map, propose
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.workflow.collecting import CandidateCache, collect_candidates


@dataclass(frozen=True)
class Proposed:
    """What was proposed for one micrograph.

    Attributes
    ----------
    labels : ndarray of uint16 and shape (rows, cols)
        The label map, in the file's own size.
    proposals : list of Proposal
        Label ``i + 1`` is ``proposals[i]``.
    candidates : Candidates
        To filter again without the network.
    seconds : dict
        Wall time by stage.
    from_cache : bool
        Whether the candidates were kept by an earlier job.
    """

    labels: NDArray[np.uint16]
    proposals: list[Proposal]
    candidates: Candidates
    seconds: dict[str, float]
    from_cache: bool = False

    def scores(self) -> dict[int, tuple[float, float]]:
        """Return predicted IoU and stability score by label."""
        return {i: (p.predicted_iou, p.stability) for i, p in enumerate(self.proposals, start=1)}


def propose_labels(
    model: SamModel,
    micrograph: Micrograph,
    settings: GenerateSettings,
    thresholds: Thresholds,
    token: CancelToken,
    regions: RegionMap | None = None,
    cache: CandidateCache | None = None,
) -> Generator[Event, None, Proposed]:
    """Collect candidates and turn them into a label map.

    The percentiles of the normalisation come from all rows of the field of view, ignored places within it
    included: a model sees the same picture with and without a region map.

    Parameters
    ----------
    model : SamModel
        The model.
    micrograph : Micrograph
        The image; its data bar stays background.
    settings : GenerateSettings
        How to collect.
    thresholds : Thresholds
        How to filter.
    token : CancelToken
        Stops the job.
    regions : RegionMap, optional
        Nothing is proposed where it says ignore.
    cache : CandidateCache, optional
        Where candidates are looked for and kept.

    Yields
    ------
    Event
        Progress of the network passes.

    Returns
    -------
    Proposed
        Labels, scores and candidates.
    """
    collected = yield from collect_candidates(model, micrograph, settings, token, cache)
    with collected.times.stage("label_map"):
        proposals = propose(collected.candidates, thresholds)
        if regions is not None:
            proposals = cut_ignored(proposals, regions, thresholds.min_area)
        labels = label_map(proposals, micrograph.shape)
    seconds = collected.times.seconds
    return Proposed(labels, proposals, collected.candidates, seconds, collected.from_cache)


def cut_ignored(proposals: list[Proposal], regions: RegionMap, min_area: int = 1) -> list[Proposal]:
    """Cut the pixels that a region map ignores from proposals.

    Parameters
    ----------
    proposals : list of Proposal
        Disjoint masks.
    regions : RegionMap
        Of the micrograph.
    min_area : int
        A proposal that keeps fewer pixels goes.

    Returns
    -------
    list of Proposal
        Without those of which at least half is ignored; of the others the largest component of what is left.
    """
    kept, ignored = [], regions.ignored
    for proposal in proposals:
        mask = proposal.mask
        crop = mask.crop & ~ignored[mask.window]
        if 2 * np.count_nonzero(crop) <= mask.area:
            continue
        rest, _ = Mask.from_array(crop, mask.top, mask.left).largest_component()
        if rest.area >= min_area:
            kept.append(replace(proposal, mask=rest, lost=proposal.lost + mask.area - rest.area))
    return kept
