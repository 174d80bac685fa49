"""Which model proposes and draws while one reviews; torch is imported when a model is loaded."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_particle_sam.annotation.thresholds import Thresholds

if TYPE_CHECKING:
    from napari_particle_sam.sam.model import SamModel

#: So many models stay in memory.
KEPT_MODELS = 2


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be asked for.

    Attributes
    ----------
    name : str
        A name of the registry, or a path to a .pth or .safetensors file.
    adapter : Path or None
        Folder of an adapter, or of the run that made it.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    trust : bool
        Whether an unknown .pth file is read.
    """

    name: str = "particle-tiny"
    adapter: Path | None = None
    device: str = "auto"
    trust: bool = False


class ProposeSettings(BaseModel):
    """How proposals are looked for; a form is made of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        "particle-tiny", min_length=1, title="Model",
        description="particle-tiny comes with the package; or vit_b, vit_l, vit_h, or a weights file.",
    )  # fmt: skip
    adapter: Path | None = Field(
        None, title="Adapter", description="Folder of a training run that adapted the model to your images."
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto",
        title="Device",
        description="Where the model computes; auto takes a graphics card if there is one.",
    )
    engine: Literal["auto", "guided", "adaptive", "exact"] = Field(
        "auto", title="Engine",
        description="How places to look at are chosen; auto lets a model that can say where particles are.",
    )  # fmt: skip
    points_per_side: int = Field(
        32, ge=1, le=128, title="Points per side",
        description="Points per side of the finest grid; more find smaller particles and take longer.",
    )  # fmt: skip
    tiles: bool = Field(
        True, title="Look closer", description="Look again in enlarged tiles where particles are small."
    )

    @property
    def choice(self) -> ModelChoice:
        """The model that is asked for."""
        return ModelChoice(self.model, self.adapter, self.device)


class ModelShelf:
    """Models that are loaded once and then shared; every method may be called from any thread.

    The models used last stay, `KEPT_MODELS` of them. An adapter or weights file that was written anew is
    loaded anew.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._models: OrderedDict[Any, SamModel] = OrderedDict()

    def get(self, choice: ModelChoice) -> SamModel:
        """Return a model, loaded if it is not here yet; slow the first time.

        Parameters
        ----------
        choice : ModelChoice
            Which one.

        Returns
        -------
        SamModel
            In evaluation mode, the adapter merged.

        Raises
        ------
        BadModelError
            If weights or adapter are missing, damaged, untrusted or do not belong together.
        BadValueError
            If the device is unknown or absent.
        """
        from napari_particle_sam.sam.loading import load_model

        with self._lock:
            key = (choice, _state_of(choice))
            if key not in self._models:
                self._models[key] = load_model(choice.name, choice.adapter, choice.device, trust=choice.trust)
                while len(self._models) > KEPT_MODELS:
                    self._models.popitem(last=False)
            self._models.move_to_end(key)
            return self._models[key]

    def clear(self) -> None:
        """Give all models up."""
        with self._lock:
            self._models.clear()


def _state_of(choice: ModelChoice) -> tuple[tuple[int, int], ...]:
    """Return sizes and times of the files that a model is read from, as far as they lie open."""
    from napari_particle_sam.sam.adapter_info import INFO, WEIGHTS

    files = [Path(choice.name)]
    if choice.adapter is not None:
        folders = (Path(choice.adapter), Path(choice.adapter) / "adapter")
        files += [folder / name for folder in folders for name in (INFO, WEIGHTS)]
    found = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            continue
        found.append((state.st_size, state.st_mtime_ns))
    return tuple(found)


def default_thresholds(choice: ModelChoice) -> Thresholds:
    """Return the thresholds that a model comes with, without loading it.

    Parameters
    ----------
    choice : ModelChoice
        The model; an adapter's thresholds go before the base's.

    Returns
    -------
    Thresholds
        Its defaults.

    Raises
    ------
    BadModelError
        If weights or adapter are missing or damaged.
    """
    from napari_particle_sam.sam.defaults import default_thresholds as read

    return read(choice.name, choice.adapter)


def gui_threads() -> int:
    """Return how many threads torch may use beside a window: one core less than there are, at least one."""
    allowed = getattr(os, "sched_getaffinity", None)
    cores = len(allowed(0)) if allowed is not None else os.cpu_count() or 1
    return max(1, cores - 1)
