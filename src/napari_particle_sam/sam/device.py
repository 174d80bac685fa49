"""Choose where a model computes."""

from __future__ import annotations

import torch

from napari_particle_sam.base.errors import BadValueError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> torch.device:
    """Return the device that was asked for, or the best one present.

    Parameters
    ----------
    name : str
        ``auto``, ``cpu``, ``cuda`` (or ``cuda:1``, ...) or ``mps``.

    Returns
    -------
    torch.device
        A device that is present.

    Raises
    ------
    BadValueError
        If the name is unknown or the device is absent.
    """
    if name.split(":")[0] not in DEVICES:
        raise BadValueError(f"device {name!r} is unknown; choose one of {', '.join(DEVICES)}.")
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise BadValueError("device 'cuda' is not present here; use --device cpu.")
    if name == "mps" and not has_mps:
        raise BadValueError("device 'mps' is not present here; use --device cpu.")
    return torch.device(name)
