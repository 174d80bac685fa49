"""Transformer blocks of particle-tiny's encoder, named as in SAM so that LoRA finds them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Multi-head self-attention over a grid of tokens."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, dim * 3)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Attend within each row of ``x`` (B, N, dim)."""
        batch, count, dim = x.shape
        qkv = self.qkv(x).reshape(batch, count, 3, self.heads, dim // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        y = functional.scaled_dot_product_attention(query, key, value)
        return self.proj(y.transpose(1, 2).reshape(batch, count, dim))


class Mlp(nn.Module):
    """Two linear layers with a GELU between."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(dim, hidden)
        self.lin2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Map the last axis of ``x`` to itself."""
        return self.lin2(functional.gelu(self.lin1(x)))


class Block(nn.Module):
    """Depthwise positions, windowed or global attention, MLP; all residual.

    Parameters
    ----------
    dim : int
        Channels.
    heads : int
        Attention heads.
    window : int
        Side of the attention window in tokens, 0 for global attention.
    """

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.position = nn.Conv2d(dim, dim, 3, padding=1, groups=dim)
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, dim * 4)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (B, dim, H, W) to the same shape."""
        x = x + self.position(x)
        batch, dim, height, width = x.shape
        side_h, side_w = (self.window, self.window) if self.window else (height, width)
        tokens, padded = _to_windows(x, side_h, side_w)
        tokens = tokens + self.attn(self.norm1(tokens))
        tokens = tokens + self.mlp(self.norm2(tokens))
        return _from_windows(tokens, padded, side_h, side_w, batch)[:, :, :height, :width]


def _to_windows(x: Tensor, side_h: int, side_w: int) -> tuple[Tensor, tuple[int, int]]:
    batch, dim, height, width = x.shape
    x = functional.pad(x, (0, -width % side_w, 0, -height % side_h))
    height, width = x.shape[-2:]
    x = x.reshape(batch, dim, height // side_h, side_h, width // side_w, side_w)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(-1, side_h * side_w, dim), (height, width)


def _from_windows(
    tokens: Tensor, padded: tuple[int, int], side_h: int, side_w: int, batch: int
) -> torch.Tensor:
    rows, columns = padded[0] // side_h, padded[1] // side_w
    x = tokens.reshape(batch, rows, columns, side_h, side_w, tokens.shape[-1])
    return x.permute(0, 5, 1, 3, 2, 4).reshape(batch, tokens.shape[-1], *padded)
