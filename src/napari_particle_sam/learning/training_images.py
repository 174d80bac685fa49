"""Read pairs as training sees them."""

from __future__ import annotations

from collections.abc import Iterable

from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.storage.pairs import Pair, load_pair


def read_training_images(pairs: Iterable[Pair]) -> list[TrainingImage]:
    """Read, normalise and crop pairs to their field of view.

    The percentiles of the normalisation come from the field of view, ignored places within it included, as
    they do when a model segments.

    Parameters
    ----------
    pairs : iterable of Pair
        Images with their labels and region maps.

    Returns
    -------
    list of TrainingImage
        In the same order.
    """
    return [_read(pair) for pair in pairs]


def _read(pair: Pair) -> TrainingImage:
    micrograph, labels, regions = load_pair(pair)
    rows = micrograph.field_rows
    return TrainingImage(pair.stem, micrograph.picture[:rows], labels[:rows], regions.values[:rows])
