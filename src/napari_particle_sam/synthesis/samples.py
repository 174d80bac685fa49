"""Rendered micrographs and their truth as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.synthesis.materials import PARTED
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

    Those with a data bar or marks get a region map in `out/MATERIAL/regions`, too.

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
    _write_tiff(out / drawn.material / "masks" / name, _truth(drawn, unit))
    if drawn.burnt_in is not None or drawn.field_rows < drawn.pixels.shape[0]:
        _write_regions(out / drawn.material / "regions" / f"{Path(name).stem}.png", drawn)
    image = out / drawn.material / "images" / name
    _write_tiff(image, drawn.pixels)
    return image


def _truth(drawn: SyntheticMicrograph, unit: str) -> NDArray[np.uint16]:
    if unit == "whole" or drawn.material not in PARTED:
        return drawn.labels
    if drawn.parts is None:
        raise BadValueError(
            f"{drawn.material} has more parts than labels in {drawn.pixels.shape} pixels; "
            "choose a smaller shape."
        )
    return drawn.parts


def _write_regions(path: Path, drawn: SyntheticMicrograph) -> None:
    """Write a region map: 1 reviewed, 2 ignore where the bar and the marks are."""
    regions = np.ones(drawn.pixels.shape, np.uint8)
    regions[drawn.field_rows :] = 2
    if drawn.burnt_in is not None:
        regions[drawn.burnt_in] = 2
    with atomic_path(path) as temporary:
        Image.fromarray(regions).save(temporary, format="PNG")


def _write_tiff(path: Path, values: NDArray[Any]) -> None:
    with atomic_path(path) as temporary:
        # No metadata: equal pixels then give equal files.
        tifffile.imwrite(temporary, values, compression="zlib", photometric="minisblack", metadata=None)
