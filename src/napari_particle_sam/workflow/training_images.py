"""Read pairs as training sees them."""

from __future__ import annotations

from collections.abc import Iterable

from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.storage.pairs import Pair, load_pair


def read_training_images(pairs: Iterable[Pair]) -> list[TrainingImage]:
    """Read, normalise and crop pairs to their field of view.

    Parameters
    ----------
    pairs : iterable of Pair
        Images with their labels.

    Returns
    -------
    list of TrainingImage
        In the same order.
    """
    images = []
    for pair in pairs:
        micrograph, labels = load_pair(pair)
        rows = micrograph.field_rows
        images.append(TrainingImage(pair.stem, micrograph.picture[:rows], labels[:rows]))
    return images
