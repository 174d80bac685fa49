from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_particle_sam.annotation.actions import AddMasks, Propose
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import CancelledError
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.job_spec import JobSpec, write_job
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.workflow import next_image
from napari_particle_sam.workflow.image_looks import SIDE, reduced
from napari_particle_sam.workflow.next_image import suggest_next, suggesting

SHAPE = (128, 160)


def grains(seed: int, radius: int = 6, bright: bool = False, count: int = 20) -> NDArray[np.uint8]:
    """Discs on a noisy ground; a few bright ones on a dark ground, or many on a light one."""
    rng = np.random.default_rng(seed)
    rows, cols = np.indices(SHAPE)
    image = np.full(SHAPE, 190.0 if bright else 40.0)
    for row, col in rng.uniform((0, 0), SHAPE, (count, 2)):
        image[np.hypot(rows - row, cols - col) < radius] = 240.0
    return np.clip(image + rng.normal(0, 4, SHAPE), 0, 255).astype(np.uint8)


@pytest.fixture
def add_image(tmp_path: Path, project: Project) -> Callable[..., None]:
    def add(key: str, pixels: NDArray[Any], group: str = "") -> None:
        path = tmp_path / f"{key}.tif"
        tifffile.imwrite(path, pixels)
        project.add_image(path, group=group)

    return add


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "Maß Probe") as made:
        yield made


def correct(project: Project, key: str, radius: int = 6, done: bool = True) -> None:
    stored = project.sessions.begin(key)
    masks = tuple(squares(3, radius))
    stored.session.apply(AddMasks(masks, "painted"))
    stored.save(done=done)
    stored.close()


def propose(project: Project, key: str, scores: list[float], radius: int = 6) -> None:
    stored = project.sessions.begin(key)
    masks = tuple(squares(len(scores), radius))
    stored.session.apply(Propose(masks, tuple((score, 0.95) for score in scores)))
    stored.save()
    stored.close()


def squares(count: int, radius: int) -> Iterator[Mask]:
    side = 2 * radius
    per_row = SHAPE[1] // (side + 2)
    for number in range(count):
        row, col = divmod(number, per_row)
        yield Mask((side + 2) * row, (side + 2) * col, np.ones((side, side), bool))


def test_the_image_unlike_the_corrected_ones_comes_first(
    project: Project, add_image: Callable[..., None]
) -> None:
    for seed in range(4):
        add_image(f"dark {seed}", grains(seed))
    add_image("light", grains(9, bright=True))
    correct(project, "dark 0")
    correct(project, "dark 1")
    found = suggest_next(project)
    assert found is not None
    assert found.key == "light"
    assert found.reason.startswith("unlike the 2 images you have corrected: ")
    assert "brighter" in found.reason
    assert 0 < found.gain <= 1


def test_among_alike_images_the_one_with_uncertain_proposals_comes_first(
    project: Project, add_image: Callable[..., None]
) -> None:
    for seed in range(3):
        add_image(f"i{seed}", grains(seed))
    correct(project, "i0")
    propose(project, "i1", [0.95] * 12)
    propose(project, "i2", [0.95] * 9 + [0.62] * 3)
    found = suggest_next(project)
    assert found is not None
    assert found.key == "i2"
    assert found.reason == "3 of its 12 proposals are uncertain"


def test_the_size_of_particles_is_a_reason(project: Project, add_image: Callable[..., None]) -> None:
    for seed in range(3):
        add_image(f"i{seed}", grains(seed))
    correct(project, "i0", radius=4)
    propose(project, "i1", [0.95] * 8, radius=4)
    propose(project, "i2", [0.95] * 8, radius=16)
    found = suggest_next(project)
    assert found is not None
    assert found.key == "i2"
    assert "particles about 4.0 times as large" in found.reason


def test_without_corrected_images_the_typical_one_comes_first(
    project: Project, add_image: Callable[..., None]
) -> None:
    add_image("a odd", grains(9, bright=True))
    for seed in range(4):
        add_image(f"dark {seed}", grains(seed))
    found = suggest_next(project)
    assert found is not None
    assert found.key.startswith("dark")
    assert found.reason == "it is the most typical of 5 images, and none is corrected yet"


def test_done_excluded_tested_and_lost_images_are_never_suggested(
    project: Project, add_image: Callable[..., None], tmp_path: Path
) -> None:
    add_image("done", grains(0))
    add_image("blind", grains(1, bright=True))
    add_image("tested", grains(2, bright=True), "paper 1")
    add_image("same paper", grains(3, bright=True), "paper 1")
    add_image("lost", grains(4, bright=True))
    add_image("left", grains(5))
    correct(project, "done")
    run = project.root / "runs" / "run 1"
    run.mkdir(parents=True)
    config = TrainingConfig()
    write_job(run, JobSpec(created=datetime.now(UTC), config=config, train=("done",), test=("tested",)))
    project.image_path("lost").unlink()
    found = suggest_next(project, exclude=["Blind"])
    assert found is not None
    assert (found.key, found.reason) == ("left", "it is the only image that is left") or found.key == "left"
    correct(project, "left")
    assert suggest_next(project, exclude=["blind"]) is None


def test_an_image_that_was_begun_is_suggested_last(project: Project, add_image: Callable[..., None]) -> None:
    add_image("a", grains(0))
    add_image("b", grains(1))
    correct(project, "a", done=False)
    assert (suggest_next(project) or pytest.fail()).key == "b"
    correct(project, "b")
    found = suggest_next(project)
    assert found is not None
    assert (found.key, "begun" in found.reason) == ("a", True)


def test_a_second_look_reads_no_image_again(
    project: Project, add_image: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        add_image(f"i{seed}", grains(seed))
    correct(project, "i0")
    first = suggest_next(project)
    read: list[str] = []
    monkeypatch.setattr(Project, "read_image", lambda self, key: read.append(key))
    assert suggest_next(project.reader()) == first
    assert read == []


def test_it_can_be_cancelled_between_two_images(project: Project, add_image: Callable[..., None]) -> None:
    for seed in range(3):
        add_image(f"i{seed}", grains(seed))
    token = CancelToken()
    job = suggesting(project, token)
    next(job)
    token.cancel()
    with pytest.raises(CancelledError):
        next(job)


def test_of_a_large_project_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"i{number}" for number in range(1000)]
    chosen = next_image._spread(keys)
    assert len(chosen) == next_image.MOST_IMAGES == len(set(chosen))
    assert (chosen[0], chosen[-1]) == ("i0", "i999")


@pytest.mark.parametrize("shape", [(3, 5), (1, 2000), (700, 900), (385, 383)])
def test_reducing_keeps_the_mean(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 65535, shape, np.uint16)
    small = reduced(pixels)
    assert max(small.shape) <= max(SIDE, max(shape) if min(shape) == 1 else SIDE)
    factor = shape[0] // small.shape[0]
    used = pixels[: small.shape[0] * factor, : small.shape[1] * factor]
    assert small.mean() == pytest.approx(used.mean(), rel=1e-4)
