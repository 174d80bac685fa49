from __future__ import annotations

import pytest


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Maß Probe"
    place.mkdir()
    return place
