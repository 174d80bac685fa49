"""Rounds of a project: what was done between two trainings, and what came of it.

A round begins where the last one was closed, by itself; so nothing needs to be written for it before its end,
and a window that is killed forgets nothing: what was done lies in the journals of the sessions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from napari_particle_sam.annotation.effort import Effort
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.storage.project.effort_record import read_effort
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.schema import RoundEntry

#: Names in `RoundEntry.metrics` for the particles of the round's images, and all edits ever made on those.
#: Their ratio is the round's edits per particle; what was done to other images meanwhile is not in it.
PARTICLES, IMAGE_EDITS = "round_particles", "round_image_edits"
#: What the names of metrics begin with that were measured before and after the round's training.
BEFORE, AFTER = "before ", "after "


@dataclass(frozen=True)
class ImageWork:
    """What was done to an image since the project began.

    Attributes
    ----------
    key : str
        The image.
    done : bool
        Whether an annotator declared it done.
    particles : int
        In all its sessions.
    effort : Effort
        Of all its annotators.
    """

    key: str
    done: bool
    particles: int
    effort: Effort


def work_of(project: Project, key: str) -> ImageWork:
    """Return what was done to an image; a session that is damaged counts nothing.

    Parameters
    ----------
    project : Project
        For reading at least.
    key : str
        The image.
    """
    done, particles, effort = False, 0, Effort()
    for annotator, folder in project.sessions.annotators(key).items():
        with suppress(ParticleSamError):
            seen = project.sessions.glance(key, annotator)
            effort += read_effort(folder)
            done, particles = done or seen.done, particles + seen.particles
    return ImageWork(key, done, particles, effort)


def open_round(project: Project) -> RoundEntry:
    """Return the round that is open: what was done since the last one was closed. Nothing is written.

    Its images are those that were declared done for the first time; where there are none, those that were
    corrected for the first time. Edits and active seconds are all since then, on whichever image.

    Parameters
    ----------
    project : Project
        For reading at least.
    """
    closed = project.content.rounds
    known = {key.casefold() for entry in closed for key in entry.images}
    works = [work_of(project, image.key) for image in project.content.images]
    new = [work for work in works if work.key.casefold() not in known]
    mine = [work for work in new if work.done] or [work for work in new if work.effort.total]
    effort = sum((work.effort for work in works), Effort())
    edits = {kind: number - _closed_edits(closed, kind) for kind, number in effort.edits.items()}
    return RoundEntry(
        number=len(closed) + 1,
        images=tuple(work.key for work in mine),
        # Where more of an earlier round was undone than done since, nothing was done.
        edits={kind: number for kind, number in sorted(edits.items()) if number > 0},
        active_seconds=max(0.0, effort.active_seconds - sum(entry.active_seconds for entry in closed)),
        metrics={
            PARTICLES: float(sum(work.particles for work in mine)),
            IMAGE_EDITS: float(sum(work.effort.total for work in mine)),
        },
    )


def close_round(
    project: Project, adapter_name: str | None, metrics: Mapping[str, float] | None = None
) -> RoundEntry:
    """Close the round that is open, as when a training has finished, and write ``project.json``.

    A second call for the same adapter changes nothing and returns the round that it closed, so that it may be
    called again wherever it is not known whether the first call was killed. Without an adapter, as after a
    training that gained nothing, a second call changes nothing unless something was done since.

    Parameters
    ----------
    project : Project
        Open for writing.
    adapter_name : str or None
        Of the adapter that came out; no other training's may have it.
    metrics : mapping of str to float, optional
        On the fixed validation set; see `before_and_after`. What is not finite is left out.

    Returns
    -------
    RoundEntry
        As it stands in the project.

    Raises
    ------
    BadFileError
        If the project was opened for reading, or the disk does not take it; the round is then still open.
    BadValueError
        If the name is too long.
    """
    closed = project.content.rounds
    for entry in closed:
        if adapter_name is not None and entry.adapter == adapter_name:
            return entry
    found = open_round(project)
    if adapter_name is None and closed and closed[-1].adapter is None and not (found.images or found.edits):
        return closed[-1]
    measured = {name: float(value) for name, value in (metrics or {}).items() if math.isfinite(value)}
    entry = found.model_copy(update={"adapter": adapter_name, "metrics": measured | found.metrics})
    project.update(rounds=(*closed, entry.model_dump()))
    return project.content.rounds[-1]


def before_and_after(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of two models on one validation set as `close_round` takes them.

    Parameters
    ----------
    before, after : mapping of str to float
        As `evaluation` names them, of the model before and after the training.
    """
    earlier = {BEFORE + name: value for name, value in before.items()}
    return earlier | {AFTER + name: value for name, value in after.items()}


def _closed_edits(rounds: tuple[RoundEntry, ...], kind: str) -> int:
    return sum(entry.edits.get(kind, 0) for entry in rounds)
