"""The folder of a training run as its process sees it: event log, requests of others, files."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.events import Event, Metric
from napari_particle_sam.base.files import write_json
from napari_particle_sam.learning.curves import write_curves
from napari_particle_sam.learning.run_names import CANCEL, EVENTS, EVENTS_SCHEMA, PAUSE, RESULT
from napari_particle_sam.learning.run_status import parse_event


class RunFolder:
    """Writes what a run does as it does it; a log that is there already is gone on with.

    Parameters
    ----------
    path : Path
        The folder, made if it is missing; a folder that holds a finished run is refused.
    listen : callable, optional
        Told every event as well.
    """

    def __init__(self, path: Path, listen: Callable[[Event], None] | None = None) -> None:
        self.path, self._listen = Path(path), listen
        if (self.path / RESULT).exists():
            raise BadValueError(f"{self.path} holds a finished run; choose another folder with --out.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            before = _read_log(self.path / EVENTS)
            self._events = (self.path / EVENTS).open("a", encoding="utf-8", newline="\n")
        except OSError as error:
            raise BadFileError(
                f"{self.path} cannot be written ({error.strerror}); choose another folder."
            ) from error
        if before and not before.endswith(b"\n"):
            self._events.write("\n")
        self._seq = before.count(b"\n") + (not before.endswith(b"\n") if before else 0)
        self._metrics = _metrics_of(before)

    def close(self) -> None:
        """Close the event log."""
        self._events.close()

    def write(self, name: str, value: Any) -> None:
        """Write one JSON file of the run."""
        write_json(self.path / name, value)

    def record(self, event: Event) -> Event:
        """Append an event to the log and hand it on."""
        line = {
            "schema_version": EVENTS_SCHEMA, "seq": self._seq, "time": time.time(),
            "event": type(event).__name__,
        }  # fmt: skip
        self._events.write(json.dumps(line | asdict(event)) + "\n")
        self._events.flush()
        self._seq += 1
        if isinstance(event, Metric):
            self._metrics[event.stage, event.step] = event
        if self._listen is not None:
            self._listen(event)
        return event

    def asked(self) -> str | None:
        """Return ``cancel`` or ``pause`` where somebody asked for it."""
        return next((name for name in (CANCEL, PAUSE) if (self.path / name).exists()), None)

    def write_curves(self) -> None:
        """Write `curves.csv` and `curves.png`; a step that was taken again counts once."""
        write_curves(sorted(self._metrics.values(), key=lambda m: (m.step, m.stage)), self.path)


def _read_log(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _metrics_of(log: bytes) -> dict[tuple[str, int], Metric]:
    events = [parse_event(line) for line in log.split(b"\n")]
    found = [Metric(e["step"], e["stage"], e["values"]) for e in events if e and e["event"] == "Metric"]
    return {(metric.stage, metric.step): metric for metric in found}
