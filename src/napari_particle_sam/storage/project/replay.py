"""A session from its last snapshot and the journal of what was done since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.snapshot import Snapshot, replay
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.storage.project.journal import Line
from napari_particle_sam.storage.project.provenance import Provenance

#: The entry of the journal line that says that a sitting begins.
OPENED: Mapping[str, Any] = {"opened": True}


@dataclass(frozen=True, eq=False)
class Replayed:
    """A session as it was left, who did what to it, and how many journal lines it took."""

    session: AnnotationSession
    provenance: Provenance
    taken: int


def replay_lines(snapshot: Snapshot, provenance: Provenance, lines: Sequence[Line]) -> Replayed:
    """Replay the lines of a journal, up to the first that the session refuses.

    Raises
    ------
    ParticleSamError
        If the snapshot contradicts itself.
    """
    taken = len(lines)
    session = _replayed(snapshot, lines)
    if session is None:
        taken, session = _longest(snapshot, lines)
    for line in lines[:taken]:
        if line.entry == OPENED:
            provenance = provenance.opened(line.at)
        else:
            provenance = provenance.acted(kind_of(line.entry), line.at)
    return Replayed(session, provenance, taken)


def kind_of(entry: Mapping[str, Any]) -> str:
    """Return the kind of a recorded entry, for counting."""
    for word in ("undo", "redo"):
        if word in entry:
            return word
    return str(entry.get("action"))[:100] or "other"


def _longest(snapshot: Snapshot, lines: Sequence[Line]) -> tuple[int, AnnotationSession]:
    """Return how many lines the session takes, by bisection, and the session."""
    most, refused = 0, len(lines)
    while refused - most > 1:
        middle = (most + refused) // 2
        if _replayed(snapshot, lines[:middle]) is None:
            refused = middle
        else:
            most = middle
    return most, replay(snapshot, _entries(lines[:most]))


def _replayed(snapshot: Snapshot, lines: Sequence[Line]) -> AnnotationSession | None:
    try:
        return replay(snapshot, _entries(lines))
    except ParticleSamError:
        return None


def _entries(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [line.entry for line in lines if line.entry != OPENED]
