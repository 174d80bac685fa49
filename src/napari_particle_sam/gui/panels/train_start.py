"""Beginning a training: the pairs, the run's folder, its process."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.events import Event
from napari_particle_sam.learning import launch
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.storage.splits import Split
from napari_particle_sam.workflow.project import ExportReport
from napari_particle_sam.workflow.reviewing.chosen import Chosen
from napari_particle_sam.workflow.reviewing.export_chosen import PAIRS, export_chosen
from napari_particle_sam.workflow.reviewing.models import gui_threads


@dataclass(frozen=True)
class Begun:
    """A training that has begun.

    Attributes
    ----------
    run : Path
        Its folder.
    left_out : dict of str to str
        Why an image of the split could not be used.
    """

    run: Path
    left_out: dict[str, str]


def begin_training(
    chosen: Chosen,
    run: Path,
    config: TrainingConfig,
    split: Split,
    token: CancelToken,
    start: Path | None = None,
) -> Generator[Event, None, Begun]:
    """Write the pairs of a split into a new run and start its process.

    Parameters
    ----------
    chosen : Chosen
        The images of the split.
    run : Path
        A folder that is not there yet.
    config : TrainingConfig
        Settings.
    split : Split
        Images by side; those that cannot be exported are left out.
    token : CancelToken
        Stops between two images.
    start : Path, optional
        The folder of an adapter to go on from.

    Yields
    ------
    Event
        Progress of the export.

    Returns
    -------
    Begun
        The run, and what was left out.

    Raises
    ------
    BadFileError, BadValueError, BadModelError
        If no training image can be exported, the adapter cannot be gone on from, or the process cannot be
        started.
    """
    report = yield from export_chosen(chosen, run / PAIRS, PAIRS, token)
    token.check()
    split = _of_exported(split, report)
    asked = launch.RunRequest(run / PAIRS, config, split, threads=gui_threads(), start=start)
    launch.prepare_run(run, asked)
    launch.start_run(run)
    return Begun(run, dict(report.failures))


def _of_exported(split: Split, report: ExportReport) -> Split:
    there = set(report.exported)
    sides = {side: tuple(s for s in getattr(split, side) if s in there) for side in ("train", "val", "test")}
    if not sides["train"]:
        why = next(iter(report.failures.values()), "None of them is done any more; press 'Image is done'.")
        raise BadValueError(f"No training image could be taken: {why}")
    return Split(**sides, note=split.note)
