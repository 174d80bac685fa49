"""What every long job yields while it works."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """Something that happened in a long job."""


@dataclass(frozen=True)
class Progress(Event):
    """`done` of `total` steps are finished; `total` is 0 where it is not known, `seconds_left` None."""

    done: int
    total: int
    text: str = ""
    seconds_left: float | None = None


@dataclass(frozen=True)
class Message(Event):
    """A sentence for the user."""

    text: str


@dataclass(frozen=True)
class Metric(Event):
    """Numbers measured at a step, such as losses or validation scores."""

    step: int
    stage: str
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CandidatesFound(Event):
    """All candidates that a job has collected so far, those of earlier events included.

    What is found later may still push some of them out.
    """

    candidates: Any
