"""Less memory for time: what the encoder's blocks computed is computed again on the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from segment_anything.modeling import Sam
from torch import nn
from torch.utils.checkpoint import checkpoint


def recompute_blocks(sam: Sam) -> int:
    """Let every block of the encoder forget its activations (gradient checkpointing; Chen et al. 2016).

    Only while gradients are recorded; outputs and gradients stay what they were.

    Parameters
    ----------
    sam : Sam
        Changed in place, for training only.

    Returns
    -------
    int
        The number of blocks.
    """
    blocks = list(_blocks(sam.image_encoder))
    for block in blocks:
        block.forward = _recomputing(block.forward)  # type: ignore[method-assign]
    return len(blocks)


def _blocks(encoder: nn.Module) -> list[nn.Module]:
    found = list(getattr(encoder, "blocks", ()))
    trunk = getattr(encoder, "trunk", None)
    return found + list(getattr(trunk, "blocks", ()))


def _recomputing(forward: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*args)
        return checkpoint(forward, *args, use_reentrant=False)

    return run
