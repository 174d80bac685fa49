"""The rounds of a project as a table: what each cost, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.rounds import AFTER, BEFORE, IMAGE_EDITS, PARTICLES, open_round
from napari_particle_sam.storage.project.schema import RoundEntry

#: Metrics that a row's words name, the first that was measured.
_TOLD = ("f1@0.5", "dice_foreground", "map", "pq")


@dataclass(frozen=True)
class RoundRow:
    """One round.

    Attributes
    ----------
    number : int
        From 1.
    images : tuple of str
        Keys of the images that were first done, or first corrected, in it.
    particles : int
        In these images when the round was closed.
    edits : mapping of str to int
        Net edits of the round by kind, on whichever image; see `annotation.effort.KINDS`.
    edits_per_particle : float or None
        Edits on the round's images, those of earlier rounds included, per particle in them; None without
        particles.
    active_minutes : float
        Of annotation, pauses left out.
    metrics : mapping of str to float
        On the fixed validation set, named ``before NAME`` and ``after NAME``.
    adapter : str or None
        Name of the adapter that came out.
    open : bool
        Whether no training has closed it yet.
    """

    number: int
    images: tuple[str, ...]
    particles: int
    edits: Mapping[str, int]
    edits_per_particle: float | None
    active_minutes: float
    metrics: Mapping[str, float]
    adapter: str | None
    open: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was done in it."""
        return not (self.images or self.edits or self.adapter)

    def sentence(self) -> str:
        """Return the round in one line."""
        parts = [_count(len(self.images), "image")]
        if self.images:
            parts.append(_count(self.particles, "particle"))
        edits = sum(self.edits.values())
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.edits.items())
        parts.append(_count(edits, "edit") + (f" ({kinds})" if kinds else ""))
        if self.edits_per_particle is not None:
            parts.append(f"{self.edits_per_particle:.2f} per particle")
        parts.append(f"{self.active_minutes:.0f} min")
        parts += self._outcome()
        return f"Round {self.number}{' (open)' if self.open else ''}: {', '.join(parts)}"

    def _outcome(self) -> list[str]:
        told = []
        for name in _TOLD:
            before, after = self.metrics.get(BEFORE + name), self.metrics.get(AFTER + name)
            if after is not None:
                told.append(f"{name} {after:.2f}" if before is None else f"{name} {before:.2f} → {after:.2f}")
                break
        if not self.open:
            told.append(self.adapter or "no gain")
        return told


def round_table(project: Project) -> list[RoundRow]:
    """Return a row per round, the open one last.

    Parameters
    ----------
    project : Project
        For reading at least; a long job uses ``project.reader()``.
    """
    rows = [_row(entry, False) for entry in project.content.rounds]
    return [*rows, _row(open_round(project), True)]


def _row(entry: RoundEntry, is_open: bool) -> RoundRow:
    own = (PARTICLES, IMAGE_EDITS)
    particles, edits = (int(entry.metrics.get(name, 0)) for name in own)
    return RoundRow(
        number=entry.number,
        images=entry.images,
        particles=particles,
        edits=dict(entry.edits),
        edits_per_particle=edits / particles if particles else None,
        active_minutes=entry.active_seconds / 60,
        metrics={name: value for name, value in entry.metrics.items() if name not in own},
        adapter=entry.adapter,
        open=is_open,
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
