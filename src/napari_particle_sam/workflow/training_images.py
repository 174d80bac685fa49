"""Moved to `learning`, whose process reads pairs by itself."""

from napari_particle_sam.learning.training_images import read_training_images

__all__ = ["read_training_images"]
