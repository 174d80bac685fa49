"""Adapters on disk, and their merge into a model's weights without peft."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from segment_anything.modeling import Sam
from torch import Tensor, nn

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.base.files import atomic_path, read_json, write_json
from napari_particle_sam.sam.locator_head import LocatorHead

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
    scale_rule: str = "whole image, or tiles where particles are small"
    normalisation: str = "percentiles 0.1 and 99.9 of the field of view to 0 and 255"
    thresholds: Thresholds
    base_thresholds: Thresholds | None = None
    particle_diameter_px: tuple[float, float] | None = None
    images: list[str] = Field(default_factory=list)
    validation_images: list[str] = Field(default_factory=list)
    metrics: dict[str, Any] = Field(default_factory=dict)
    locator: bool = False
    iou_head: bool = False


def save_adapter(folder: Path, info: AdapterInfo, tensors: dict[str, Tensor]) -> None:
    """Write `adapter.safetensors`, then `adapter.json`, which makes the adapter complete."""
    with atomic_path(folder / WEIGHTS) as part:
        save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, part)
    write_json(folder / INFO, info.model_dump(mode="json"))


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
            f"{folder} was trained on another base ({info.base}); load it with --model {info.base}."
        )


def merge_adapter(sam: Sam, folder: Path, base_fingerprint: str) -> AdapterInfo:
    """Add an adapter to a model's weights: ``W + alpha / rank * B A``; no module is added for it.

    Parameters
    ----------
    sam : Sam
        The base, changed in place.
    folder : Path
        The adapter.
    base_fingerprint : str
        Of the base as it was loaded.

    Returns
    -------
    AdapterInfo
        What the adapter says of itself.

    Raises
    ------
    BadModelError
        If the adapter is damaged or was trained on another base.
    """
    info = read_info(folder)
    check_base(info, folder, base_fingerprint)
    tensors = _read_tensors(folder / WEIGHTS)
    modules = dict(sam.named_modules())
    with torch.no_grad():
        for target in info.targets:
            _merge_one(modules.get(target), target, tensors, info, folder)
    if info.locator:
        _load_part(sam, "locator", tensors, folder)
    if info.iou_head:
        _load_part(sam.mask_decoder, "iou_prediction_head", tensors, folder)
    if tensors:
        raise BadModelError(
            f"{folder / WEIGHTS} holds unknown tensors ({next(iter(tensors))}); train it again."
        )
    return info


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, "pt") as file:
            tensors = {k: file.get_tensor(k).float() for k in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise BadModelError(f"{path} is damaged; train it again or restore a copy.") from error
    bad = [k for k, v in tensors.items() if not bool(torch.isfinite(v).all())]
    if bad:
        raise BadModelError(f"{path} holds values that are not finite (in {bad[0]}); train it again.")
    return tensors


def _merge_one(
    module: nn.Module | None, target: str, tensors: dict[str, Tensor], info: AdapterInfo, folder: Path
) -> None:
    a, b = tensors.pop(f"{target}.lora_A", None), tensors.pop(f"{target}.lora_B", None)
    weight = getattr(module, "weight", None)
    if a is None or b is None or weight is None:
        raise BadModelError(f"{folder} does not fit this base (at {target}); choose the base it names.")
    outside, inside = weight.flatten(1).shape if weight.ndim > 1 else (0, 0)
    if _sides(a) != (info.rank, inside) or _sides(b) != (outside, info.rank):
        raise BadModelError(f"{folder} has tensors of a wrong shape (at {target}); train it again.")
    update = (b.flatten(1) @ a.flatten(1)).reshape(weight.shape)
    weight += (info.alpha / info.rank) * update.to(weight)


def _sides(tensor: Tensor) -> tuple[int, ...]:
    """Shape of a linear or 1x1 convolutional factor as a matrix, () of anything else."""
    return tuple(tensor.flatten(1).shape) if tensor.ndim > 1 else ()


def _load_part(parent: nn.Module, name: str, tensors: dict[str, Tensor], folder: Path) -> None:
    state = {k.removeprefix(f"{name}."): tensors.pop(k) for k in list(tensors) if k.startswith(f"{name}.")}
    if name == "locator" and getattr(parent, "locator", None) is None:
        parent.locator = LocatorHead(parent.prompt_encoder.embed_dim).to(parent.device)
    try:
        getattr(parent, name).load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise BadModelError(f"{folder} has a {name} that does not fit; train it again.") from error
