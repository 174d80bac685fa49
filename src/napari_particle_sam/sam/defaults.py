"""What can be known of a model before it is loaded; nothing here needs torch."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.sam.adapter_info import find_adapter, read_info
from napari_particle_sam.sam.registry import SPECS, find_spec, weights_path

#: What stock SAM's generator uses; the default of models that say nothing themselves.
SAM_THRESHOLDS = Thresholds(pred_iou=0.88, stability=0.95, nms=0.7)


def default_thresholds(name: str, adapter: Path | None = None) -> Thresholds:
    """Return the thresholds that a model comes with, as `load_model` would.

    Parameters
    ----------
    name : str
        A name of the registry, or a path to a .pth or .safetensors file.
    adapter : Path, optional
        Folder of an adapter, or of the run that made it; its thresholds go before the model's.

    Returns
    -------
    Thresholds
        The defaults.

    Raises
    ------
    BadModelError
        If weights or adapter are missing or damaged.
    """
    if adapter is not None:
        return read_info(find_adapter(Path(adapter))).thresholds
    path = find_weights(name)
    if path.suffix != ".safetensors":
        return SAM_THRESHOLDS
    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise BadModelError(f"{path} is damaged or no safetensors file; fetch it again.") from error
    return own_thresholds(metadata, path)


def find_weights(name: str) -> Path:
    """Return the file of a model's weights.

    Raises
    ------
    BadModelError
        If there is no such model, or its weights were not fetched.
    """
    if name not in SPECS and Path(name).suffix in (".pth", ".pt", ".safetensors"):
        return Path(name)
    spec = find_spec(name)
    path = weights_path(spec)
    if not path.exists():
        mend = "install the package again" if spec.bundled else f"run `particle-sam models download {name}`"
        raise BadModelError(f"the weights of {name} are not at {path}; {mend}, or give a local file.")
    return path


def own_thresholds(metadata: dict[str, str], path: Path) -> Thresholds:
    """Return the thresholds that a weights file names, SAM's where it names none.

    Raises
    ------
    BadModelError
        If they are not valid.
    """
    if "thresholds" not in metadata:
        return SAM_THRESHOLDS
    try:
        return Thresholds.model_validate(json.loads(metadata["thresholds"]))
    except (ValidationError, ValueError) as error:
        raise BadModelError(f"{path} names thresholds that are not valid; fetch it again.") from error
