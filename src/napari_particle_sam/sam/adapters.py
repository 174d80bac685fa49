"""Adapters' tensors on disk, and their merge into a model's weights without peft."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from segment_anything.modeling import Sam
from torch import Tensor, nn

from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.base.files import atomic_path, write_json
from napari_particle_sam.sam.adapter_info import (
    INFO,
    WEIGHTS,
    AdapterInfo,
    check_base,
    find_adapter,
    read_info,
)
from napari_particle_sam.sam.locator_head import LocatorHead

__all__ = [
    "INFO", "WEIGHTS", "AdapterInfo", "check_base", "find_adapter", "merge_adapter", "read_info",
    "read_tensors", "save_adapter",
]  # fmt: skip


def save_adapter(folder: Path, info: AdapterInfo, tensors: dict[str, Tensor]) -> None:
    """Write `adapter.safetensors`, then `adapter.json`, which makes the adapter complete."""
    with atomic_path(folder / WEIGHTS) as part:
        save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, part)
    write_json(folder / INFO, info.model_dump(mode="json"))


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
    tensors = read_tensors(folder / WEIGHTS)
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


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read an adapter's tensors as float32.

    Raises
    ------
    BadModelError
        If the file is damaged or holds values that are not finite.
    """
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
