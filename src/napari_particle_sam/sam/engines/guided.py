"""Prompts at the centres that the model's locator finds."""

from __future__ import annotations

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.sam.engines.collect import Floors, collect_points
from napari_particle_sam.sam.locator import find_centres
from napari_particle_sam.sam.locator_head import UPSCALE
from napari_particle_sam.sam.model import Embedding, SamModel


def pixels_per_cell(model: SamModel) -> float:
    """Return input pixels per pixel of the locator's maps."""
    return model.img_size / (UPSCALE * int(model.sam.prompt_encoder.image_embedding_size[0]))


def collect_guided(
    model: SamModel,
    embedding: Embedding,
    floors: Floors,
    shape: tuple[int, int],
    least_radius: float = 0.0,
) -> Candidates:
    """Prompt once at every centre whose inscribed radius, in input pixels, is not too small."""
    assert embedding.locator is not None
    points = find_centres(embedding.locator, pixels_per_cell(model), least_radius=least_radius)
    return collect_points(model, embedding, points, floors, shape)
