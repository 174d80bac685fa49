from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep candidates of tests out of the user's cache, and of each other's."""
    monkeypatch.setenv("PARTICLE_SAM_CACHE", str(tmp_path_factory.mktemp("cache")))
