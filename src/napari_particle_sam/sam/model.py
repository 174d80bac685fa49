"""A model that is ready to use: the network, what it is called, and how it wants to be run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide

from napari_particle_sam.annotation.candidates import Frame
from napari_particle_sam.annotation.thresholds import Thresholds


@dataclass(frozen=True)
class SamModel:
    """A loaded model.

    Attributes
    ----------
    name : str
        What the user asked for.
    fingerprint : str
        The base's tensor fingerprint.
    sam : segment_anything.modeling.Sam
        The network in evaluation mode, adapter merged.
    thresholds : Thresholds
        The model's own defaults.
    adapter : str or None
        Identity of the merged adapter.
    """

    name: str
    fingerprint: str
    sam: Sam
    thresholds: Thresholds
    adapter: str | None = None

    @property
    def img_size(self) -> int:
        """Side of the square input in pixels."""
        return int(self.sam.image_encoder.img_size)

    @property
    def low_res(self) -> int:
        """Side of the mask logits."""
        return 4 * int(self.sam.prompt_encoder.image_embedding_size[0])

    @property
    def has_locator(self) -> bool:
        """Whether the model proposes its own prompts."""
        return getattr(self.sam, "locator", None) is not None


@dataclass(frozen=True)
class Embedding:
    """Features of one part of a micrograph, with the place they are from.

    Attributes
    ----------
    features : torch.Tensor of shape (1, C, h, w)
        The encoder's output.
    locator : ndarray of float32 and shape (5, rows, cols), or None
        The locator's maps of the unpadded part.
    frame : Frame
        The part.
    """

    features: torch.Tensor
    locator: NDArray[np.float32] | None
    frame: Frame


@torch.inference_mode()
def encode(model: SamModel, picture: NDArray[np.uint8], window: tuple[int, int, int, int]) -> Embedding:
    """Encode one part of a micrograph.

    Parameters
    ----------
    model : SamModel
        The model.
    picture : ndarray of uint8 and shape (rows, cols)
        The normalised micrograph.
    window : tuple of int
        ``(top, left, rows, cols)`` of the part.

    Returns
    -------
    Embedding
        Its features.
    """
    top, left, rows, cols = window
    part = picture[top : top + rows, left : left + cols]
    sam = model.sam
    resized = ResizeLongestSide(model.img_size).apply_image(np.repeat(part[..., None], 3, 2))
    pixels = torch.as_tensor(resized, device=sam.device).permute(2, 0, 1)[None].float()
    features = sam.image_encoder(sam.preprocess(pixels))
    frame = Frame(top, left, rows, cols, *resized.shape[:2], model.img_size, model.low_res)
    maps = None
    if model.has_locator:
        full = sam.locator(features)[0]
        cell = model.img_size / full.shape[-1]
        used = [int(np.ceil(n / cell)) for n in resized.shape[:2]]
        maps = full[:, : used[0], : used[1]].float().cpu().numpy()
    return Embedding(features, maps, frame)
