from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_particle_sam.cli import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.err.strip().splitlines()[-1] if self.err.strip() else ""


@pytest.fixture
def run_cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `particle-sam` with arguments and return exit code and output."""

    def run(*args: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["particle-sam", *map(str, args)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


def discs(shape: tuple[int, int] = (96, 128), radius: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Draw bright discs on a dark ground: pixels and labels."""
    rows, cols = np.indices(shape)
    labels = np.zeros(shape, np.uint16)
    centres = [(r, c) for r in range(20, shape[0] - 15, 32) for c in range(20, shape[1] - 15, 32)]
    for label, (r, c) in enumerate(centres, start=1):
        labels[(rows - r) ** 2 + (cols - c) ** 2 <= radius**2] = label
    noise = np.random.default_rng(3).normal(0, 6, shape)
    pixels = np.clip(60 + 120 * (labels > 0) + noise, 0, 255).astype(np.uint8)
    return pixels, labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name has a space and an umlaut."""
    path = tmp_path / "Prüf bilder"
    path.mkdir()
    return path


@pytest.fixture
def pairs(folder: Path) -> Path:
    """Three pairs of discs."""
    root = folder / "pairs"
    for sub in ("images", "masks"):
        (root / sub).mkdir(parents=True)
    for i in range(3):
        pixels, labels = discs(radius=10 + i)
        tifffile.imwrite(root / "images" / f"a{i}.tif", pixels)
        tifffile.imwrite(root / "masks" / f"a{i}.tif", labels)
    return root
