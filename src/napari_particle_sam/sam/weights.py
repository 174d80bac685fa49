"""Read weights without running what is in them, and identify them."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from segment_anything.modeling import Sam
from torch import Tensor

from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.sam.registry import SPECS

#: No checkpoint of these architectures is larger.
LARGEST_BYTES = 6 * 2**30


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**22):
            digest.update(block)
    return digest.hexdigest()


def read_state(path: Path, trust: bool = False) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors by name from a .safetensors or .pth file.

    Parameters
    ----------
    path : Path
        The file. A .pth file of unknown sha256 is refused unless it is trusted; even then
        only tensors are read from it.
    trust : bool
        Whether the user vouches for an unknown .pth file.

    Returns
    -------
    tuple
        The tensors in fp32, and the file's metadata (empty for .pth).

    Raises
    ------
    BadModelError
        If the file is missing, too large, damaged, untrusted or holds anything but tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise BadModelError(f"{path} does not exist; check the path or download the model.")
    if path.stat().st_size > LARGEST_BYTES:
        raise BadModelError(f"{path} is larger than any SAM checkpoint; choose another file.")
    if path.suffix == ".safetensors":
        state, metadata = _read_safetensors(path)
    elif path.suffix in (".pth", ".pt"):
        state, metadata = _read_pth(path, trust), {}
    else:
        raise BadModelError(f"{path} is neither .safetensors nor .pth; choose a weights file.")
    return {key: _float(value) for key, value in state.items()}, metadata


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            return {key: file.get_tensor(key) for key in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, struct.error, json.JSONDecodeError) as error:
        raise BadModelError(f"{path} is damaged or no safetensors file; fetch it again.") from error


def _read_pth(path: Path, trust: bool) -> dict[str, Tensor]:
    known = {spec.sha256 for spec in SPECS.values() if spec.sha256}
    if not trust and sha256_of(path) not in known:
        raise BadModelError(
            f"{path} is not a known SAM checkpoint (sha256 differs); "
            "fetch it again, or import it with --trust if you know where it is from."
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files make the restricted unpickler fail in any way
        raise BadModelError(
            f"{path} is damaged or holds more than tensors; nothing in it was run; fetch it again."
        ) from error
    if not isinstance(state, dict) or not all(isinstance(k, str) and _is_plain(v) for k, v in state.items()):
        raise BadModelError(f"{path} holds no plain tensors by name; export its state_dict.")
    if sum(value.numel() for value in state.values()) * 4 > LARGEST_BYTES:
        raise BadModelError(f"{path} unpacks to more than any SAM checkpoint; choose another file.")
    return state


def _is_plain(value: object) -> bool:
    """Whether a value is a tensor of numbers in memory: not sparse, without data, complex or quantised."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.device.type != "cpu":
        return False
    return not value.is_complex() and not value.is_quantized


def _float(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def load_into(sam: Sam, state: dict[str, Tensor], source: Path) -> None:
    """Copy tensors into a model built first; every name, shape and value is checked.

    Raises
    ------
    BadModelError
        If names or shapes differ, or a value is not finite.
    """
    own = sam.state_dict()
    wrong = sorted(set(own) ^ set(state)) or [k for k in own if own[k].shape != state[k].shape]
    if wrong:
        raise BadModelError(
            f"{source} does not fit this architecture ({len(wrong)} tensors differ, first {wrong[0]}); "
            "choose the model it was made for."
        )
    for key, value in state.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise BadModelError(f"{source} holds values that are not finite (in {key}); fetch it again.")
    sam.load_state_dict(state, strict=True)


def fingerprint(state: dict[str, Tensor]) -> str:
    """Return sha256 over sorted name, dtype, shape and bytes in fp32.

    It is equal for a .pth file and its safetensors copy.
    """
    digest = hashlib.sha256()
    for key in sorted(state):
        value = _float(state[key]).contiguous().cpu()
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def guess_architecture(state: dict[str, Tensor]) -> str | None:
    """Return which architecture a checkpoint is made for, None if none."""
    if any(key.startswith("image_encoder.trunk.") for key in state):
        return "particle-tiny"
    position = state.get("image_encoder.pos_embed")
    widths = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}
    return widths.get(position.shape[-1]) if position is not None and position.ndim == 4 else None
