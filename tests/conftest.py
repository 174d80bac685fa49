from __future__ import annotations

import pytest

from napari_particle_sam.gui.triton_guard import keep_triton_out

# Before any test imports torch, or those that draw crash where OpenGL is Mesa's own.
keep_triton_out()


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep candidates of tests out of the user's cache, and of each other's."""
    monkeypatch.setenv("PARTICLE_SAM_CACHE", str(tmp_path_factory.mktemp("cache")))
