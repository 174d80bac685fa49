"""Exporting chosen images, and what came of it in words."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.events import Event
from napari_particle_sam.storage.formats.registry import FORMATS
from napari_particle_sam.workflow.exchange import ExchangeReport, export_format
from napari_particle_sam.workflow.project import ExportReport, export_pairs
from napari_particle_sam.workflow.reviewing.chosen import Chosen

PAIRS = "pairs"


def format_titles() -> dict[str, str]:
    """Return every format by name, in the words of a list."""
    return {PAIRS: "Pairs for training"} | {f.name: f.title for f in FORMATS.values()}


def export_chosen(
    chosen: Chosen, folder: Path, name: str, token: CancelToken
) -> Generator[Event, None, ExportReport]:
    """Export images in a format.

    Parameters
    ----------
    chosen : Chosen
        The images.
    folder : Path
        Must not exist, or be empty.
    name : str
        ``pairs`` or one of `registry.FORMATS`.
    token : CancelToken
        Stops between two images.

    Yields
    ------
    Event
        As the workflow does.

    Returns
    -------
    ExportReport
        What came of every image.

    Raises
    ------
    BadFileError
        If there is something in the folder, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadFileError(f"{folder} holds something already; choose a new or empty folder.")
    if name == PAIRS:
        job = export_pairs(chosen.project, folder, token, chosen.annotator, chosen.only_done)
        return (yield from job)
    return (
        yield from export_format(
            chosen.project, folder, name, token, chosen.annotator, only_done=chosen.only_done
        )
    )


def export_words(report: ExportReport, folder: Path, only_done: bool) -> str:
    """Return what came of an export in sentences."""
    count = len(report.exported)
    if not count and not report.failures:
        end = "declare an image done in step Images first" if only_done else "annotate an image first"
        return f"There is nothing to export yet; {end}."
    words = [f"Exported {_images(count)} to {folder}."] if count else ["Nothing was exported."]
    if report.skipped:
        why = "not done" if only_done else "without annotation of yours"
        words.append(f"{_images(len(report.skipped))} {why} left out.")
    if report.failures:
        words.append(f"{_images(len(report.failures))} failed: {next(iter(report.failures.values()))}")
    if isinstance(report, ExchangeReport):
        words.extend(report.remarks)
    return " ".join(words)


def _images(count: int) -> str:
    return f"{count} image{'' if count == 1 else 's'}"
