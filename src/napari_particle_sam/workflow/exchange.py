"""Write the annotations of a project in another tool's format."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event, Message
from napari_particle_sam.storage.formats.dataset import AnnotatedImage, Dataset
from napari_particle_sam.storage.formats.registry import format_named
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.schema import ImageEntry
from napari_particle_sam.workflow.project import ExportReport, export_each, view_to_export


@dataclass
class ExchangeReport(ExportReport):
    """An export, and what the format does not keep."""

    remarks: tuple[str, ...] = ()


def export_format(
    project: Project,
    out: Path,
    name: str,
    token: CancelToken,
    annotator: str | None = None,
    only_done: bool = False,
) -> Generator[Event, None, ExchangeReport]:
    """Write the annotated images of a project in an exchange format.

    Parameters
    ----------
    project : Project
        For reading at least.
    out : Path
        The folder to make; it appears when everything is written.
    name : str
        One of `registry.FORMATS`.
    token : CancelToken
        Stops between two images.
    annotator : str, optional
        Whose sessions; must be given where an image has several.
    only_done : bool
        Leave out images that were not declared done.

    Yields
    ------
    Event
        A `Progress` per image, a `Message` per failure and remark.

    Returns
    -------
    ExchangeReport
        What came of every image.

    Raises
    ------
    BadValueError
        If there is no such format.
    BadFileError
        If the folder is there already or cannot be written.
    """
    chosen, report = format_named(name), ExchangeReport()
    found = yield from export_each(
        project, token, report, lambda entry: _annotated(project, entry, annotator, only_done)
    )
    if found:
        report.remarks = chosen.write(out, Dataset(tuple(found.values()), tuple(project.content.classes)))
    for remark in report.remarks:
        yield Message(remark)
    return report


def _annotated(
    project: Project, entry: ImageEntry, annotator: str | None, only_done: bool
) -> AnnotatedImage | None:
    view = view_to_export(project, entry, annotator, only_done)
    if view is None:
        return None
    name = entry.key + project.read_image(entry.key).path.suffix
    instances = sorted(view.session.instances.values(), key=lambda instance: instance.id)
    return AnnotatedImage(name, view.session.shape, tuple(instances))
