"""Losses on masks, on predicted IoU and on the locator's maps."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from napari_particle_sam.sam.locator_head import BOUNDARY, DISTANCE, FOREGROUND, OFFSET_ROW


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return 1 - soft Dice over the last two axes; shapes broadcast."""
    probability = logits.sigmoid()
    overlap = (probability * target).sum((-2, -1))
    total = probability.sum((-2, -1)) + target.sum((-2, -1))
    return 1 - (2 * overlap + 1) / (total + 1)


def focal_loss(logits: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    """Return the mean focal loss over the last two axes (Lin et al. 2017, alpha 0.25 as in SAM)."""
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    wrong = (logits.sigmoid() - target).abs()
    weight = 0.25 * target + 0.75 * (1 - target)
    return (weight * wrong**gamma * entropy).mean((-2, -1))


def entropy_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean binary cross-entropy over the last two axes."""
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return entropy.mean((-2, -1))


@torch.no_grad()
def mask_iou(logits: Tensor, target: Tensor) -> Tensor:
    """Return the IoU of ``logits > 0`` with ``target > 0.5`` over the last two axes."""
    found, wanted = logits > 0, target > 0.5
    overlap = (found & wanted).sum((-2, -1)).float()
    union = (found | wanted).sum((-2, -1)).float()
    return torch.where(union > 0, overlap / union.clamp(min=1), torch.ones_like(union))


def locator_loss(maps: Tensor, target: Tensor) -> Tensor:
    """Return the summed loss of the locator head.

    Parameters
    ----------
    maps, target : Tensor of shape (B, 5, rows, cols)
        What `LocatorHead` gives and what `dense_targets` renders.

    Returns
    -------
    Tensor
        A scalar.
    """
    particle = target[:, FOREGROUND]
    foreground = functional.binary_cross_entropy_with_logits(maps[:, FOREGROUND], particle)
    foreground = foreground + 0.5 * dice_loss(maps[:, FOREGROUND], particle).mean()
    boundary = functional.binary_cross_entropy_with_logits(
        maps[:, BOUNDARY], target[:, BOUNDARY], pos_weight=maps.new_tensor(2.0)
    )
    distance = functional.smooth_l1_loss(maps[:, DISTANCE], target[:, DISTANCE], beta=0.1)
    offsets = slice(OFFSET_ROW, OFFSET_ROW + 2)
    error = functional.smooth_l1_loss(maps[:, offsets], target[:, offsets], beta=0.1, reduction="none")
    offset = (error * particle[:, None]).sum() / (2 * particle.sum() + 1)
    return foreground + boundary + 3 * distance + offset
