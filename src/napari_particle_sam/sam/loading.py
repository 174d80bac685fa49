"""From a model's name or file, and an adapter, to a model that is ready to use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segment_anything.modeling import Sam

from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.sam.adapter_info import AdapterInfo, check_base, find_adapter, read_info
from napari_particle_sam.sam.adapters import merge_adapter
from napari_particle_sam.sam.defaults import SAM_THRESHOLDS, find_weights, own_thresholds
from napari_particle_sam.sam.device import choose_device
from napari_particle_sam.sam.kept_bases import read_kept_base
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.sam.particle_tiny.build import build_particle_tiny
from napari_particle_sam.sam.registry import SPECS
from napari_particle_sam.sam.vit import build_vit, change_input_size
from napari_particle_sam.sam.weights import fingerprint, guess_architecture, load_into, read_state

__all__ = ["SAM_THRESHOLDS", "build", "load_model"]


def load_model(
    name: str = "particle-tiny",
    adapter: Path | None = None,
    device: str = "auto",
    img_size: int | None = None,
    trust: bool = False,
) -> SamModel:
    """Load a model by name or file.

    Parameters
    ----------
    name : str
        A name of the registry, or a path to a .pth or .safetensors file.
    adapter : Path, optional
        Folder of an adapter, or of the run that made it. One that was trained on an earlier version of a
        bundled base brings that one.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    img_size : int, optional
        Another input size for a ViT model; an adapter brings its own.
    trust : bool
        Whether an unknown .pth file is read.

    Returns
    -------
    SamModel
        In evaluation mode on the device, the adapter merged.

    Raises
    ------
    BadModelError
        If weights or adapter are missing, damaged, untrusted or do not belong together.
    """
    target = choose_device(device)
    folder = find_adapter(Path(adapter)) if adapter is not None else None
    info = read_info(folder) if folder is not None else None
    model = _base(name, info, folder, trust)
    if info is not None:
        img_size = img_size or info.img_size
    if img_size is not None and img_size != model.img_size:
        _resize(model, img_size)
    if folder is not None:
        info = merge_adapter(model.sam, folder, model.fingerprint)
        model = replace(model, thresholds=info.thresholds, adapter=info.name)
    model.sam.to(target).eval()
    for parameter in model.sam.parameters():
        parameter.requires_grad_(False)
    return model


def build(architecture: str) -> Sam:
    """Build an architecture with random weights."""
    return build_particle_tiny() if architecture == "particle-tiny" else build_vit(architecture)


def _base(name: str, info: AdapterInfo | None, folder: Path | None, trust: bool) -> SamModel:
    """Load the base; where a bundled one is newer than the adapter, the copy that was kept with it."""
    path = find_weights(name)
    state, metadata = read_state(path, trust)
    found = fingerprint(state)
    if info is not None and folder is not None and info.base_fingerprint != found:
        if info.base != name or name not in SPECS or not SPECS[name].bundled:
            check_base(info, folder, found)
        state, metadata, path = read_kept_base(info, folder)
        found = info.base_fingerprint
    sam = build(_architecture(name, state, path))
    load_into(sam, state, path)
    return SamModel(name, found, sam, own_thresholds(metadata, path))


def _architecture(name: str, state: dict, path: Path) -> str:
    if name in SPECS:
        return SPECS[name].architecture
    found = guess_architecture(state)
    if found is None:
        raise BadModelError(
            f"{path} is no checkpoint of particle-tiny, vit_b, vit_l or vit_h; choose another."
        )
    return found


def _resize(model: SamModel, img_size: int) -> None:
    if not hasattr(model.sam.image_encoder, "pos_embed"):
        raise BadModelError(f"{model.name} works at {model.img_size} px only; leave the input size out.")
    change_input_size(model.sam, img_size)
