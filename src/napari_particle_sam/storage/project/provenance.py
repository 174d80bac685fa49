"""Who annotated an image, when, for how long, from what beginning, and by which actions."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.storage.project.schema import Name, Sha256, Stored

#: A longer time without an action is a pause and does not count as annotation, in seconds.
LONGEST_PAUSE = 120.0


class Beginning(Stored):
    """What an annotator began with.

    Attributes
    ----------
    kind : str
        ``blank``; ``model``, that is proposals; or ``imported`` labels.
    model, fingerprint : str or None
        Name of the base model and its tensor fingerprint.
    adapter : str or None
        Name or folder of the adapter.
    thresholds : Thresholds or None
        With which the proposals were made.
    """

    kind: Literal["blank", "model", "imported"] = "blank"
    model: Name | None = None
    fingerprint: Sha256 | None = None
    adapter: Name | None = None
    thresholds: Thresholds | None = None

    @model_validator(mode="after")
    def _check(self) -> Beginning:
        if (self.kind == "model") != (self.model is not None):
            raise ValueError("a beginning from a model names it, and no other does")
        return self

    def words(self) -> str:
        """Return it for a table: ``blank``, or model and adapter."""
        return self.kind if self.model is None else " + ".join(filter(None, (self.model, self.adapter)))


class Sitting(Stored):
    """One opening of a session.

    Attributes
    ----------
    started, ended : datetime
        First opening and last action, or saving.
    active_seconds : float
        Time between actions, pauses above `LONGEST_PAUSE` left out.
    """

    started: AwareDatetime
    ended: AwareDatetime
    active_seconds: Annotated[float, Field(ge=0)] = 0.0


class Provenance(Stored):
    """What is recorded of the annotation of one image by one person.

    Attributes
    ----------
    annotator : str
        As given; the folder's name is made from it.
    beginning : Beginning
        What it started from.
    sittings : tuple of Sitting
        In order.
    actions : dict of str to int
        Number of actions by kind, undo and redo among them.
    """

    annotator: Name
    beginning: Beginning = Beginning()
    sittings: Annotated[tuple[Sitting, ...], Field(max_length=100_000)] = ()
    actions: dict[Name, Annotated[int, Field(ge=0)]] = {}

    @property
    def started(self) -> datetime | None:
        """When the first sitting began."""
        return self.sittings[0].started if self.sittings else None

    @property
    def ended(self) -> datetime | None:
        """When the last sitting ended."""
        return self.sittings[-1].ended if self.sittings else None

    @property
    def active_seconds(self) -> float:
        """Of all sittings."""
        return sum(sitting.active_seconds for sitting in self.sittings)

    def opened(self, at: float) -> Provenance:
        """Return this with a new sitting that begins at a time, in seconds since 1970."""
        moment = datetime.fromtimestamp(at, UTC)
        return self.model_copy(update={"sittings": (*self.sittings, Sitting(started=moment, ended=moment))})

    def acted(self, kind: str, at: float) -> Provenance:
        """Return this with one more action at a time, in seconds since 1970."""
        record = self if self.sittings else self.opened(at)
        counts = {**record.actions, kind: record.actions.get(kind, 0) + 1}
        last = record.sittings[-1]
        # A clock that was set back must not shorten what was done.
        gap = max(0.0, at - last.ended.timestamp())
        sitting = Sitting(
            started=last.started,
            ended=max(last.ended, datetime.fromtimestamp(at, UTC)),
            active_seconds=last.active_seconds + (gap if gap <= LONGEST_PAUSE else 0.0),
        )
        return record.model_copy(update={"sittings": (*record.sittings[:-1], sitting), "actions": counts})


def system_annotator() -> str:
    """Return the name of the user of the operating system, or ``annotator`` where it has none."""
    try:
        return getpass.getuser() or "annotator"
    except (OSError, KeyError, ImportError):
        return "annotator"
