"""What an engine is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.stages import StageTimes


@dataclass(frozen=True)
class Floors:
    """The collection floors: sliders end here.

    Attributes
    ----------
    pred_iou : float
        Masks with a lower predicted IoU are not kept.
    logit : float
        Cells at or below this logit lie outside a mask's support.
    """

    pred_iou: float = 0.3
    logit: float = -2.0


@dataclass(frozen=True)
class Search:
    """What an engine looks for in one encoded part of a micrograph.

    Attributes
    ----------
    shape : tuple of int
        Shape of the whole micrograph.
    floors : Floors
        What is kept.
    thresholds : Thresholds
        Which masks are confident enough that no further prompt is spent on them.
    points_per_side : int
        Of the finest grid over the part.
    least_radius : float
        Particles of a smaller inscribed radius, in input pixels, may be left out.
    autocast : bool
        Whether CUDA computes in half precision.
    token : CancelToken
        Stops between two batches of prompts.
    times : StageTimes
        Where seconds are counted.
    own : tuple of int, optional
        ``(top, left, bottom, right)`` in the micrograph outside of which the locator's centres are left to
        the neighbouring part; everywhere where None.
    """

    shape: tuple[int, int]
    floors: Floors = field(default_factory=Floors)
    thresholds: Thresholds = field(default_factory=Thresholds)
    points_per_side: int = 32
    least_radius: float = 0.0
    autocast: bool = False
    token: CancelToken = field(default_factory=CancelToken)
    times: StageTimes = field(default_factory=StageTimes)
    own: tuple[int, int, int, int] | None = None
