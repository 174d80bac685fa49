"""SAM's two-way transformer with its image-side projections absorbed into the few tokens.

With keys K, positions P and one head, ``q (K W + P W + b)^T`` equals ``(q W^T) K^T + (q W^T) P^T``
plus a constant over the keys, which softmax drops; and ``softmax(.) (K W)`` equals
``(softmax(.) K) W``. So no projection of the 4,096 image tokens is computed per prompt, and the
image tokens of the first layer, the same for all prompts, are never copied.
"""

from __future__ import annotations

import math

import torch
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock, TwoWayTransformer
from torch import Tensor


def two_way(
    transformer: TwoWayTransformer, keys: Tensor, position: Tensor, tokens: Tensor
) -> tuple[Tensor, Tensor]:
    """Run the transformer on many prompts of one image.

    Parameters
    ----------
    transformer : TwoWayTransformer
        SAM's own.
    keys : Tensor of shape (1, M, C)
        Image tokens, the same for all prompts.
    position : Tensor of shape (M, C)
        Their positional encoding.
    tokens : Tensor of shape (N, T, C)
        Prompt tokens, which are their own positional encoding.

    Returns
    -------
    tuple of Tensor
        Tokens (N, T, C) and image tokens (N, M, C), equal to the stock transformer's up to rounding.
    """
    queries = tokens
    for layer in transformer.layers:
        queries, keys = _layer(layer, queries, keys, position, tokens)
    attention = transformer.final_attn_token_to_image
    queries = queries + _from_image(attention, queries + tokens, keys, position)
    return transformer.norm_final_attn(queries), keys


def _layer(
    layer: TwoWayAttentionBlock, queries: Tensor, keys: Tensor, position: Tensor, tokens: Tensor
) -> tuple[Tensor, Tensor]:
    if layer.skip_first_layer_pe:
        queries = layer.self_attn(q=queries, k=queries, v=queries)
    else:
        placed = queries + tokens
        queries = queries + layer.self_attn(q=placed, k=placed, v=queries)
    queries = layer.norm1(queries)
    queries = queries + _from_image(layer.cross_attn_token_to_image, queries + tokens, keys, position)
    queries = layer.norm2(queries)
    queries = layer.norm3(queries + layer.mlp(queries))
    keys = _into_image(layer.cross_attn_image_to_token, queries + tokens, queries, keys, position)
    return queries, layer.norm4(keys)


def split_heads(attention: Attention, x: Tensor) -> Tensor:
    """Return projected tokens (N, T, C') by head, (N, H, T, C' / H)."""
    return x.unflatten(2, (attention.num_heads, -1)).transpose(1, 2)


def weight_by_head(attention: Attention, weight: Tensor) -> Tensor:
    """Return a projection's weight (C', C) by head, (H, C' / H, C)."""
    return weight.unflatten(0, (attention.num_heads, -1))


def _scores(rows: Tensor, keys: Tensor, position: Tensor) -> Tensor:
    """Return ``rows (keys + position)^T`` of shape (N, H T, M) without adding positions to keys."""
    count, height, channels = rows.shape
    flat = rows.reshape(-1, channels)
    if len(keys) == 1:
        return (flat @ (keys[0] + position).T).view(count, height, -1)
    placed = (flat @ position.T).view(count, height, -1)
    return (
        placed.baddbmm_(rows, keys.transpose(1, 2))
        if not placed.requires_grad
        else torch.baddbmm(placed, rows, keys.transpose(1, 2))
    )


def _from_image(attention: Attention, placed: Tensor, keys: Tensor, position: Tensor) -> Tensor:
    """Tokens look at the image."""
    query = split_heads(attention, attention.q_proj(placed)) / math.sqrt(
        attention.internal_dim // attention.num_heads
    )
    rows = (query @ weight_by_head(attention, attention.k_proj.weight)).flatten(1, 2)
    share = _scores(rows, keys, position).softmax(-1)
    seen = share @ keys
    seen = seen.unflatten(1, (attention.num_heads, -1))
    value = seen @ weight_by_head(attention, attention.v_proj.weight).transpose(1, 2)
    value = value.transpose(1, 2).flatten(2) + attention.v_proj.bias
    return attention.out_proj(value)


def _into_image(
    attention: Attention, placed: Tensor, queries: Tensor, keys: Tensor, position: Tensor
) -> Tensor:
    """Return the image tokens plus what they take from the prompt tokens."""
    heads = attention.num_heads
    key = split_heads(attention, attention.k_proj(placed)) / math.sqrt(attention.internal_dim // heads)
    rows = (key @ weight_by_head(attention, attention.q_proj.weight)).flatten(1, 2)
    bias = (key * attention.q_proj.bias.view(1, heads, 1, -1)).sum(-1).flatten(1)
    scores = _scores(rows, keys, position) + bias[..., None]
    share = scores.unflatten(1, (heads, -1)).softmax(2).flatten(1, 2)
    value = split_heads(attention, attention.v_proj(queries))
    out = attention.out_proj.weight.T.unflatten(0, (heads, -1))
    taken = (value @ out + attention.out_proj.bias / heads).flatten(1, 2)
    return torch.baddbmm(keys.expand(len(queries), -1, -1), share.transpose(1, 2), taken)
