"""Micrographs with exact truth, for tests, tutorials and pre-training."""

from napari_particle_sam.synthesis.render import MATERIALS, SyntheticMicrograph, render

__all__ = ["MATERIALS", "SyntheticMicrograph", "render"]
