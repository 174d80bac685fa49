"""SAM's mask decoder in two halves: scores for all prompts, logits only for those worth it."""

from __future__ import annotations

import torch
from segment_anything.modeling import Sam
from torch import Tensor

from napari_particle_sam.sam.absorbed_transformer import two_way


def run_transformer(
    sam: Sam, features: Tensor, sparse: Tensor, dense: Tensor, position: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the decoder's transformer.

    Parameters
    ----------
    sam : Sam
        The model.
    features : Tensor of shape (1, C, h, w)
        The image embedding.
    sparse : Tensor of shape (N, P, C)
        Prompt tokens.
    dense : Tensor of shape (1 or N, C, h, w)
        Mask prompts; one where all prompts share it.
    position : Tensor of shape (1, C, h, w)
        The positional encoding of the image tokens.

    Returns
    -------
    tuple of Tensor
        All tokens (N, 5 + P, C), the IoU token first, then four mask tokens; and the image
        tokens (N, h * w, C).
    """
    decoder = sam.mask_decoder
    fixed = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([fixed[None].expand(len(sparse), -1, -1), sparse], 1)
    keys = (features + dense).flatten(2).transpose(1, 2)
    return two_way(decoder.transformer, keys, position[0].flatten(1).T, tokens)


def score_prompts(sam: Sam, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Run the decoder's transformer and IoU head on single positive points.

    Parameters
    ----------
    sam : Sam
        The model.
    features : Tensor of shape (1, C, h, w)
        The image embedding.
    points : Tensor of shape (N, 2)
        ``(col, row)`` in the padded input, float32.

    Returns
    -------
    tuple of Tensor
        Predicted IoU (N, 3) of the multimask outputs; the mask tokens (N, 3, C) and the image
        tokens (N, h * w, C) that `mask_logits` needs.
    """
    labels = torch.ones(points.shape[:1], dtype=torch.int64, device=points.device)
    sparse, dense = sam.prompt_encoder((points[:, None], labels[:, None]), None, None)
    position = sam.prompt_encoder.get_dense_pe()
    out, image = run_transformer(sam, features, sparse, dense[:1], position)
    decoder = sam.mask_decoder
    scores = decoder.iou_prediction_head(out[:, 0])[:, 1:]
    return scores, out[:, 2 : 1 + decoder.num_mask_tokens], image


def mask_logits(sam: Sam, mask_tokens: Tensor, image: Tensor, side: tuple[int, int]) -> Tensor:
    """Turn tokens into low-resolution logits.

    Parameters
    ----------
    sam : Sam
        The model.
    mask_tokens : Tensor of shape (N, K, C)
        The last K of the decoder's mask tokens.
    image : Tensor of shape (N, h * w, C)
        From the transformer.
    side : tuple of int
        ``(h, w)``.

    Returns
    -------
    Tensor of shape (N, K, 4h, 4w)
        The logits of the masks of every prompt.
    """
    decoder = sam.mask_decoder
    count, _, channels = image.shape
    upscaled = decoder.output_upscaling(image.transpose(1, 2).reshape(count, channels, *side))
    mlps = decoder.output_hypernetworks_mlps[-mask_tokens.shape[1] :]
    hyper = torch.stack([mlp(mask_tokens[:, i]) for i, mlp in enumerate(mlps)], 1)
    return (hyper @ upscaled.flatten(2)).unflatten(2, upscaled.shape[2:])
