"""A full disk loses nothing: saving fails with one sentence, the old state opens, later saving works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.storage.project.project import Project

from .scripted_edits import SHAPE, edit, edited, same


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KB."""
    disk = tmp_path / "volle Platte"
    disk.mkdir()
    mount = shutil.which("mount")
    if not sys.platform.startswith("linux") or mount is None or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"mount: {made.stderr.decode(errors='replace').strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    filler = disk / "filler"
    with filler.open("wb", 0) as file:
        try:
            while True:
                file.write(b"x" * 1024)
        except OSError:
            pass
        file.truncate(max(0, file.tell() - leave))
    return filler


@pytest.mark.parametrize("leave", [0, 4096, 8192])
def test_nothing_is_lost(small_disk: Path, make_image: Callable[..., Path], leave: int) -> None:
    project = Project.create(small_disk / "p")
    project.add_image(make_image("a.tif", shape=SHAPE), copy=False)
    stored = project.sessions.begin("a", annotator="Anna")
    for number in range(20):
        edit(stored.session, number)
    stored.save()
    problems: list[str] = []
    stored.problem.connect(problems.append)
    filler = fill(small_disk, leave)
    number = 20
    while not stored.unwritten:
        edit(stored.session, number)
        number += 1
    written = number - 1
    for number in range(number, number + 5):  # noqa: B020
        edit(stored.session, number)
    count = number + 1
    assert all("in memory only; free space on the disk and save." in p and "\n" not in p for p in problems)
    with pytest.raises(BadFileError, match=r"cannot be written \(No space left on device\).*space.*\.$"):
        stored.save()
    with pytest.raises(BadFileError, match="in memory only"):
        project.close()
    assert same(stored.session, edited(count))
    old = Project.open(small_disk / "p", writing=False).sessions.view("a")
    assert same(old.session, edited(written))
    assert not list((small_disk / "p").rglob("*.part"))

    filler.unlink()
    edit(stored.session, count)
    assert not stored.unwritten
    assert same(Project.open(small_disk / "p", writing=False).sessions.view("a").session, edited(count + 1))
    stored.save()
    project.close()
    with Project.open(small_disk / "p") as again:
        assert same(again.sessions.resume("a").session, edited(count + 1))


def test_a_full_disk_takes_no_image_and_keeps_the_project(
    small_disk: Path, make_image: Callable[..., Path]
) -> None:
    with Project.create(small_disk / "p") as project:
        project.add_image(make_image("a.tif", shape=SHAPE))
        before = project.content
        fill(small_disk)
        with pytest.raises(BadFileError, match="No space left on device"):
            project.add_image(make_image("b.tif", 1, shape=SHAPE))
        assert project.content == before
    assert Project.open(small_disk / "p", writing=False).content == before
