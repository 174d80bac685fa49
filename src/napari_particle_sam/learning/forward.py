"""One training pass: crops and prompts through encoder, decoder and locator to losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from segment_anything.modeling import Sam
from torch import Tensor

from napari_particle_sam.annotation.regions import REVIEWED
from napari_particle_sam.learning import losses
from napari_particle_sam.learning.crops import Crop
from napari_particle_sam.learning.mask_targets import mask_targets
from napari_particle_sam.learning.prompts import PromptSet
from napari_particle_sam.learning.targets import dense_targets
from napari_particle_sam.sam.decoding import mask_logits, run_transformer


@dataclass(frozen=True)
class LossWeights:
    """Weights of the parts of the loss; `entropy` chooses cross-entropy instead of focal loss."""

    mask: float = 1.0
    pixel: float = 20.0
    predicted_iou: float = 1.0
    locator: float = 1.0
    entropy: bool = False


@dataclass(frozen=True)
class Sample:
    """A crop, its prompts, and the crop's place ``(row, col)`` in the model's square input."""

    crop: Crop
    prompts: PromptSet | None
    place: tuple[int, int]


def to_input(sam: Sam, samples: list[Sample]) -> Tensor:
    """Normalise crops as ``Sam.preprocess`` does, zeros where they reach beyond the picture."""
    grey = torch.from_numpy(np.stack([s.crop.grey for s in samples])).to(sam.device)
    inside = torch.from_numpy(np.stack([s.crop.inside for s in samples])).to(sam.device)
    pixels = (grey[:, None] - sam.pixel_mean) / sam.pixel_std
    return pixels * inside[:, None]


def decode(
    sam: Sam,
    embedding: Tensor,
    place: tuple[int, int],
    points: tuple[Tensor, Tensor] | None,
    boxes: Tensor | None,
    mask_input: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Decode prompts on the embedding of a crop that stands somewhere in the input square.

    Parameters
    ----------
    sam : Sam
        The model.
    embedding : Tensor of shape (1, C, h, w)
        Features of the crop.
    place : tuple of int
        ``(row, col)`` of the crop's corner in input pixels, a multiple of the stride.
    points : tuple of Tensor, optional
        Coordinates (N, P, 2) as ``(col, row)`` in crop pixels, and labels (N, P).
    boxes : Tensor of shape (N, 4), optional
        Boxes in crop pixels.
    mask_input : Tensor of shape (N, 1, 4h, 4w), optional
        Previous logits.

    Returns
    -------
    tuple of Tensor
        Logits (N, 4, 4h, 4w) and predicted IoU (N, 4), the single-mask token first.
    """
    height, width = embedding.shape[-2:]
    pe = sam.prompt_encoder.get_dense_pe()
    stride = sam.image_encoder.img_size // pe.shape[-1]
    row, col = place[0] // stride, place[1] // stride
    shift = torch.tensor([place[1], place[0]], dtype=torch.float32, device=embedding.device)
    if points is not None:
        points = (points[0] + shift, points[1])
    if boxes is not None:
        boxes = boxes + shift.repeat(2)
    sparse, dense = sam.prompt_encoder(points=points, boxes=boxes, masks=mask_input)
    dense = dense[:, :, :height, :width]
    out, image = run_transformer(
        sam, embedding, sparse, dense if mask_input is not None else dense[:1],
        pe[:, :, row : row + height, col : col + width],
    )  # fmt: skip
    logits = mask_logits(sam, out[:, 1 : 1 + sam.mask_decoder.num_mask_tokens], image, (height, width))
    return logits, sam.mask_decoder.iou_prediction_head(out[:, 0])


def forward_samples(
    sam: Sam,
    samples: list[Sample],
    weights: LossWeights,
    rng: np.random.Generator,
    corrections: int = 0,
) -> tuple[Tensor, dict[str, float]]:
    """Compute the training loss of a batch.

    Parameters
    ----------
    sam : Sam
        The model, in training mode; with an attribute ``locator`` where one is trained.
    samples : list of Sample
        The batch.
    weights : LossWeights
        Weights of its parts.
    rng : numpy.random.Generator
        Chooses corrective points.
    corrections : int
        Corrective prompts that follow the first one.

    Returns
    -------
    tuple
        The loss to differentiate, and its parts as plain numbers.
    """
    embeddings = sam.image_encoder(to_input(sam, samples))
    report: dict[str, list[float]] = {}
    # Where a crop has nothing to learn from, the loss is 0 and still has a gradient.
    total = 0 * embeddings.sum()
    locator = getattr(sam, "locator", None)
    if locator is not None and weights.locator > 0:
        part = _locator_part(locator(embeddings), samples)
        total = total + weights.locator * part
        report["locator"] = [part.item()]
    asked = [i for i, s in enumerate(samples) if s.prompts is not None]
    for i in asked:
        part, numbers = _prompted_part(sam, embeddings[i : i + 1], samples[i], weights, rng, corrections)
        total = total + weights.mask * part / len(asked)
        for key, value in numbers.items():
            report.setdefault(key, []).append(value)
    return total, {key: float(np.nanmean(v)) for key, v in report.items() if not np.all(np.isnan(v))}


