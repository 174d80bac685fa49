"""The folder of a training run: settings, events, curves, adapter, result."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.events import Event, Metric
from napari_particle_sam.base.files import atomic_path, write_csv, write_json


class RunFolder:
    """Writes what a run does as it does it.

    Parameters
    ----------
    path : Path
        The folder, made if it is missing; a folder that holds a finished run is refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if (self.path / "result.json").exists():
            raise BadValueError(f"{self.path} holds a finished run; choose another folder with --out.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._events = (self.path / "events.jsonl").open("a", encoding="utf-8")
        except OSError as error:
            raise BadFileError(
                f"{self.path} cannot be written ({error.strerror}); choose another folder."
            ) from error
        self._seq = _count_lines(self.path / "events.jsonl")
        self.metrics: list[Metric] = []

    def close(self) -> None:
        """Close the event log."""
        self._events.close()

    def write(self, name: str, value: Any) -> None:
        """Write one JSON file of the run."""
        write_json(self.path / name, value)

    def record(self, event: Event) -> Event:
        """Append an event to `events.jsonl` and hand it on."""
        line = {"schema_version": 1, "seq": self._seq, "time": time.time(), "event": type(event).__name__}
        self._events.write(json.dumps(line | asdict(event)) + "\n")
        self._events.flush()
        self._seq += 1
        if isinstance(event, Metric):
            self.metrics.append(event)
        return event

    def write_curves(self) -> None:
        """Write `curves.csv` and `curves.png`."""
        keys = sorted({k for m in self.metrics for k in m.values})
        rows = [{"step": m.step, "stage": m.stage, **m.values} for m in self.metrics]
        write_csv(self.path / "curves.csv", rows, ["step", "stage", *keys])
        if self.metrics:
            _draw_curves(self.metrics, self.path / "curves.png")


def _count_lines(path: Path) -> int:
    with path.open(encoding="utf-8") as file:
        return sum(1 for _ in file)


def _draw_curves(metrics: list[Metric], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    loss, quality = figure.subplots(1, 2)
    train = [m for m in metrics if m.stage == "train"]
    loss.plot([m.step for m in train], [m.values.get("loss") for m in train], color="#4878a8")
    loss.set(xlabel="step", ylabel="training loss")
    validation = [m for m in metrics if m.stage == "validation"]
    for key, colour in (("f1@0.5", "#b24745"), ("f1@0.75", "#df8f44"), ("dice_foreground", "#79af97")):
        quality.plot(
            [m.step for m in validation],
            [m.values.get(key) for m in validation],
            "o-",
            label=key,
            color=colour,
        )
    quality.set(xlabel="step", ylabel="validation", ylim=(0, 1))
    quality.legend(loc="lower right", frameon=False)
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=110)
