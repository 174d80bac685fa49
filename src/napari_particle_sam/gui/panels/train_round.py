"""Closing the round of corrections that a training ends."""

from __future__ import annotations

from typing import Any

from napari_particle_sam.base.files import read_json
from napari_particle_sam.learning.run_names import RESULT
from napari_particle_sam.learning.run_status import RunStatus
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.rounds import before_and_after, close_round


def close_round_of(project: Project, status: RunStatus) -> None:
    """Close the open round with what a finished training gained; a second call changes nothing.

    Parameters
    ----------
    project : Project
        Open for writing.
    status : RunStatus
        Of the finished run.

    Raises
    ------
    BadFileError
        If the result cannot be read, or the disk does not take the project.
    """
    result = read_json(status.run / RESULT)
    metrics = before_and_after(_numbers(result, "before"), _numbers(result, "after"))
    close_round(project, status.run.name if status.gained else None, metrics)


def _numbers(result: Any, when: str) -> dict[str, float]:
    values = result.get(when) if isinstance(result, dict) else None
    found = values.items() if isinstance(values, dict) else ()
    return {name: float(value) for name, value in found if isinstance(value, (int, float))}
