"""The state of a run on disk, so that it goes on bit for bit after its process was killed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import atomic_path

SCHEMA = 1
_MODEL, _OPTIMIZER, _BEST = "model/", "optimizer/", "best/"


@dataclass
class Checkpoint:
    """What a run needs to go on.

    Attributes
    ----------
    state : dict
        Plain values: step, seconds, scores and thresholds of the kept epoch.
    model : dict of str to Tensor
        What is trained, by parameter name.
    optimizer : dict of str to Tensor
        Moments and counts, by ``INDEX/NAME``.
    best : dict of str to Tensor
        The kept epoch's adapter; empty where none beat the base.
    """

    state: dict[str, Any]
    model: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)

    def check(self, same: Mapping[str, Any], run: Path) -> None:
        """Refuse to go on where the state says something else than these values.

        Raises
        ------
        BadFileError
            If it was written by a run with other settings or images.
        """
        if any(self.state[name] != value for name, value in same.items()):
            raise BadFileError(f"{run} holds a run with other settings or images; choose another folder.")


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint in one file, beside the old one until it is complete."""
    groups = ((_MODEL, checkpoint.model), (_OPTIMIZER, checkpoint.optimizer), (_BEST, checkpoint.best))
    tensors = {
        prefix + key: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for prefix, group in groups
        for key, value in group.items()
    }
    state = json.dumps({"schema_version": SCHEMA, **checkpoint.state})
    with atomic_path(path) as part:
        save_file(tensors, part, metadata={"state": state})


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None where there is none.

    Raises
    ------
    BadFileError
        If it is damaged or of another version.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            state = json.loads((file.metadata() or {})["state"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, KeyError, RecursionError) as error:
        raise BadFileError(f"{path} is damaged; start the training again in another folder.") from error
    if not isinstance(state, dict) or state.get("schema_version") != SCHEMA:
        raise BadFileError(f"{path} is of another version; start the training again in another folder.")
    return Checkpoint(state, *(_group(tensors, prefix) for prefix in (_MODEL, _OPTIMIZER, _BEST)))


def trained_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return what is trained by name, in the module's order."""
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state as tensors."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}/{name}": torch.as_tensor(v) for index, kept in state.items() for name, v in kept.items()
    }


def restore(module: nn.Module, optimizer: torch.optim.Optimizer, checkpoint: Checkpoint, path: Path) -> None:
    """Put a checkpoint's tensors into a module and its optimizer.

    Raises
    ------
    BadFileError
        If they are those of another model or other settings.
    """
    parameters = trained_parameters(module)
    fits = parameters.keys() == checkpoint.model.keys() and all(
        p.shape == checkpoint.model[name].shape for name, p in parameters.items()
    )
    if not fits:
        raise BadFileError(f"{path} does not fit these settings; start the training in another folder.")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(checkpoint.model[name])
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in checkpoint.optimizer.items():
        index, name = key.split("/", 1)
        state.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _group(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
