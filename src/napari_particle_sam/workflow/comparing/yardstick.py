"""What foreground Dice can mean at particles of this size: how an outline that is off by a pixel scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from skimage.segmentation import expand_labels

from napari_particle_sam.evaluation.scores import score_image
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.workflow.comparing.result import Yardstick


def yardstick(images: Sequence[TrainingImage], min_area: int) -> Yardstick:
    """Measure the truth of images against itself, grown by one pixel.

    Parameters
    ----------
    images : sequence of TrainingImage
        With the truth; what is not reviewed does not count.
    min_area : int
        Smaller true particles are ignored.

    Returns
    -------
    Yardstick
    """
    sizes = np.concatenate([image.diameters() for image in images])
    sizes = sizes[np.pi / 4 * sizes**2 >= min_area]
    grown = [
        score_image(expand_labels(i.labels, 1), i.labels, min_area, regions=i.regions).dice for i in images
    ]
    known = [dice for dice in grown if np.isfinite(dice)]
    return Yardstick(
        float(np.median(sizes)) if len(sizes) else float("nan"),
        float(np.mean(known)) if known else float("nan"),
    )
