"""The last layers of SAM's mask decoder, as matrix products over image tokens."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

#: Image tokens that are upscaled together.
CHUNK = 1024


class TokenUpscaler:
    """`output_upscaling` and the product with the masks' vectors, as matrix products over tokens.

    A transposed convolution with kernel and stride 2 is one matrix product per token; without the detour
    over images, everything between the image tokens and the logits stays in the caches.

    Parameters
    ----------
    layers : torch.nn.Sequential
        Transposed convolution, norm, activation, transposed convolution, activation.
    """

    def __init__(self, layers: torch.nn.Sequential) -> None:
        first, self._norm, self._act, second, self._last_act = layers
        self._weight = [_as_matrix(first), _as_matrix(second)]
        self._bias = [first.bias.repeat(4), second.bias.repeat(4)]

    def __call__(self, image: Tensor, hyper: Tensor, side: tuple[int, int]) -> Tensor:
        """Return logits.

        Parameters
        ----------
        image : Tensor of shape (h * w, C)
            One prompt's image tokens.
        hyper : Tensor of shape (K, C / 8)
            The vectors of its masks.
        side : tuple of int
            ``(h, w)``.

        Returns
        -------
        Tensor of shape (K, 4h, 4w)
            The logits.
        """
        parts = [self._chunk(part, hyper) for part in image.split(CHUNK)]
        cells = torch.cat(parts).view(*side, 2, 2, 2, 2, len(hyper))
        return cells.permute(6, 0, 2, 4, 1, 3, 5).reshape(len(hyper), 4 * side[0], 4 * side[1])

    def _chunk(self, image: Tensor, hyper: Tensor) -> Tensor:
        norm = self._norm
        up = torch.addmm(self._bias[0], image, self._weight[0]).view(4 * len(image), -1)
        up = self._act(functional.layer_norm(up, up.shape[1:], norm.weight, norm.bias, norm.eps))
        up = torch.addmm(self._bias[1], up, self._weight[1]).view(16 * len(image), -1)
        return self._last_act(up) @ hyper.T


def _as_matrix(layer: torch.nn.ConvTranspose2d) -> Tensor:
    """Return the weights (C, 4 C') of a transposed convolution with kernel and stride 2."""
    return layer.weight.permute(0, 2, 3, 1).reshape(layer.in_channels, -1)
