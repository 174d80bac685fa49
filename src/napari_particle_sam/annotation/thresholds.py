"""Everything that re-filters candidates without the network."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Thresholds(BaseModel):
    """Thresholds from candidates to a label map."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pred_iou: float = Field(0.6, ge=0, le=1, title="Predicted IoU", description="Lowest predicted IoU.")
    stability: float = Field(
        0.8, ge=0, le=1, title="Stability score", description="Lowest IoU of the mask cut high and low."
    )
    stability_offset: float = Field(
        1.0, gt=0, le=5, title="Stability offset", description="How far the cut moves, in logits."
    )
    mask_threshold: float = Field(
        0.0, ge=-5, le=5, title="Mask threshold", description="Logit above which a pixel belongs."
    )
    nms: float = Field(
        0.6, gt=0, le=1, title="Duplicate IoU", description="Masks that agree better than this are one."
    )
    min_area: int = Field(50, ge=0, title="Smallest area", description="In pixels.")
    max_area_share: float = Field(
        0.9, gt=0, le=1, title="Largest area", description="As a share of the field of view."
    )
    unit: Literal["whole", "part"] = Field(
        "whole", title="Unit of counting", description="Whole particles or the parts they are made of."
    )
    nesting_margin: float = Field(
        0.1,
        ge=0,
        le=1,
        title="Nesting margin",
        description="An outer mask gives way when its predicted IoU is this much below the inner ones'.",
    )
