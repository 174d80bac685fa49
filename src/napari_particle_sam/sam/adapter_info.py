"""What an adapter on disk says of itself; nothing here needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.base.files import read_json

WEIGHTS, INFO = "adapter.safetensors", "adapter.json"


class AdapterInfo(BaseModel):
    """What `adapter.json` says."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    schema_version: Literal[1] = 1
    name: str
    base: str
    base_fingerprint: str = Field(pattern="^[0-9a-f]{64}$")
    rank: int = Field(gt=0, le=4096)
    alpha: float = Field(gt=0)
    targets: list[str]
    img_size: int = Field(gt=0, le=4096)
    scale_rule: str = "whole image, or tiles where particles are small, larger where they fill the field"
    normalisation: str = "percentiles 0.1 and 99.9 of the field of view to 0 and 255"
    thresholds: Thresholds
    base_thresholds: Thresholds | None = None
    particle_diameter_px: tuple[float, float] | None = None
    started_from: str = ""
    images: list[str] = Field(default_factory=list)
    validation_images: list[str] = Field(default_factory=list)
    metrics: dict[str, Any] = Field(default_factory=dict)
    locator: bool = False
    iou_head: bool = False


def find_adapter(path: Path) -> Path:
    """Return the adapter's folder, given it or the run that made it.

    Raises
    ------
    BadModelError
        If there is no adapter.
    """
    for folder in (path, path / "adapter"):
        if (folder / INFO).is_file() and (folder / WEIGHTS).is_file():
            return folder
    raise BadModelError(
        f"{path} holds no adapter ({INFO} and {WEIGHTS}); give the run folder of a training that gained."
    )


def read_info(folder: Path) -> AdapterInfo:
    """Read `adapter.json`."""
    try:
        return AdapterInfo.model_validate(read_json(folder / INFO))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise BadModelError(
            f"{folder / INFO} is no valid adapter ({where}: {first['msg']}); train it again."
        ) from error


def check_base(info: AdapterInfo, folder: Path, base_fingerprint: str) -> None:
    """Refuse an adapter that was trained on another base than the one of this fingerprint."""
    if info.base_fingerprint != base_fingerprint:
        raise BadModelError(
            f"{folder} was trained on another base ({info.base}) than the one that is loaded; "
            "load that one, or train again."
        )
