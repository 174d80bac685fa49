from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_particle_sam.annotation.actions import AddMasks, Remove
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.rounds import before_and_after, close_round
from napari_particle_sam.workflow.rounds import round_table

SHAPE = (40, 60)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    folder = tmp_path / "Maß Probe"
    folder.mkdir()
    with Project.create(folder / "Projekt") as made:
        for seed, key in enumerate(("a", "b")):
            path = folder / f"{key}.tif"
            tifffile.imwrite(path, np.random.default_rng(seed).integers(0, 256, SHAPE, np.uint8))
            made.add_image(path)
        yield made


def correct(project: Project, key: str, particles: int, false: int) -> None:
    """Add particles, delete some false ones, and declare the image done."""
    stored = project.sessions.begin(key)
    for place in range(particles + false):
        mask = Mask(2, 6 * place, np.ones((5, 5), bool))
        stored.session.apply(AddMasks((mask,), "painted"))
    for label in range(1, false + 1):
        stored.session.apply(Remove((label,)))
    stored.save(done=True)
    stored.close()


def test_the_table_of_a_project_without_work_is_one_empty_round(project: Project) -> None:
    (row,) = round_table(project)
    assert (row.number, row.open, row.empty) == (1, True, True)
    assert row.edits_per_particle is None
    assert row.sentence() == "Round 1 (open): 0 images, 0 edits, 0 min"


def test_a_row_per_round_and_the_open_one_last(project: Project) -> None:
    correct(project, "a", particles=4, false=2)
    close_round(project, "run 1", before_and_after({"f1@0.5": 0.701}, {"f1@0.5": 0.85}))
    correct(project, "b", particles=5, false=0)
    first, second = round_table(project.reader())
    assert (first.images, first.particles, first.adapter) == (("a",), 4, "run 1")
    assert (first.edits["deleted"], sum(first.edits.values())) == (2, 8)
    assert first.edits_per_particle == pytest.approx(2.0)
    assert dict(first.metrics) == {"before f1@0.5": 0.701, "after f1@0.5": 0.85}
    assert (second.images, second.particles, second.open) == (("b",), 5, True)
    assert second.edits_per_particle == pytest.approx(1.0)
    kinds = ", ".join(f"{number} {kind}" for kind, number in first.edits.items())
    assert first.sentence() == (
        f"Round 1: 1 image, 4 particles, 8 edits ({kinds}), 2.00 per particle, 0 min, "
        "f1@0.5 0.70 → 0.85, run 1"
    )


def test_the_table_says_the_same_after_reopening(project: Project) -> None:
    correct(project, "a", particles=3, false=1)
    close_round(project, None)
    before = round_table(project)
    project.close()
    with Project.open(project.root) as again:
        assert round_table(again) == before
        assert before[0].sentence().endswith("no gain")
