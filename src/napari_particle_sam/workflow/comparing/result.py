"""What a comparison of a base model with an adapter found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_particle_sam.evaluation.bootstrap import Interval

Outcome = Literal["better", "no difference shown", "worse"]
#: The two models, as headings and tables call them.
BASE, ADAPTED = "base", "adapted"
#: The metric of the correction robot, beside those of `metrics.METRICS`.
EDITS = "edits_per_particle"
#: Notes that begin with this must not be overlooked.
WARNING = "Warning: "


def heading(who: str, thresholds: str) -> str:
    """Return the column of a model at ``default`` or its ``own`` thresholds."""
    return f"{who}, {thresholds}"


#: All columns, in the order in which tables show them.
HEADINGS = tuple(heading(who, at) for at in ("default", "own") for who in (BASE, ADAPTED))


@dataclass(frozen=True)
class Yardstick:
    """Size of the true particles, and what a small mistake costs at that size.

    Attributes
    ----------
    median_diameter : float
        Median equivalent circular diameter in pixels; NaN without particles.
    grown_dice : float
        Foreground Dice, mean over images, of the truth itself grown by one pixel.
    """

    median_diameter: float
    grown_dice: float


@dataclass(frozen=True)
class Comparison:
    """Base against adapted.

    Attributes
    ----------
    metrics : dict
        Pooled metrics by column heading; `EDITS` stands in the columns of own thresholds alone.
    intervals : dict
        Paired differences, each model at its own thresholds: adapted minus base. `EDITS` is among them where
        it was measured, and is better when negative.
    verdict : str
        In words.
    images : list of str
        Stems that were compared.
    left_out : list of str
        Stems that the adapter trained on.
    notes : list of str
        What limits the comparison; those that begin with `WARNING` come first.
    outcome : str
        The verdict in one of three words: ``better``, ``no difference shown``, ``worse``.
    default_intervals : dict
        As `intervals`, both models at default thresholds, without `EDITS`.
    particles : int
        True particles that count.
    groups : int
        Groups of images, such as specimens, that the intervals draw from.
    began : dict of str to str
        How the truth of each image began, in words.
    effort_images, scale_images : list of str
        Stems in which edits and stability over scale were measured.
    scales : dict of str to dict of str to float
        For each model at its own thresholds, f1@0.5 by scale (``0.5x``, ``1x``, ``2x``).
    yardstick : Yardstick or None
        Size of the true particles, and the Dice of their outlines grown by a pixel.
    pictures : tuple of Path
        The overview, then a picture per image shown, each with image, truth, base and adapted side by side.
    """

    metrics: dict[str, dict[str, float]]
    intervals: dict[str, Interval]
    verdict: str
    images: list[str]
    left_out: list[str]
    notes: list[str]
    outcome: Outcome = "no difference shown"
    default_intervals: dict[str, Interval] = field(default_factory=dict)
    particles: int = 0
    groups: int = 0
    began: dict[str, str] = field(default_factory=dict)
    effort_images: list[str] = field(default_factory=list)
    scale_images: list[str] = field(default_factory=list)
    scales: dict[str, dict[str, float]] = field(default_factory=dict)
    yardstick: Yardstick | None = None
    pictures: tuple[Path, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """The notes that must not be overlooked, without the word itself."""
        return [note.removeprefix(WARNING) for note in self.notes if note.startswith(WARNING)]

    def plain(self, folder: Path | None = None) -> dict[str, Any]:
        """Return it as JSON can hold it; pictures are named relative to a folder where one is given."""
        intervals = {
            name: {metric: change._asdict() for metric, change in getattr(self, name).items()}
            for name in ("intervals", "default_intervals")
        }
        pictures = [p.relative_to(folder) if folder is not None else p for p in self.pictures]
        return asdict(self) | intervals | {"pictures": [p.as_posix() for p in pictures]}
