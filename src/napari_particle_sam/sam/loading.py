"""From a model's name or file, and an adapter, to a model that is ready to use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segment_anything.modeling import Sam

from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.sam.adapter_info import check_base, find_adapter, read_info
from napari_particle_sam.sam.adapters import merge_adapter
from napari_particle_sam.sam.defaults import SAM_THRESHOLDS, find_weights, own_thresholds
from napari_particle_sam.sam.device import choose_device
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
        Folder of an adapter, or of the run that made it.
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
    path = find_weights(name)
    state, metadata = read_state(path, trust)
    sam = build(_architecture(name, state, path))
    load_into(sam, state, path)
    model = SamModel(name, fingerprint(state), sam, own_thresholds(metadata, path))
    if folder is not None:
        info = read_info(folder)
        check_base(info, folder, model.fingerprint)
        img_size = img_size or info.img_size
    if img_size is not None and img_size != model.img_size:
        _resize(model, img_size)
    if folder is not None:
        info = merge_adapter(sam, folder, model.fingerprint)
        model = replace(model, thresholds=info.thresholds, adapter=info.name)
    sam.to(target).eval()
    for parameter in sam.parameters():
        parameter.requires_grad_(False)
    return model


def build(architecture: str) -> Sam:
    """Build an architecture with random weights."""
    return build_particle_tiny() if architecture == "particle-tiny" else build_vit(architecture)


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
