"""Micrographs with exact truth, for tests, tutorials and pre-training."""

from napari_particle_sam.synthesis.render import MATERIALS, RenderOptions, SyntheticMicrograph, render

__all__ = ["MATERIALS", "RenderOptions", "SyntheticMicrograph", "render"]
