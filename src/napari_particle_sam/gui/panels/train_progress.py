"""How far a training run is, read from the files it writes as it goes."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import read_json

EVENTS, RESULT, ADAPTER = "events.jsonl", "result.json", "adapter"
#: What is read of the events at one look, in bytes.
_LOOK = 4 * 2**20


@dataclass
class TrainProgress:
    """Follows the folder of a run that another process writes.

    Attributes
    ----------
    folder : Path
        The run's.
    minutes : float or None
        Its budget; None where it ends by epochs.
    step : int
        Last training step.
    loss : float
        Of that step; NaN before the first.
    scores : list of (int, float)
        Step and f1@0.5 of every validation.
    began, latest : float
        Times of the first and the last training step, seconds since the epoch.
    messages : list of str
        Sentences of the run.
    """

    folder: Path
    minutes: float | None = None
    step: int = 0
    loss: float = math.nan
    scores: list[tuple[int, float]] = field(default_factory=list)
    began: float = 0.0
    latest: float = 0.0
    messages: list[str] = field(default_factory=list)
    _read: int = 0

    def look(self) -> bool:
        """Read what was written since the last look; whether there was anything."""
        try:
            with (self.folder / EVENTS).open("rb") as file:
                file.seek(self._read)
                # The last line may be half written; it is read again at the next look.
                whole, found, _ = file.read(_LOOK).rpartition(b"\n")
        except OSError:
            return False
        self._read += len(whole) + len(found)
        for line in whole.splitlines():
            self._take(line)
        return bool(found)

    @property
    def share(self) -> float | None:
        """Share of the time budget that is spent, 0 to 1; None where it cannot be said."""
        if self.minutes is None or not self.began:
            return None
        return min(1.0, (self.latest - self.began) / (60 * self.minutes))

    def words(self) -> str:
        """Return how far it is."""
        if not self.step:
            return self.messages[-1] if self.messages else "Loading the model and looking at the images…"
        words = [f"Step {self.step}, loss {self.loss:.3f}."]
        if self.scores:
            words.append(f"Validation f1@0.5: {self.scores[0][1]:.3f} before, {self.scores[-1][1]:.3f} now.")
        return " ".join(words)

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            if event["event"] == "Message":
                self.messages.append(str(event["text"])[:2000])
            elif event["event"] == "Metric":
                self._measure(event)
        except (ValueError, KeyError, TypeError, RecursionError):
            return

    def _measure(self, event: dict[str, Any]) -> None:
        values, step, at = event["values"], int(event["step"]), float(event["time"])
        if event["stage"] == "validation" and "f1@0.5" in values:
            self.scores.append((step, float(values["f1@0.5"])))
        elif event["stage"] == "train":
            self.step, self.loss = step, float(values["loss"])
            self.began, self.latest = self.began or at, at


@dataclass(frozen=True)
class TrainOutcome:
    """How a run ended: whether there is an adapter to use, where, and one sentence."""

    adapter: Path | None
    sentence: str


def read_outcome(folder: Path, complaint: str = "") -> TrainOutcome:
    """Return how a run ended.

    Parameters
    ----------
    folder : Path
        The run's.
    complaint : str
        What the process wrote last before it failed.
    """
    try:
        result = read_json(folder / RESULT)
        gained, sentence = bool(result["gained"]), str(result["reason"])
    except (BadFileError, KeyError, TypeError):
        last = complaint.strip().splitlines()[-1:] or ["The training ended without a result."]
        return TrainOutcome(None, last[0].removeprefix("particle-sam: "))
    adapter = folder / ADAPTER
    return TrainOutcome(adapter if gained and adapter.is_dir() else None, sentence)
