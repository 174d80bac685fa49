"""How far a run is, read from its folder by whoever wants to know; nothing here needs torch."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import read_json
from napari_particle_sam.learning.run_lock import is_held
from napari_particle_sam.learning.run_names import (
    ADAPTER,
    CANCEL,
    EVENTS,
    EVENTS_SCHEMA,
    FAILURE,
    JOB,
    LOG,
    PAUSE,
    RESULT,
    STARTING,
)

RUNS = "runs"
RunState = Literal["prepared", "running", "pausing", "paused", "finished", "cancelled", "failed", "stopped"]
#: The process holds its lock within this many seconds, or did not come up.
COMES_UP_WITHIN = 30.0
#: Enough for the last lines of the event log and of the process's words.
TAIL = 65_536


@dataclass(frozen=True)
class RunStatus:
    """How far a run is.

    Attributes
    ----------
    run : Path
        Its folder.
    state : RunState
        ``stopped``: its process was killed; `launch.start_run` goes on with it.
    step, steps : int and int or None
        Taken, and planned as far as known.
    seconds_left : float or None
        Until its end, as far as known.
    sentence : str
        The state in words, or how it ended.
    gained : bool
        Whether it ended with an adapter.
    adapter : Path or None
        Its folder.
    """

    run: Path
    state: RunState
    step: int = 0
    steps: int | None = None
    seconds_left: float | None = None
    sentence: str = ""
    gained: bool = False
    adapter: Path | None = None

    @property
    def alive(self) -> bool:
        """Whether a process works on it."""
        return self.state in ("running", "pausing")

    @property
    def can_resume(self) -> bool:
        """Whether `launch.start_run` goes on with it."""
        return self.state in ("prepared", "paused", "cancelled", "failed", "stopped")


def read_status(run: Path) -> RunStatus:
    """Return how far a run is; a folder that is being written at this moment is no error."""
    if (run / RESULT).is_file():
        return _ended(run)
    state = _state(run)
    step, steps, left = _progress(run)
    return RunStatus(run, state, step, steps, left, _sentence(run, state, step, steps, left))


def list_runs(project_root: Path) -> list[Path]:
    """Return the prepared runs of a project's folder, newest first."""
    try:
        found = [p.parent for p in (project_root / RUNS).glob(f"*/{JOB}")]
        return sorted(found, key=lambda run: (run / JOB).stat().st_mtime_ns, reverse=True)
    except OSError:
        return []


class EventReader:
    """Reads a run's events as they come.

    Parameters
    ----------
    run : Path
        Its folder; the log need not be there yet.
    """

    def __init__(self, run: Path) -> None:
        self._path, self._at, self._rest = run / EVENTS, 0, b""

    def new(self) -> list[dict[str, Any]]:
        """Return the events since the last call; a torn last line waits, unknown ones are skipped."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
        except OSError:
            return []
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [event for line in lines if (event := parse_event(line)) is not None]


def parse_event(line: bytes) -> dict[str, Any] | None:
    """Return the event of a line, or None where it is torn or of a schema that is not known."""
    try:
        event = json.loads(line)
        known = isinstance(event, dict) and event["schema_version"] == EVENTS_SCHEMA
        return event if known and isinstance(event["event"], str) else None
    except (ValueError, KeyError, RecursionError):
        return None


def _state(run: Path) -> RunState:
    if is_held(run):
        return "pausing" if (run / PAUSE).exists() else "running"
    # Asked to stop before it came up, it still comes up first.
    if _comes_up(run):
        return "running"
    if (run / CANCEL).exists():
        return "cancelled"
    if (run / FAILURE).exists():
        return "failed"
    if (run / PAUSE).exists():
        return "paused"
    return "stopped" if (run / EVENTS).exists() or (run / STARTING).exists() else "prepared"


def _comes_up(run: Path) -> bool:
    try:
        return abs(time.time() - (run / STARTING).stat().st_mtime) < COMES_UP_WITHIN
    except OSError:
        return False


def _progress(run: Path) -> tuple[int, int | None, float | None]:
    """Return step, steps and seconds left from the last `Progress` of the log."""
    for line in reversed(_tail(run / EVENTS).split(b"\n")):
        event = parse_event(line)
        if event is not None and event["event"] == "Progress":
            return int(event["done"]), int(event["total"]) or None, event.get("seconds_left")
    return 0, None, None


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            return file.read()
    except OSError:
        return b""


def _ended(run: Path) -> RunStatus:
    try:
        result = read_json(run / RESULT)
        gained, sentence, steps = bool(result["gained"]), str(result["reason"]), int(result["steps"])
    except (BadFileError, KeyError, TypeError, ValueError):
        return RunStatus(run, "failed", sentence=f"{run / RESULT} cannot be read; train again.")
    adapter = run / ADAPTER
    here = gained and adapter.is_dir()
    return RunStatus(run, "finished", steps, steps, 0.0, sentence, here, adapter if here else None)


def _sentence(run: Path, state: RunState, step: int, steps: int | None, left: float | None) -> str:
    if state == "failed":
        return _failure(run)
    done = f"step {step} of {steps}" if steps else "at its beginning"
    if state == "running":
        if not steps:
            return "Loading the model and looking at the images."
        return f"Training: {done}" + (f", {words_for(left)} left." if left is not None else ".")
    return {
        "prepared": "Ready to start.",
        "pausing": "Pausing after this step.",
        "paused": f"Paused ({done}); resume it when you like.",
        "cancelled": f"Cancelled ({done}); it can be resumed.",
        "stopped": f"It was interrupted ({done}); resume it, nothing is lost but the last minute.",
    }[state]  # fmt: skip


def _failure(run: Path) -> str:
    try:
        return str(read_json(run / FAILURE)["sentence"])
    except (BadFileError, KeyError, TypeError):
        lines = _tail(run / LOG).decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "The training ended without a word; resume it."


def words_for(seconds: float) -> str:
    """Return a duration in words."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"
