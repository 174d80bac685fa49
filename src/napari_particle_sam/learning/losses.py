"""Losses on masks, on predicted IoU and on the locator's maps.

Each takes a weight per pixel, 1 everywhere by default; where it is 0, neither the loss nor its gradient
sees anything.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from napari_particle_sam.sam.locator_head import BOUNDARY, DISTANCE, FOREGROUND, OFFSET_ROW


def dice_loss(logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return 1 - soft Dice over the last two axes; shapes broadcast."""
    probability = logits.sigmoid()
    weight = torch.ones_like(target) if weight is None else weight
    overlap = (probability * target * weight).sum((-2, -1))
    total = (probability * weight).sum((-2, -1)) + (target * weight).sum((-2, -1))
    return 1 - (2 * overlap + 1) / (total + 1)


def focal_loss(logits: Tensor, target: Tensor, weight: Tensor | None = None, gamma: float = 2.0) -> Tensor:
    """Return the mean focal loss over the last two axes (Lin et al. 2017, alpha 0.25 as in SAM)."""
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    wrong = (logits.sigmoid() - target).abs()
    balance = 0.25 * target + 0.75 * (1 - target)
    return weighted_mean(balance * wrong**gamma * entropy, weight)


def entropy_loss(logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the mean binary cross-entropy over the last two axes."""
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return weighted_mean(entropy, weight)


def weighted_mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Return the weighted mean over the last two axes, 0 where nothing has weight."""
    if weight is None:
        return values.mean((-2, -1))
    return (values * weight).sum((-2, -1)) / weight.sum((-2, -1)).clamp(min=1)


@torch.no_grad()
def mask_iou(logits: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the IoU of ``logits > 0`` with ``target > 0.5`` over the last two axes."""
    found, wanted = logits > 0, target > 0.5
    if weight is not None:
        found, wanted = found & (weight > 0), wanted & (weight > 0)
    overlap = (found & wanted).sum((-2, -1)).float()
    union = (found | wanted).sum((-2, -1)).float()
    return torch.where(union > 0, overlap / union.clamp(min=1), torch.ones_like(union))


def locator_loss(maps: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the summed loss of the locator head.

    Parameters
    ----------
    maps, target : Tensor of shape (B, 5, rows, cols)
        What `LocatorHead` gives and what `dense_targets` renders.
    weight : Tensor of shape (B, rows, cols), optional
        1 where the targets are known, 0 elsewhere.

    Returns
    -------
    Tensor
        A scalar; the mean over known pixels of the whole batch.
    """
    if weight is None:
        weight = torch.ones_like(target[:, FOREGROUND])
    particle, known = target[:, FOREGROUND], weight.sum().clamp(min=1)
    entropy = functional.binary_cross_entropy_with_logits
    foreground = (entropy(maps[:, FOREGROUND], particle, reduction="none") * weight).sum() / known
    foreground = foreground + 0.5 * dice_loss(maps[:, FOREGROUND], particle, weight).mean()
    boundary = entropy(
        maps[:, BOUNDARY], target[:, BOUNDARY], pos_weight=maps.new_tensor(2.0), reduction="none"
    )
    distance = functional.smooth_l1_loss(maps[:, DISTANCE], target[:, DISTANCE], beta=0.1, reduction="none")
    offsets = slice(OFFSET_ROW, OFFSET_ROW + 2)
    error = functional.smooth_l1_loss(maps[:, offsets], target[:, offsets], beta=0.1, reduction="none")
    seen = particle * weight
    offset = (error * seen[:, None]).sum() / (2 * seen.sum() + 1)
    return foreground + ((boundary + 3 * distance) * weight).sum() / known + offset
