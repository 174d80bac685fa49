from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_particle_sam.storage.project.project import Project

from .scripted_edits import SHAPE


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose name has a space and letters beyond ASCII."""
    path = tmp_path / "Maß Probe"
    path.mkdir()
    return path


@pytest.fixture
def make_image(place: Path) -> Callable[..., Path]:
    """Write an image of noise and return its path."""

    def make(
        name: str = "a.tif", seed: int = 0, shape: tuple[int, int] = (40, 60), folder: str = "SEM"
    ) -> Path:
        path = place / folder / name
        path.parent.mkdir(exist_ok=True)
        tifffile.imwrite(path, np.random.default_rng(seed).integers(0, 256, shape, np.uint8))
        return path

    return make


@pytest.fixture
def project(place: Path) -> Iterator[Project]:
    with Project.create(place / "Projekt Ü", instance_is="one secondary particle") as project:
        yield project


@pytest.fixture
def with_image(project: Project, make_image: Callable[..., Path]) -> Project:
    project.add_image(make_image("a.tif", shape=SHAPE))
    return project
