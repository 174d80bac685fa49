"""Turn decoder outputs into candidates, cropped to their support."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.sam.decoding import mask_logits, score_prompts
from napari_particle_sam.sam.model import Embedding, SamModel


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


@torch.inference_mode()
def collect_points(
    model: SamModel,
    embedding: Embedding,
    points: NDArray[np.float32],
    floors: Floors,
    shape: tuple[int, int],
    batch: int | None = None,
) -> Candidates:
    """Prompt with single points and keep every mask above the floors.

    Parameters
    ----------
    model : SamModel
        The model.
    embedding : Embedding
        The encoded part of the micrograph.
    points : ndarray of float32 and shape (N, 2)
        ``(row, col)`` in input pixels.
    floors : Floors
        What to keep.
    shape : tuple of int
        Shape of the whole micrograph.
    batch : int, optional
        Prompts decoded together; by default few on a CPU, whose caches they must fit.

    Returns
    -------
    Candidates
        Up to three per prompt, in the order of the prompts.
    """
    batch = batch or (4 if model.sam.device.type == "cpu" else 64)
    rows: list[tuple[NDArray[np.float32], float, NDArray[np.float32], tuple[int, int]]] = []
    for start in range(0, len(points), batch):
        rows += _collect_batch(model, embedding, points[start : start + batch], floors)
    return _to_candidates(rows, embedding, shape, floors)


def _collect_batch(
    model: SamModel, embedding: Embedding, points: NDArray[np.float32], floors: Floors
) -> list:
    sam = model.sam
    coords = torch.from_numpy(np.ascontiguousarray(points[:, ::-1])).to(sam.device)
    scores, tokens, image = score_prompts(sam, embedding.features, coords)
    numbers = scores.float().cpu().numpy()
    wanted = numbers > floors.pred_iou
    index = np.flatnonzero(wanted.any(1))
    if len(index) == 0:
        return []
    pick = torch.from_numpy(index).to(sam.device)
    side = embedding.features.shape[-2:]
    logits = mask_logits(sam, tokens[pick], image[pick], side).float().cpu().numpy()
    found = []
    for k, i in enumerate(index):
        for m in np.flatnonzero(wanted[i]):
            crop, corner = crop_support(logits[k, m], floors.logit)
            if crop.size:
                found.append((points[i], float(numbers[i, m]), crop, corner))
    return found


def crop_support(
    logits: NDArray[np.float32], floor: float, pad: int = 2
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Cut logits to the cells above a floor, padded, and return them with their corner.

    Interpolated values are convex combinations of neighbours, so nothing outside the padded
    support can rise above the floor.
    """
    above = logits > floor
    rows, cols = np.flatnonzero(above.any(1)), np.flatnonzero(above.any(0))
    if len(rows) == 0:
        return np.zeros((0, 0), np.float32), (0, 0)
    r0, r1 = max(rows[0] - pad, 0), min(rows[-1] + 1 + pad, logits.shape[0])
    c0, c1 = max(cols[0] - pad, 0), min(cols[-1] + 1 + pad, logits.shape[1])
    return logits[r0:r1, c0:c1].copy(), (int(r0), int(c0))


def _to_candidates(rows: list, embedding: Embedding, shape: tuple[int, int], floors: Floors) -> Candidates:
    frame = embedding.frame
    scale = np.array([frame.rows / frame.input_rows, frame.cols / frame.input_cols], np.float32)
    points = np.array([r[0] for r in rows], np.float32).reshape(-1, 2) * scale
    return Candidates(
        shape,
        (frame,),
        np.zeros(len(rows), np.intp),
        points + np.array([frame.top, frame.left], np.float32),
        np.array([r[1] for r in rows], np.float32),
        tuple(r[2] for r in rows),
        np.array([r[3] for r in rows], np.intp).reshape(-1, 2),
        None,
        floors.pred_iou,
        floors.logit,
    )
