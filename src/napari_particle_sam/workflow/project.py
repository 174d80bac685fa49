"""Work with a project folder: take images in, say how far it is, export pairs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, ParticleSamError
from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.base.files import write_csv, write_json
from napari_particle_sam.images.inputs import natural_key
from napari_particle_sam.storage.pairs import write_pair
from napari_particle_sam.storage.project.images import take_in, with_entry
from napari_particle_sam.storage.project.names import same_name
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.schema import ImageEntry
from napari_particle_sam.storage.project.viewing import Viewed

#: Images between two writings of ``project.json``.
_BATCH = 50


T = TypeVar("T")


@dataclass
class AddReport:
    """Keys of the images that were added, that were found again, that were there; failures by file."""

    added: list[str] = field(default_factory=list)
    relinked: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def add_images(
    project: Project, paths: Sequence[Path], copy: bool, token: CancelToken, group: str = ""
) -> Generator[Event, None, AddReport]:
    """Take images into a project; unusable ones are reported and the rest is taken.

    Parameters
    ----------
    project : Project
        Open for writing.
    paths : sequence of Path
        The files.
    copy : bool
        Copy them into the project, rather than refer to where they lie.
    token : CancelToken
        Stops between two images; what was taken stays.
    group : str
        Specimen or paper of all of them.

    Yields
    ------
    Event
        A `Progress` per image, a `Message` per failure.

    Returns
    -------
    AddReport
        What came of every file.
    """
    report = AddReport()
    known = project.content.images
    try:
        for done, path in enumerate(paths):
            token.check()
            yield Progress(done, len(paths), path.name)
            try:
                taken = take_in(project.root, known, path, copy, group)
            except ParticleSamError as error:
                report.failures[str(path)] = str(error)
                yield Message(str(error))
                continue
            getattr(report, taken.outcome).append(taken.entry.key)
            known = with_entry(known, taken.entry)
            if done % _BATCH == _BATCH - 1:
                project.update(images=known)
    finally:
        if known != project.content.images:
            project.update(images=known)
    return report


@dataclass(frozen=True)
class StatusRow:
    """One session of an image, or an image without one.

    Attributes
    ----------
    image : str
        Its key.
    state : str
        ``new``, ``started`` or ``done``; ``lost`` or ``damaged`` where something must be mended first.
    annotator : str or None
        Whose session it is.
    particles : int
        Instances in it, those of the journal included.
    accepted_share : float or None
        Share of them that was accepted, 0 to 1; None where there is none.
    began : str
        ``blank``, ``imported``, or the model and adapter.
    active_seconds : float
        Of annotation.
    saved : str or None
        Time of the last action or saving, ISO 8601, UTC.
    remarks : tuple of str
        Sentences on what is wrong.
    """

    image: str
    state: str
    annotator: str | None = None
    particles: int = 0
    accepted_share: float | None = None
    began: str = ""
    active_seconds: float = 0.0
    saved: str | None = None
    remarks: tuple[str, ...] = ()


def project_status(project: Project) -> list[StatusRow]:
    """Return a row per session, and per image without one, in natural order of the images."""
    keys = sorted((image.key for image in project.content.images), key=natural_key)
    return [row for key in keys for row in _rows(project, key)]


def _rows(project: Project, key: str) -> Iterable[StatusRow]:
    lost: tuple[str, ...] = ()
    try:
        project.image_path(key)
    except BadFileError as error:
        lost = (str(error),)
    names = project.sessions.annotators(key)
    if not names:
        return [StatusRow(key, "lost" if lost else "new", remarks=lost)]
    return [_session_row(project, key, name, lost) for name in names]


def _session_row(project: Project, key: str, annotator: str, lost: tuple[str, ...]) -> StatusRow:
    try:
        seen = project.sessions.glance(key, annotator)
    except ParticleSamError as error:
        return StatusRow(key, "damaged", annotator, remarks=(*lost, str(error)))
    return StatusRow(
        image=key,
        state="lost" if lost else "done" if seen.done else "started",
        annotator=annotator,
        particles=seen.particles,
        accepted_share=seen.accepted / seen.particles if seen.particles else None,
        began=seen.provenance.beginning.words(),
        active_seconds=round(seen.provenance.active_seconds, 1),
        saved=seen.changed.isoformat(timespec="seconds"),
        remarks=(*lost, *seen.remarks),
    )


@dataclass
class ExportReport:
    """Keys of the images that were exported, that have no session to export, and failures by key."""

    exported: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def export_pairs(
    project: Project, out: Path, token: CancelToken, annotator: str | None = None, only_done: bool = False
) -> Generator[Event, None, ExportReport]:
    """Write the annotated images of a project as a folder of pairs.

    Beside the pairs lie ``annotation.json``, which says what is counted, by whom it was annotated and
    from what beginning, and ``groups.csv`` where images have groups.

    Parameters
    ----------
    project : Project
        For reading at least.
    out : Path
        The folder of pairs.
    token : CancelToken
        Stops between two images; what was written stays.
    annotator : str, optional
        Whose sessions; must be given where an image has several.
    only_done : bool
        Leave out images that were not declared done.

    Yields
    ------
    Event
        A `Progress` per image, a `Message` per failure.

    Returns
    -------
    ExportReport
        What came of every image.
    """
    report = ExportReport()
    exported = yield from export_each(
        project, token, report, lambda entry: _export(project, entry, out, annotator, only_done)
    )
    if exported:
        _write_index(project, out, exported)
    return report


def export_each(
    project: Project, token: CancelToken, report: ExportReport, export: Callable[[ImageEntry], T | None]
) -> Generator[Event, None, dict[str, T]]:
    """Export image by image; one that fails is reported and the rest still done.

    Parameters
    ----------
    project : Project
        For reading at least.
    token : CancelToken
        Stops between two images.
    report : ExportReport
        Is filled.
    export : callable
        Returns what came of an image, or None where it has nothing to export.

    Yields
    ------
    Event
        A `Progress` per image, a `Message` per failure.

    Returns
    -------
    dict
        What came of every exported image, by key.
    """
    found: dict[str, T] = {}
    entries = sorted(project.content.images, key=lambda image: natural_key(image.key))
    for done, entry in enumerate(entries):
        token.check()
        yield Progress(done, len(entries), entry.key)
        try:
            result = export(entry)
        except ParticleSamError as error:
            report.failures[entry.key] = str(error)
            yield Message(str(error))
            continue
        if result is None:
            report.skipped.append(entry.key)
        else:
            found[entry.key] = result
            report.exported.append(entry.key)
    return found


def view_to_export(
    project: Project, entry: ImageEntry, annotator: str | None, only_done: bool
) -> Viewed | None:
    """Return the session of an image that is to be exported, or None where there is none.

    Raises
    ------
    BadFileError
        If it is damaged.
    BadValueError
        If the image has sessions of several annotators and none is named.
    """
    names = project.sessions.annotators(entry.key)
    if not names or (annotator is not None and not any(same_name(annotator, name) for name in names)):
        return None
    view = project.sessions.view(entry.key, annotator)
    return None if only_done and not view.pointer.done else view


def _export(
    project: Project, entry: ImageEntry, out: Path, annotator: str | None, only_done: bool
) -> dict[str, Any] | None:
    """Write the pair of one image; return by whom it is, or None where there is nothing to export."""
    view = view_to_export(project, entry, annotator, only_done)
    if view is None:
        return None
    # Read here, and not only checked, because a changed image under old labels would spoil training.
    source = project.read_image(entry.key).path
    write_pair(out, entry.key, source, view.session.labels, view.session.regions)
    facts = view.provenance.model_dump(mode="json")
    return facts | {"done": view.pointer.done, "active_seconds": view.provenance.active_seconds}


def _write_index(project: Project, out: Path, exported: dict[str, Any]) -> None:
    content = project.content
    words = {"unit": content.unit, "instance_is": content.instance_is, "classes": content.classes}
    write_json(out / "annotation.json", words | {"images": exported})
    groups = {i.key: i.group for i in content.images if i.group and i.key in exported}
    if groups:
        write_csv(out / "groups.csv", [{"stem": s, "group": g} for s, g in groups.items()], ("stem", "group"))
