from __future__ import annotations

import pytest

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import CancelledError, ParticleSamError


def test_a_token_stops_the_job_that_looks_at_it():
    token = CancelToken()
    token.check()
    assert not token.cancelled
    token.cancel()
    assert token.cancelled
    with pytest.raises(CancelledError):
        token.check()
    assert issubclass(CancelledError, ParticleSamError)
