"""The numbers of a training by curve, as its events bring them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Plot -> curve -> (stage of the event, name among its values).
PLOTS: dict[str, dict[str, tuple[str, str]]] = {
    "loss": {
        "training loss": ("train", "loss"),
        "validation loss": ("validation", "loss"),
    },
    "quality": {
        "validation f1@0.5": ("validation", "f1@0.5"),
        "validation Dice": ("validation", "dice_foreground"),
        "validation mIoU": ("validation", "miou"),
        "training Dice": ("train", "dice"),
        "training mIoU": ("train", "miou"),
    },
}


class CurveData:
    """Values by curve and step; a step that was taken again after a resume counts once."""

    def __init__(self) -> None:
        self._values: dict[str, dict[int, float]] = {name: {} for plot in PLOTS.values() for name in plot}

    def add(self, event: Mapping[str, Any]) -> bool:
        """Take an event of `run_status.EventReader`; whether a curve changed."""
        values, step = event.get("values"), event.get("step")
        if event.get("event") != "Metric" or not isinstance(values, dict) or not isinstance(step, int):
            return False
        changed = False
        for plot in PLOTS.values():
            for name, (stage, key) in plot.items():
                value = values.get(key)
                if event.get("stage") == stage and isinstance(value, (int, float)) and math.isfinite(value):
                    self._values[name][step] = float(value)
                    changed = True
        return changed

    def curve(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return steps in order, and the values there."""
        found = self._values[name]
        steps = np.fromiter(found, np.int64, len(found))
        values = np.fromiter(found.values(), np.float64, len(found))
        order = np.argsort(steps, kind="stable")
        return steps[order], values[order]

    def clear(self) -> None:
        """Forget everything."""
        for found in self._values.values():
            found.clear()
