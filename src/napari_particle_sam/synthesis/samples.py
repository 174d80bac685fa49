"""Rendered micrographs and their truth as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import tifffile
from numpy.typing import NDArray

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.synthesis.render import MATERIALS, RenderOptions, SyntheticMicrograph, render

#: Rows and columns of the micrographs in the repository's `sample_data`, px.
SAMPLE_SHAPE = (512, 640)


def write_samples(
    out: Path,
    count: int,
    seed: int,
    materials: Sequence[str] = MATERIALS,
    shape: tuple[int, int] = (768, 1024),
    unit: Literal["whole", "part"] = "whole",
    options: RenderOptions | None = None,
) -> list[Path]:
    """Render micrographs into `out/MATERIAL/images` and their labels into `out/MATERIAL/masks`.

    Parameters
    ----------
    out : Path
        The folder; made if it is missing. Files of the same names are replaced.
    count : int
        Micrographs of each material.
    seed : int
        Image number i is `render(material, seed + i, shape)`.
    materials : sequence of str
        Some of `MATERIALS`.
    shape : tuple of int
        Rows and columns, px.
    unit : str
        Whether the masks show whole particles, or parts where a material has them.
    options : RenderOptions, optional
        Departures from plain micrographs.

    Returns
    -------
    list of Path
        The images, such as `out/cathode/images/cathode_000.tif`; masks have the same names.

    Raises
    ------
    BadValueError
        If a material is unknown or the count is below 1.
    BadFileError
        If the folder cannot be written to.
    """
    if count < 1:
        raise BadValueError(f"{count} micrographs cannot be written; choose 1 or more.")
    return [
        _write_one(Path(out), index, render(material, seed + index, shape, options), unit)
        for material in materials
        for index in range(count)
    ]


def _write_one(out: Path, index: int, drawn: SyntheticMicrograph, unit: str) -> Path:
    name = f"{drawn.material}_{index:03d}.tif"
    labels = drawn.labels if unit == "whole" or drawn.parts is None else drawn.parts
    _write_tiff(out / drawn.material / "masks" / name, labels)
    image = out / drawn.material / "images" / name
    _write_tiff(image, drawn.pixels)
    return image


def _write_tiff(path: Path, values: NDArray[Any]) -> None:
    with atomic_path(path) as temporary:
        # No metadata: equal pixels then give equal files.
        tifffile.imwrite(temporary, values, compression="zlib", photometric="minisblack", metadata=None)
