"""Who is told what a training does, beside the event log that is always written."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.events import Event, Message, Metric

#: Names that a job may ask for. Only the second sends anything over a network.
WANDB, WANDB_ONLINE = "wandb", "wandb-online"
TRACKERS = (WANDB, WANDB_ONLINE)
PROJECT = "napari-particle-sam"
#: Neither the machine, its user, its packages nor what is printed belongs to what a training measured.
QUIET = {
    "silent": True, "console": "off", "disable_git": True, "disable_code": True,
    "x_disable_machine_info": True, "x_disable_stats": True, "x_save_requirements": False,
}  # fmt: skip


class WandbTracker:
    """Tells Weights & Biases; offline, into the run's folder, unless the user asked for more.

    Parameters
    ----------
    run : Path
        The run's folder.
    settings : dict
        Of the training.
    online : bool
        Whether numbers leave this machine.

    Raises
    ------
    BadValueError
        If the package is not installed.
    """

    def __init__(self, run: Path, settings: dict[str, Any], online: bool) -> None:
        try:
            wandb = importlib.import_module("wandb")
        except ImportError as error:
            raise BadValueError(
                "Weights & Biases is not installed; run `pip install napari-particle-sam[wandb]`."
            ) from error
        self._run = wandb.init(
            project=PROJECT, name=run.name, dir=str(run), config=settings, reinit="finish_previous",
            mode="online" if online else "offline", settings=dict(QUIET),
        )  # fmt: skip

    def tell(self, event: Event) -> None:
        """Send the numbers of an event."""
        if isinstance(event, Metric):
            values = {f"{event.stage}/{name}": value for name, value in event.values.items()}
            self._run.log(values | {"step": event.step})

    def close(self) -> None:
        """Write what is left."""
        self._run.finish()


class Trackers:
    """All trackers of a run; one that fails is left out from then on, and the training goes on.

    Parameters
    ----------
    names : iterable of str
        From `TRACKERS`.
    run : Path
        The run's folder.
    settings : dict
        Of the training.

    Raises
    ------
    BadValueError
        If a name is unknown or its package is not installed.
    """

    def __init__(self, names: Iterable[str], run: Path, settings: dict[str, Any]) -> None:
        self._active: list[WandbTracker] = []
        self.complaints: list[Message] = []
        for name in names:
            if name not in TRACKERS:
                raise BadValueError(f"tracker {name!r} is unknown; choose from {', '.join(TRACKERS)}.")
            self._try(name, lambda name=name: self._begin(name, run, settings))

    def tell(self, event: Event) -> None:
        """Tell all of them."""
        for tracker in list(self._active):
            if not self._try("Weights & Biases", lambda tracker=tracker: tracker.tell(event)):
                self._active.remove(tracker)

    def close(self) -> None:
        """Close all of them."""
        for tracker in self._active:
            self._try("Weights & Biases", tracker.close)
        self._active = []

    def _begin(self, name: str, run: Path, settings: dict[str, Any]) -> None:
        self._active.append(WandbTracker(run, settings, name == WANDB_ONLINE))

    def _try(self, name: str, act: Callable[[], None]) -> bool:
        try:
            act()
        except BadValueError:
            raise
        # Whatever a foreign package raises must not end hours of training.
        except Exception as error:
            self.complaints.append(Message(f"{name} is left out ({type(error).__name__}: {error})."))
            return False
        return True
