"""The scale at which a model sees a micrograph: one rule for inference and for training crops."""

from __future__ import annotations


def whole_image_scale(shape: tuple[int, int], img_size: int) -> float:
    """Return input pixels per image pixel when the whole image fills the model's square input."""
    return img_size / max(shape)
