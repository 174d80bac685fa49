"""The absorbed two-way transformer without autograd, in buffers that are made once.

What `absorbed_transformer` states for any number of prompts is done here prompt by prompt and in
chunks of image tokens that stay in the caches: large temporary tensors cost a CPU more than the
arithmetic in them.
"""

from __future__ import annotations

import math

import torch
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock, TwoWayTransformer
from torch import Tensor
from torch.nn import functional

from napari_particle_sam.sam.absorbed_transformer import split_heads, weight_by_head

#: Image tokens that are worked on together.
CHUNK = 2048


class BufferedTransformer:
    """A `TwoWayTransformer` over prompts of one image.

    Parameters
    ----------
    transformer : TwoWayTransformer
        SAM's own.
    keys, position : Tensor of shape (M, C)
        Image tokens, the same for all prompts, and their positional encoding.
    batch : int
        Most prompts of a call.
    """

    def __init__(self, transformer: TwoWayTransformer, keys: Tensor, position: Tensor, batch: int) -> None:
        self._transformer = transformer
        self._first, self._position = keys.contiguous(), position.contiguous()
        self._first_placed = self._first + self._position
        self._keys = self._first.new_empty((batch, *keys.shape))
        self._placed = torch.empty_like(self._keys)
        self._scores: Tensor | None = None
        self._fresh = True

    def __call__(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Run the transformer.

        Parameters
        ----------
        tokens : Tensor of shape (N, T, C)
            Prompt tokens of at most ``batch`` prompts.

        Returns
        -------
        tuple of Tensor
            Tokens (N, T, C), and image tokens (N, M, C) that the next call writes over.
        """
        self._fresh = True
        queries = tokens
        for layer in self._transformer.layers:
            queries = self._layer(layer, queries, tokens)
        attention = self._transformer.final_attn_token_to_image
        queries = queries + self._from_image(attention, queries + tokens)
        return self._transformer.norm_final_attn(queries), self._keys[: len(tokens)]

    def _layer(self, layer: TwoWayAttentionBlock, queries: Tensor, tokens: Tensor) -> Tensor:
        if layer.skip_first_layer_pe:
            queries = layer.self_attn(q=queries, k=queries, v=queries)
        else:
            placed = queries + tokens
            queries = queries + layer.self_attn(q=placed, k=placed, v=queries)
        queries = layer.norm1(queries)
        queries = queries + self._from_image(layer.cross_attn_token_to_image, queries + tokens)
        queries = layer.norm2(queries)
        queries = layer.norm3(queries + layer.mlp(queries))
        self._into_image(layer, queries + tokens, queries)
        self._fresh = False
        return queries

    def _image(self, prompt: int) -> tuple[Tensor, Tensor]:
        """Return one prompt's image tokens without and with their positions."""
        if self._fresh:
            return self._first, self._first_placed
        return self._keys[prompt], self._placed[prompt]

    def _from_image(self, attention: Attention, placed: Tensor) -> Tensor:
        """Tokens look at the image."""
        rows = _absorb(attention, attention.q_proj(placed), attention.k_proj)
        seen = torch.empty_like(rows)
        for i in range(len(rows)):
            keys, with_position = self._image(i)
            scores, share = self._score_buffers(rows.shape[1], len(keys))
            torch.mm(rows[i], with_position.T, out=scores)
            torch.softmax(scores, -1, out=share)
            torch.mm(share, keys, out=seen[i])
        by_head = seen.unflatten(1, (attention.num_heads, -1))
        value = by_head @ weight_by_head(attention, attention.v_proj.weight).transpose(1, 2)
        return attention.out_proj(value.transpose(1, 2).flatten(2) + attention.v_proj.bias)

    def _score_buffers(self, rows: int, columns: int) -> tuple[Tensor, Tensor]:
        if self._scores is None or self._scores.shape[1:] != (rows, columns):
            self._scores = self._first.new_empty((2, rows, columns))
        return self._scores[0], self._scores[1]

    def _into_image(self, layer: TwoWayAttentionBlock, placed: Tensor, queries: Tensor) -> None:
        """Image tokens take from the prompt tokens, and are normalised."""
        attention = layer.cross_attn_image_to_token
        heads = attention.num_heads
        key = attention.k_proj(placed)
        rows = _absorb(attention, key, attention.q_proj)
        split = split_heads(attention, key) / _root(attention)
        bias = (split * attention.q_proj.bias.view(1, heads, 1, -1)).sum(-1).flatten(1)
        out = attention.out_proj.weight.T.unflatten(0, (heads, -1))
        value = split_heads(attention, attention.v_proj(queries))
        taken = (value @ out + attention.out_proj.bias / heads).flatten(1, 2)
        for i in range(len(rows)):
            self._update_image(layer.norm4, i, heads, rows[i], bias[i], taken[i])

    def _update_image(
        self, norm: torch.nn.LayerNorm, prompt: int, heads: int, rows: Tensor, bias: Tensor, taken: Tensor
    ) -> None:
        keys, placed = self._image(prompt)
        for start in range(0, len(keys), CHUNK):
            part = slice(start, min(start + CHUNK, len(keys)))
            scores = torch.addmm(bias[:, None], rows, placed[part].T)
            share = scores.unflatten(0, (heads, -1)).softmax(1).flatten(0, 1)
            fresh = torch.addmm(keys[part], share.T, taken)
            fresh = functional.layer_norm(fresh, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
            self._keys[prompt, part] = fresh
            torch.add(fresh, self._position[part], out=self._placed[prompt, part])


def _root(attention: Attention) -> float:
    return math.sqrt(attention.internal_dim // attention.num_heads)


def _absorb(attention: Attention, tokens: Tensor, other: torch.nn.Linear) -> Tensor:
    """Multiply projected tokens (N, T, C') with the other side's projection: (N, H T, C)."""
    split = split_heads(attention, tokens) / _root(attention)
    return (split @ weight_by_head(attention, other.weight)).flatten(1, 2)
