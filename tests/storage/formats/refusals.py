"""What tests of malformed files share: each yields one sentence that names it, and nothing is written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from napari_particle_sam.base.errors import ParticleSamError

from .builders import check_sentence, image_of, tree

FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SHAPE = (10, 12)
IMAGE = image_of(np.kron([[0, 1, 1], [2, 2, 0]], np.ones((4, 4))), note="=1")
SQUARE = [[1, 1, 4, 1, 4, 4, 1, 4]]


def refused(read, path, *more):
    """Return what is said when reading a file is refused, and see that nothing else happened."""
    before = tree(path.parent)
    with pytest.raises(ParticleSamError) as caught:
        read(path, *more)
    check_sentence(caught.value, path)
    assert tree(path.parent) == before
    return str(caught.value)


def tolerated(read, path, *more):
    """See that reading gives a result or one sentence."""
    before = tree(path.parent)
    try:
        read(path, *more)
    except ParticleSamError as error:
        check_sentence(error, path)
    assert tree(path.parent) == before
