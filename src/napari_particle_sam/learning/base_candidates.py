"""What a base finds in training images, kept between the runs of one process.

Simulations and ablations train the same base on the same images again and again.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.learning import validation
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.sam.model import SamModel

#: Images whose candidates are kept; those of one take a few megabytes.
MOST_KEPT = 24

_kept: OrderedDict[str, Candidates] = OrderedDict()
_lock = threading.Lock()


def base_candidates(model: SamModel, images: list[TrainingImage], token: CancelToken) -> list[Candidates]:
    """Collect the candidates of images as `validation.collect` does, or remember them.

    Parameters
    ----------
    model : SamModel
        A base whose weights are those of its fingerprint: untrained, without an adapter.
    images : list of TrainingImage
        What to look at.
    token : CancelToken
        Looked at between images.

    Returns
    -------
    list of Candidates
        One for each image.
    """
    return [_of(model, image, token) for image in images]


def _of(model: SamModel, image: TrainingImage, token: CancelToken) -> Candidates:
    key = _key(model, image)
    with _lock:
        found = _kept.get(key)
    if found is None:
        (found,) = validation.collect(model, [image], token)
    with _lock:
        _kept[key] = found
        _kept.move_to_end(key)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found


def _key(model: SamModel, image: TrainingImage) -> str:
    facts = (model.fingerprint, model.img_size, str(model.sam.device), model.thresholds.model_dump_json())
    digest = hashlib.sha256(repr((*facts, image.picture.shape)).encode())
    digest.update(image.picture.tobytes())
    return digest.hexdigest()
