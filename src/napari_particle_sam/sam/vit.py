"""Meta's SAM with a ViT encoder, at its own 1024 px or at another input size."""

from __future__ import annotations

import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import Sam
from torch import nn
from torch.nn import functional

from napari_particle_sam.base.errors import BadValueError

ARCHITECTURES = ("vit_b", "vit_l", "vit_h")
PATCH = 16


def build_vit(architecture: str) -> Sam:
    """Build a SAM with random weights at 1024 px.

    Parameters
    ----------
    architecture : str
        One of `ARCHITECTURES`.

    Returns
    -------
    segment_anything.modeling.Sam
        In evaluation mode, without a locator.
    """
    return sam_model_registry[architecture](checkpoint=None).eval()


def change_input_size(sam: Sam, img_size: int) -> None:
    """Let a loaded ViT SAM work on another square input.

    The absolute positional embedding is interpolated once; SAM itself interpolates the
    relative ones.

    Parameters
    ----------
    sam : Sam
        The model, changed in place.
    img_size : int
        New side in pixels, a multiple of 16.

    Raises
    ------
    BadValueError
        If the side is no multiple of 16.
    """
    if img_size % PATCH or img_size <= 0:
        raise BadValueError(f"input size {img_size} is no multiple of {PATCH}; use 512 or 1024.")
    encoder, side = sam.image_encoder, img_size // PATCH
    if encoder.img_size == img_size:
        return
    with torch.no_grad():
        old = encoder.pos_embed.permute(0, 3, 1, 2)
        new = functional.interpolate(old, (side, side), mode="bicubic", align_corners=False)
        encoder.pos_embed = nn.Parameter(new.permute(0, 2, 3, 1).contiguous())
    encoder.img_size = img_size
    prompt = sam.prompt_encoder
    prompt.input_image_size = (img_size, img_size)
    prompt.image_embedding_size = (side, side)
    prompt.mask_input_size = (4 * side, 4 * side)
