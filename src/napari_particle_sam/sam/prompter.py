"""Masks from clicks, at the scale that fits the particles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.sam.decoding import mask_logits, run_transformer
from napari_particle_sam.sam.engines.collect import crop_support
from napari_particle_sam.sam.engines.guided import pixels_per_cell
from napari_particle_sam.sam.locator import typical_diameter
from napari_particle_sam.sam.model import Embedding, SamModel, encode
from napari_particle_sam.sam.scale import choose_scale

#: Cells at or below this logit cannot belong to a prompted mask.
FLOOR = -2.0


class Prompter:
    """Draws a mask from clicks on one micrograph; encodes each part of it once.

    Parameters
    ----------
    model : SamModel
        The model.
    picture : ndarray of uint8 and shape (rows, cols)
        The normalised field of view.
    """

    def __init__(self, model: SamModel, picture: NDArray[np.uint8]) -> None:
        self.model, self.picture = model, picture
        self._embeddings: dict[tuple[int, int, int, int], Embedding] = {}
        self._last: tuple[tuple, torch.Tensor] | None = None
        self.side = self._tile_side()

    def _tile_side(self) -> int:
        """Return the side, in image pixels, of what the network sees around a click."""
        diameter = None
        if self.model.has_locator:
            whole = self._embedding((0, 0, *self.picture.shape))
            found = typical_diameter(whole.locator, pixels_per_cell(self.model))
            diameter = found and found * max(self.picture.shape) / self.model.img_size
        return round(self.model.img_size / choose_scale(self.picture.shape, self.model.img_size, diameter))

    def _embedding(self, window: tuple[int, int, int, int]) -> Embedding:
        if window not in self._embeddings:
            self._embeddings[window] = encode(self.model, self.picture, window)
        return self._embeddings[window]

    def _window(self, point: tuple[int, int, bool]) -> tuple[int, int, int, int]:
        """Return the tile around a click, on a coarse raster so that neighbours share it."""
        out = []
        for at, length in zip(point[:2], self.picture.shape, strict=True):
            side = min(self.side, length)
            step = max(side // 4, 1)
            start = round((at - side / 2) / step) * step
            out.append((int(np.clip(start, 0, length - side)), side))
        return out[0][0], out[1][0], out[0][1], out[1][1]

    def __call__(self, points: Sequence[tuple[int, int, bool]]) -> Mask:
        """Return the mask that the clicks ask for.

        Parameters
        ----------
        points : sequence of (row, col, positive)
            The first is positive; later ones correct the mask so far.

        Returns
        -------
        Mask
            The one of highest predicted IoU, in the micrograph's coordinates.
        """
        embedding = self._embedding(self._window(points[0]))
        key = tuple(points[:-1])
        before = self._last[1] if self._last is not None and self._last[0] == key else None
        logits, score = self._decode(embedding, points, before)
        self._last = (tuple(points), logits)
        return self._to_mask(embedding, logits[0].float().cpu().numpy(), score)

    @torch.inference_mode()
    def _decode(
        self, embedding: Embedding, points: Sequence[tuple[int, int, bool]], before: torch.Tensor | None
    ) -> tuple[torch.Tensor, float]:
        sam, frame = self.model.sam, embedding.frame
        scale = np.array([frame.input_cols / frame.cols, frame.input_rows / frame.rows], np.float32)
        coords = np.array([(c - frame.left + 0.5, r - frame.top + 0.5) for r, c, _ in points], np.float32)
        labels = torch.tensor([[int(p) for *_, p in points]], device=sam.device)
        at = torch.from_numpy(coords * scale)[None].to(sam.device)
        sparse, dense = sam.prompt_encoder((at, labels), None, None if before is None else before[None])
        position = sam.prompt_encoder.get_dense_pe()
        out, image = run_transformer(sam, embedding.features, sparse, dense, position)
        scores = sam.mask_decoder.iou_prediction_head(out[:, 0])
        tokens = out[:, 1 : 1 + sam.mask_decoder.num_mask_tokens]
        logits = mask_logits(sam, tokens, image, embedding.features.shape[-2:])
        first = 1 if len(points) == 1 else 0
        best = first + int(scores[0, first:].argmax())
        return logits[0, best][None].clamp(-20, 20), float(scores[0, best])

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