def _locator_part(maps: Tensor, samples: list[Sample]) -> Tensor:
    factor = samples[0].crop.labels.shape[0] // maps.shape[-1]
    grid = (slice(factor // 2, None, factor),) * 2
    reviewed = [s.crop.regions[grid] == REVIEWED for s in samples]
    rendered = [dense_targets(s.crop.labels[grid], factor, r) for s, r in zip(samples, reviewed, strict=True)]
    weight = torch.from_numpy(np.stack(reviewed)).to(maps)
    return losses.locator_loss(maps, torch.from_numpy(np.stack(rendered)).to(maps.device), weight)


def _prompted_part(
    sam: Sam,
    embedding: Tensor,
    sample: Sample,
    weights: LossWeights,
    rng: np.random.Generator,
    corrections: int,
) -> tuple[Tensor, dict[str, float]]:
    points, boxes = _tensors(sample.prompts, embedding.device)
    logits, scores = decode(sam, embedding, sample.place, points, boxes)
    wanted = _wanted(sample, logits)
    loss, numbers = _multimask_loss(logits, scores, wanted, weights, boxes is not None)
    for _ in range(corrections if points is not None and bool(wanted.asks.any()) else 0):
        rows = torch.arange(len(logits), device=logits.device)
        chosen = logits.detach()[rows, 1 + scores[:, 1:].argmax(1)]
        points = _add_correction(rng, points, chosen, wanted, sample.crop.labels.shape[0])
        logits, scores = decode(sam, embedding, sample.place, points, None, chosen[:, None].clamp(-20, 20))
        again, _ = _multimask_loss(logits, scores, wanted, weights, True)
        loss = loss + again / max(corrections, 1)
    return loss, numbers


def _tensors(prompts: PromptSet | None, device: Any) -> tuple[Any, Any]:
    assert prompts is not None
    if prompts.points is None:
        return None, torch.from_numpy(prompts.boxes).to(device)
    coords = torch.from_numpy(prompts.points)[:, None].to(device)
    return (coords, torch.ones(coords.shape[:2], dtype=torch.int64, device=device)), None


@dataclass(frozen=True)
class _Wanted:
    """Targets and weights (N, rows, cols) of a crop's prompts, and which (N,) ask for a particle."""

    target: Tensor
    weight: Tensor
    asks: Tensor


def _wanted(sample: Sample, logits: Tensor) -> _Wanted:
    assert sample.prompts is not None
    ids = np.asarray(sample.prompts.ids)
    target, weight = mask_targets(sample.crop, ids, (logits.shape[-2], logits.shape[-1]))
    return _Wanted(
        target.to(logits.device), weight.to(logits.device), torch.from_numpy(ids > 0).to(logits.device)
    )


def _multimask_loss(
    logits: Tensor, scores: Tensor, wanted: _Wanted, weights: LossWeights, single: bool
) -> tuple[Tensor, dict[str, float]]:
    """Best of three masks, every predicted IoU against its own mask, 0 on background points."""
    chosen = wanted.asks
    ious = losses.mask_iou(logits, wanted.target[:, None], wanted.weight[:, None]) * chosen[:, None]
    part = weights.predicted_iou * ((scores - ious) ** 2).mean()
    numbers = {"iou_error": (scores - ious)[:, 1:].abs().mean().item()}
    if bool(chosen.any()):
        per_mask = _mask_loss(logits[chosen], wanted.target[chosen], wanted.weight[chosen], weights)
        best = per_mask[:, 1:].min(1).values.mean()
        part = part + best + (0.5 * per_mask[:, 0].mean() if single else 0.0)
        numbers["mask"] = best.item()
        numbers["iou_best"] = ious[chosen][:, 1:].max(1).values.mean().item()
        choice = scores[chosen][:, 1:].argmax(1)
        iou = ious[chosen][:, 1:].gather(1, choice[:, None])
        numbers["iou_chosen"] = iou.mean().item()
        numbers["dice_chosen"] = (2 * iou / (1 + iou)).mean().item()
    return part, numbers


def _mask_loss(logits: Tensor, target: Tensor, weight: Tensor, weights: LossWeights) -> Tensor:
    """Return the loss (N, M) of masks (N, M, rows, cols) against targets (N, rows, cols)."""
    target, weight = (x[:, None].expand_as(logits) for x in (target, weight))
    dice = losses.dice_loss(logits, target, weight)
    if weights.entropy:
        return dice + losses.entropy_loss(logits, target, weight)
    return dice + weights.pixel * losses.focal_loss(logits, target, weight)


def _add_correction(
    rng: np.random.Generator,
    points: tuple[Tensor, Tensor],
    chosen: Tensor,
    wanted: _Wanted,
    size: int,
) -> tuple[Tensor, Tensor]:
    maps = (chosen > 0, wanted.target > 0.5, wanted.weight > 0)
    found, right, known = (m.cpu().numpy() for m in maps)
    cell = size / found.shape[-1]
    rows = [_wrong_pixel(rng, *row) for row in zip(found, right, known, strict=True)]
    coords = torch.tensor([[[(c + 0.5) * cell, (r + 0.5) * cell]] for r, c, _ in rows])
    labels = torch.tensor([[label] for *_, label in rows])
    return (
        torch.cat([points[0], coords.to(points[0])], 1),
        torch.cat([points[1], labels.to(points[1])], 1),
    )


def _wrong_pixel(
    rng: np.random.Generator, found: NDArray[np.bool_], wanted: NDArray[np.bool_], known: NDArray[np.bool_]
) -> tuple[int, int, int]:
    """Draw a pixel of the largest wrong region, else any known one: row, col, and whether it belongs."""
    wrong, count = ndimage.label((found != wanted) & known)
    largest = 1 + int(np.argmax(np.bincount(wrong.ravel())[1:])) if count else 0
    flat = np.flatnonzero(wrong == largest if count else known)
    row, col = np.unravel_index(int(rng.choice(flat)), found.shape)
    return int(row), int(col), int(wanted[row, col])
