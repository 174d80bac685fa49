"""Propose labels for one micrograph."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.label_map import Proposal, label_map, propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.model import SamModel


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
    """

    labels: NDArray[np.uint16]
    proposals: list[Proposal]
    candidates: Candidates
    seconds: dict[str, float]

    def scores(self) -> dict[int, tuple[float, float]]:
        """Return predicted IoU and stability score by label."""
        return {i: (p.predicted_iou, p.stability) for i, p in enumerate(self.proposals, start=1)}


def propose_labels(
    model: SamModel,
    micrograph: Micrograph,
    settings: GenerateSettings,
    thresholds: Thresholds,
    token: CancelToken,
) -> Generator[Event, None, Proposed]:
    """Collect candidates and turn them into a label map.

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

    Yields
    ------
    Progress
        One per network pass.

    Returns
    -------
    Proposed
        Labels, scores and candidates.
    """
    began = time.perf_counter()
    found = yield from generate(model, micrograph.picture, settings, token, micrograph.field_rows)
    collected = time.perf_counter()
    proposals = propose(found, thresholds)
    labels = label_map(proposals, micrograph.shape)
    seconds = {"collect": collected - began, "label_map": time.perf_counter() - collected}
    return Proposed(labels, proposals, found, seconds)
