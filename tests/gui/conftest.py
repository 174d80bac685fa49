from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.triton_apart import load_triton_apart
from napari_particle_sam.workflow.project import add_images

# Tests import torch themselves, after others drew windows; test_triton_apart.py shows that the window copes.
load_triton_apart()

SHAPE = (60, 80)


@pytest.fixture(autouse=True)
def _own_keys(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the keys that the user changed out of the tests, and those of the tests from the user."""
    folder = tmp_path_factory.mktemp("settings")
    monkeypatch.setattr(
        "napari_particle_sam.gui.tools.keymap.user_config_path", lambda *args, **options: folder
    )


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of three images of noise; its name has a space and letters beyond ASCII."""
    folder = tmp_path / "Maß Probe"
    folder.mkdir()
    for number in (1, 2, 10):
        pixels = np.random.default_rng(number).integers(0, 256, SHAPE, np.uint8)
        tifffile.imwrite(folder / f"bild {number}.tif", pixels)
    return folder


@pytest.fixture
def workspace(images: Path) -> Iterator[Workspace]:
    """A workspace on the project of three images, the first one open."""
    made = Workspace("Änne")
    open_now(made, images)
    yield made
    assert made.close()


def open_now(workspace: Workspace, folder: Path) -> None:
    """Open a folder and take its images in without a window."""
    new = workspace.open_folder(folder)
    assert workspace.project is not None
    run_job(add_images(workspace.project, new, False, CancelToken()))
    workspace.images_added()


@pytest.fixture
def heard(workspace: Workspace) -> list[str]:
    """The sentences that the workspace says."""
    said: list[str] = []
    workspace.said.connect(said.append)
    return said


@pytest.fixture
def disc() -> Callable[..., np.ndarray]:
    """Make a boolean array with a disc in it."""

    def make(row: float, col: float, radius: float, shape: tuple[int, int] = SHAPE) -> np.ndarray:
        rows, cols = np.ogrid[: shape[0], : shape[1]]
        return (rows - row) ** 2 + (cols - col) ** 2 <= radius**2

    return make
