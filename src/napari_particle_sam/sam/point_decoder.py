"""SAM's decoder over many single points of one image."""

from __future__ import annotations

from typing import Protocol

import torch
from segment_anything.modeling import Sam
from torch import Tensor

from napari_particle_sam.sam.buffered_transformer import BufferedTransformer
from napari_particle_sam.sam.decoding import mask_logits, score_prompts
from napari_particle_sam.sam.token_upscaler import TokenUpscaler


class PointDecoder(Protocol):
    """Scores first; logits only of the prompts that are worth them."""

    batch: int

    def score(self, points: Tensor) -> Tensor:
        """Return the predicted IoU (N, 3) of points (N, 2), ``(col, row)`` in the padded input."""
        ...

    def logits(self, index: Tensor) -> Tensor:
        """Return the logits (K, 3, 4h, 4w) of some of the points that were scored last."""
        ...


def point_decoder(sam: Sam, features: Tensor, autocast: bool = False) -> PointDecoder:
    """Return the decoder that suits the device.

    Parameters
    ----------
    sam : Sam
        The model.
    features : Tensor of shape (1, C, h, w)
        The image embedding.
    autocast : bool
        Whether CUDA computes in half precision.

    Returns
    -------
    PointDecoder
        In reused buffers on a CPU.
    """
    if features.device.type == "cpu":
        return BufferedDecoder(sam, features)
    return BatchedDecoder(sam, features, autocast)


class BatchedDecoder:
    """Large batches, for devices with memory and bandwidth.

    Parameters
    ----------
    sam : Sam
        The model.
    features : Tensor of shape (1, C, h, w)
        The image embedding.
    autocast : bool
        Whether CUDA computes in half precision.
    """

    batch = 64

    def __init__(self, sam: Sam, features: Tensor, autocast: bool = False) -> None:
        self._sam, self._features = sam, features
        self._autocast = autocast and features.device.type == "cuda"
        self._tokens = self._image = features

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._features.device.type, torch.float16, enabled=self._autocast)

    @torch.inference_mode()
    def score(self, points: Tensor) -> Tensor:
        """Return the predicted IoU (N, 3) of points (N, 2)."""
        with self._precision():
            scores, self._tokens, self._image = score_prompts(self._sam, self._features, points)
        return scores.float()

    @torch.inference_mode()
    def logits(self, index: Tensor) -> Tensor:
        """Return the logits (K, 3, 4h, 4w) of some of them."""
        with self._precision():
            found = mask_logits(self._sam, self._tokens[index], self._image[index], self._features.shape[-2:])
        return found.float()


class BufferedDecoder:
    """Few prompts at a time, in buffers that are made once.

    Parameters
    ----------
    sam : Sam
        The model.
    features : Tensor of shape (1, C, h, w)
        The image embedding.
    """

    batch = 4

    @torch.inference_mode()
    def __init__(self, sam: Sam, features: Tensor) -> None:
        self._sam, self._decoder = sam, sam.mask_decoder
        self._side = (int(features.shape[-2]), int(features.shape[-1]))
        _, dense = sam.prompt_encoder(None, None, None)
        keys = (features + dense)[0].flatten(1).T
        position = sam.prompt_encoder.get_dense_pe()[0].flatten(1).T
        transformer = self._decoder.transformer
        self._transformer = BufferedTransformer(transformer, keys, position, self.batch)
        self._fixed = torch.cat([self._decoder.iou_token.weight, self._decoder.mask_tokens.weight])
        self._upscaler = TokenUpscaler(self._decoder.output_upscaling)
        self._tokens = self._image = keys

    @torch.inference_mode()
    def score(self, points: Tensor) -> Tensor:
        """Return the predicted IoU (N, 3) of at most `batch` points (N, 2)."""
        labels = torch.ones((len(points), 1), dtype=torch.int64, device=points.device)
        sparse, _ = self._sam.prompt_encoder((points[:, None], labels), None, None)
        tokens = torch.cat([self._fixed[None].expand(len(points), -1, -1), sparse], 1)
        out, self._image = self._transformer(tokens)
        self._tokens = out[:, 2 : 1 + self._decoder.num_mask_tokens]
        return self._decoder.iou_prediction_head(out[:, 0])[:, 1:]

    @torch.inference_mode()
    def logits(self, index: Tensor) -> Tensor:
        """Return the logits (K, 3, 4h, 4w) of some of them."""
        tokens = self._tokens[index]
        mlps = self._decoder.output_hypernetworks_mlps[-tokens.shape[1] :]
        hyper = torch.stack([mlp(tokens[:, i]) for i, mlp in enumerate(mlps)], 1)
        found = [self._upscaler(self._image[i], h, self._side) for i, h in zip(index, hyper, strict=True)]
        return torch.stack(found)
