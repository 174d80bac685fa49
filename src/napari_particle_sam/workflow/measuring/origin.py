"""What `segment` left beside a label map: which model drew it, the pixel size, the scores."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_particle_sam.annotation.instances import Completeness, Status
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import read_json
from napari_particle_sam.measurement.particles import Known

#: Larger particle tables are refused before they are parsed.
TABLE_LIMIT = 64 * 2**20


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", protected_namespaces=())


class Model(_Lenient):
    """The model of a `run.json`."""

    name: str = Field(max_length=500)
    fingerprint: str = Field(default="", max_length=200)
    adapter: str | None = Field(default=None, max_length=500)

    def words(self) -> str:
        """Return the model in words for a methods section."""
        adapted = "" if self.adapter is None else f" with adapter {self.adapter}"
        mark = f" (fingerprint {self.fingerprint[:12]})" if self.fingerprint else ""
        return f"{self.name}{adapted}{mark}"


class _Size(_Lenient):
    nm: float = Field(gt=0, allow_inf_nan=False)
    source: str = Field(default="run.json", max_length=200)


class _Image(_Lenient):
    image: str
    field_rows: int | None = Field(default=None, gt=0)
    pixel_size: _Size | None = None


class Run(_Lenient):
    """The parts of a `run.json` that measuring uses."""

    model: Model
    images: list[_Image] = Field(default_factory=list)

    def image(self, stem: str) -> _Image | None:
        """Return what the run says of an image, or None if it was not in the run."""
        names = (entry.image.replace("\\", "/").rsplit("/", 1)[-1] for entry in self.images)
        found = [e for e, name in zip(self.images, names, strict=True) if name.rsplit(".", 1)[0] == stem]
        return found[-1] if found else None


def read_run(folder: Path) -> Run | None:
    """Read the `run.json` of a folder, or return None where there is none.

    Raises
    ------
    BadFileError
        If there is one that is not ours or damaged.
    """
    path = folder / "run.json"
    if not path.is_file():
        return None
    try:
        return Run.model_validate(read_json(path))
    except ValidationError as error:
        raise BadFileError(
            f"{path} was not written by segment, or is damaged; remove or restore it."
        ) from error


def read_known(path: Path) -> dict[int, tuple[int, Known]]:
    """Read scores and judgements from a `STEM.particles.csv`.

    Returns
    -------
    dict of int to (int, Known)
        By label, with the area in pixels that the label had then.

    Raises
    ------
    BadFileError
        If the file is no such table.
    """
    try:
        if path.stat().st_size > TABLE_LIMIT:
            raise BadFileError(f"{path} is larger than {TABLE_LIMIT >> 20} MB; remove or restore it.")
        with path.open(encoding="utf-8", newline="") as file:
            return dict(_entry(row) for row in csv.DictReader(file))
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise BadFileError(f"{path} is no particle table; remove it or segment the image again.") from error


def _entry(row: dict[str, Any]) -> tuple[int, tuple[int, Known]]:
    known = Known(
        predicted_iou=_score(row.get("predicted_iou")),
        stability=_score(row.get("stability")),
        status=_one_of(row.get("status"), get_args(Status)),
        completeness=_one_of(row.get("completeness"), get_args(Completeness)),
        kind=(row.get("kind") or "particle")[:200],
    )
    return int(row["label"]), (int(row["area_px"]), known)


def _score(text: str | None) -> float | None:
    value = float(text) if text else math.nan
    return value if math.isfinite(value) else None


def _one_of(text: str | None, allowed: tuple[str, ...]) -> str:
    return text if text in allowed else ""
