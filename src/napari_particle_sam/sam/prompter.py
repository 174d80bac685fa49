"""Masks from clicks and boxes, at the scale that fits the particles."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.sam.decoding import run_transformer
from napari_particle_sam.sam.engines.collect import crop_support
from napari_particle_sam.sam.engines.guided import pixels_per_cell
from napari_particle_sam.sam.locator import seen_area_fraction, typical_diameter
from napari_particle_sam.sam.model import Embedding, SamModel, encode
from napari_particle_sam.sam.scale import choose_scale
from napari_particle_sam.sam.token_upscaler import TokenUpscaler

#: Cells at or below this logit cannot belong to a prompted mask.
FLOOR = -2.0
#: So many encoded parts are kept; one takes about 4 MB.
KEPT_PARTS = 48
#: A box takes up at most this share of the part that is looked at.
BOX_SHARE = 0.75

#: ``(row, col, positive)``.
Point = tuple[int, int, bool]
#: ``(top, left, bottom, right)``, the last two exclusive.
Box = tuple[int, int, int, int]
Window = tuple[int, int, int, int]


class Prompter:
    """Draws masks from clicks and boxes on one micrograph; encodes each part of it once.

    Several threads may use one; they take turns.

    Parameters
    ----------
    model : SamModel
        The model.
    picture : ndarray of uint8 and shape (rows, cols)
        The normalised field of view.

    Attributes
    ----------
    side : int
        Side, in image pixels, of what the network sees around a click.
    """

    def __init__(self, model: SamModel, picture: NDArray[np.uint8]) -> None:
        self.model, self.picture = model, picture
        self._embeddings: OrderedDict[Window, Embedding] = OrderedDict()
        self._last: tuple[object, torch.Tensor] | None = None
        self._lock = threading.RLock()
        self._upscaler = TokenUpscaler(model.sam.mask_decoder.output_upscaling)
        self.side = self._tile_side()

    def _tile_side(self) -> int:
        diameter, packed, shape, size = None, 0.0, self.picture.shape, self.model.img_size
        if self.model.has_locator:
            whole = self._embedding((0, 0, *shape))
            pixel = pixels_per_cell(self.model)
            found = typical_diameter(whole.locator, pixel)
            diameter, packed = found and found * max(shape) / size, seen_area_fraction(whole.locator, pixel)
        return round(size / choose_scale(shape, size, diameter, packed))

    def look_at(self, point: tuple[int, int]) -> None:
        """Encode the part around ``(row, col)``, so that a click there is answered quickly."""
        with self._lock:
            self._embedding(self._window((*point, *point), self.side))

    def _embedding(self, window: Window) -> Embedding:
        if window not in self._embeddings:
            self._embeddings[window] = encode(self.model, self.picture, window)
            while len(self._embeddings) > KEPT_PARTS:
                self._embeddings.popitem(last=False)
        self._embeddings.move_to_end(window)
        return self._embeddings[window]

    def _window(self, around: Box, wanted: int) -> Window:
        """Return the part around the middle of a box, on a coarse raster so that neighbours share it."""
        out = []
        for low, high, length in zip(around[:2], around[2:], self.picture.shape, strict=True):
            side = min(wanted, length)
            step = max(side // 4, 1)
            start = round(((low + high) / 2 - side / 2) / step) * step
            out.append((int(np.clip(start, 0, length - side)), side))
        return out[0][0], out[1][0], out[0][1], out[1][1]

    def _part(self, points: Sequence[Point], box: Box | None) -> Window:
        """Return the part that shows all prompts: around the first where that will do."""
        first = box or _box_of(points[:1])
        extent = max(first[2] - first[0], first[3] - first[1])
        window = self._window(first, max(self.side, round(extent / BOX_SHARE)))
        whole = _box_of(points, first)
        top, left, rows, cols = window
        if whole[0] >= top and whole[1] >= left and whole[2] <= top + rows and whole[3] <= left + cols:
            return window
        extent = max(whole[2] - whole[0], whole[3] - whole[1])
        return self._window(whole, max(self.side, round(extent / BOX_SHARE)))

    def __call__(self, points: Sequence[Point]) -> Mask:
        """Return the mask that the clicks ask for; see `draw`."""
        return self.draw(points)[0]

    def draw(self, points: Sequence[Point], box: Box | None = None) -> tuple[Mask, float]:
        """Return the mask that clicks and a box ask for.

        Parameters
        ----------
        points : sequence of (row, col, positive)
            The first positive one says which particle is meant; negative ones before it count only beside a
            box. Later ones correct the mask so far.
        box : tuple of int, optional
            ``(top, left, bottom, right)`` around the particle, the last two exclusive.

        Returns
        -------
        mask : Mask
            The one of highest predicted IoU, in the micrograph's coordinates; may be empty.
        predicted_iou : float
            The model's own estimate, 0 to 1.

        Raises
        ------
        BadValueError
            If there is neither a positive click nor a box, or all of them lie outside the micrograph.
        """
        points, box = self._usable(points, box)
        with self._lock:
            window = self._part(points, box)
            embedding = self._embedding(window)
            key = (window, box, tuple(points[:-1]))
            before = self._last[1] if self._last is not None and self._last[0] == key else None
            logits, score = self._decode(embedding, points, box, before)
            self._last = ((window, box, tuple(points)), logits)
            mask = self._to_mask(embedding, logits[0].float().cpu().numpy(), score)
        return mask, min(max(score, 0.0), 1.0)

    def _usable(self, points: Sequence[Point], box: Box | None) -> tuple[list[Point], Box | None]:
        rows, cols = self.picture.shape
        if box is not None:
            box = max(box[0], 0), max(box[1], 0), min(box[2], rows), min(box[3], cols)
            if box[0] >= box[2] or box[1] >= box[3]:
                raise BadValueError("The box holds no pixel of the image; draw it around the particle.")
        inside = [p for p in points if 0 <= p[0] < rows and 0 <= p[1] < cols]
        if box is None:
            first = next((i for i, p in enumerate(inside) if p[2]), None)
            if first is None:
                raise BadValueError(
                    "Nothing says where the particle is; click on it before you click beside."
                )
            inside = inside[first:]
        return inside, box

    @torch.inference_mode()
    def _decode(
        self, embedding: Embedding, points: Sequence[Point], box: Box | None, before: torch.Tensor | None
    ) -> tuple[torch.Tensor, float]:
        sam, position = self.model.sam, self.model.sam.prompt_encoder.get_dense_pe()
        sparse, dense = sam.prompt_encoder(
            _to_points(embedding, points, sam.device),
            None if box is None else _to_boxes(embedding, box, sam.device),
            None if before is None else before[None],
        )
        out, image = run_transformer(sam, embedding.features, sparse, dense, position)
        scores = sam.mask_decoder.iou_prediction_head(out[:, 0])
        # One click is ambiguous; the first mask is for prompts that are not.
        first = 1 if len(points) == 1 and box is None else 0
        best = first + int(scores[0, first:].argmax())
        vector = sam.mask_decoder.output_hypernetworks_mlps[best](out[:, 1 + best])
        rows, cols = embedding.features.shape[-2:]
        return self._upscaler(image[0], vector, (rows, cols)).clamp(-20, 20), float(scores[0, best])

    def _to_mask(self, embedding: Embedding, logits: NDArray[np.float32], score: float) -> Mask:
        crop, corner = crop_support(logits, FLOOR)
        if crop.size == 0:
            return Mask(0, 0, np.zeros((0, 0), bool))
        one = Candidates(
            self.picture.shape, (embedding.frame,), np.zeros(1, np.intp), np.zeros((1, 2), np.float32),
            np.array([score], np.float32), (crop,), np.array([corner], np.intp),
        )  # fmt: skip
        full, top, left = one.full_logits(0)
        return Mask.from_array(full > 0, top, left)


def _box_of(points: Sequence[Point], box: Box | None = None) -> Box:
    """Return the box around points, and around another box."""
    boxes = [(r, c, r + 1, c + 1) for r, c, _ in points] + ([box] if box is not None else [])
    top, left, bottom, right = zip(*boxes, strict=True)
    return min(top), min(left), max(bottom), max(right)


def _scale(embedding: Embedding) -> NDArray[np.float32]:
    frame = embedding.frame
    return np.array([frame.input_cols / frame.cols, frame.input_rows / frame.rows], np.float32)


def _to_points(
    embedding: Embedding, points: Sequence[Point], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return points as SAM takes them: ``(col, row)`` in the padded input, and labels."""
    if not points:
        return None
    frame = embedding.frame
    coords = np.array([(c - frame.left + 0.5, r - frame.top + 0.5) for r, c, _ in points], np.float32)
    labels = torch.tensor([[int(p) for *_, p in points]], device=device)
    return torch.from_numpy(coords * _scale(embedding))[None].to(device), labels


def _to_boxes(embedding: Embedding, box: Box, device: torch.device) -> torch.Tensor:
    frame = embedding.frame
    corners = np.array([(box[1], box[0]), (box[3], box[2])], np.float32)
    corners = (corners - np.array([frame.left, frame.top], np.float32)) * _scale(embedding)
    return torch.from_numpy(corners.reshape(1, 4)).to(device)
