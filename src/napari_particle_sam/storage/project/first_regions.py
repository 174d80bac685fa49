"""What is known of an image before anybody has looked at it."""

from __future__ import annotations

import numpy as np

from napari_particle_sam.annotation.regions import UNKNOWN, RegionMap
from napari_particle_sam.images.burnt_in import find_burnt_in
from napari_particle_sam.images.databar import find_databar
from napari_particle_sam.images.micrograph import Micrograph


def first_regions(micrograph: Micrograph, find_bar: bool = True) -> RegionMap:
    """Return the region map of a new session.

    Parameters
    ----------
    micrograph : Micrograph
        The image.
    find_bar : bool
        Look for a data bar where the field of view is the whole image; not where a person denied it.

    Returns
    -------
    RegionMap
        Unknown, but for the data bar and burnt-in marks, which are to be ignored.
    """
    rows = micrograph.field_rows
    if find_bar and rows == micrograph.shape[0]:
        rows -= find_databar(micrograph.pixels)
    blank = RegionMap.from_array(np.full(micrograph.shape, UNKNOWN, np.uint8))
    return blank.with_rows_ignored(rows).with_boxes_ignored(find_burnt_in(micrograph.pixels, rows))
