"""`particle-sam project`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_particle_sam.cli.options import Json, Out, write_result
from napari_particle_sam.cli.rendering import follow

if TYPE_CHECKING:
    from napari_particle_sam.workflow.project import StatusRow

app = typer.Typer(
    help="A folder of images with their annotation and what is trained on it.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Argument(help="The project folder.", show_default=False)]


@app.command("new")
def new(
    folder: Folder,
    unit: Annotated[
        str, typer.Option(help="What is counted: whole particles, or the part they are made of.")
    ] = "whole",
    instance_is: Annotated[str, typer.Option(help='The words after "one instance is".')] = "",
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", help="Class of particles; particle by default. Repeat for more."),
    ] = None,
) -> None:
    """Make a project."""
    from napari_particle_sam.storage.project.project import Project

    Project.create(folder, unit, instance_is, tuple(classes or ("particle",))).close()
    typer.echo(f"{folder} is ready; add images with: particle-sam project add DIR IMAGES...", err=True)


@app.command("add")
def add(
    folder: Folder,
    images: Annotated[list[str], typer.Argument(help="Files, folders or patterns.", show_default=False)],
    copy: Annotated[
        bool,
        typer.Option("--copy/--reference", help="Copy images into the project, or refer to where they lie."),
    ] = True,
    group: Annotated[str, typer.Option(help="Specimen or paper of these images.")] = "",
    recursive: Annotated[bool, typer.Option(help="Look into subfolders.")] = False,
    json: Json = None,
) -> None:
    """Take images into a project."""
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.images.inputs import expand_inputs
    from napari_particle_sam.storage.project.project import Project
    from napari_particle_sam.workflow.project import add_images

    inputs = expand_inputs(images, recursive)
    with Project.open(folder) as project:
        _say(project.remarks)
        report = follow(add_images(project, inputs, copy, CancelToken(), group))
    write_result(json, vars(report))
    counts = {name: len(found) for name, found in vars(report).items()}
    typer.echo(
        "{added} images added, {relinked} found again, {present} there already, {failures} failed: ".format(
            **counts
        )
        + str(folder),
        err=True,
    )
    _end(len(report.failures), len(inputs))


@app.command("status")
def status(folder: Folder, json: Json = None) -> None:
    """Show how far every image is."""
    from dataclasses import asdict

    from napari_particle_sam.storage.project.project import Project
    from napari_particle_sam.workflow.project import project_status

    with Project.open(folder, writing=False) as project:
        rows = project_status(project)
        content = project.content
    if json != "-":
        typer.echo(
            f"Unit of counting: {content.unit}. One instance is {content.instance_is or '(not stated)'}."
        )
        typer.echo(_table(rows))
    write_result(
        json,
        {"unit": content.unit, "instance_is": content.instance_is, "images": [asdict(row) for row in rows]},
    )
    _say(remark for row in rows for remark in row.remarks)


@app.command("export")
def export(
    folder: Folder,
    out: Out,
    annotator: Annotated[str | None, typer.Option(help="Whose sessions, where an image has several.")] = None,
    only_done: Annotated[
        bool, typer.Option("--only-done", help="Leave out what is not declared done.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", help="pairs, or annotations alone as coco, labels, imagej or yolo.")
    ] = "pairs",
    json: Json = None,
) -> None:
    """Write the annotated images as pairs: images/, masks/ and regions/ of equal stems."""
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.base.errors import BadFileError
    from napari_particle_sam.storage.project.project import Project
    from napari_particle_sam.workflow.exchange import export_format
    from napari_particle_sam.workflow.project import export_pairs

    with Project.open(folder, writing=False) as project:
        choice = (CancelToken(), annotator, only_done)
        if form == "pairs":
            report = follow(export_pairs(project, out, *choice))
        else:
            report = follow(export_format(project, out, form, *choice))
    write_result(json, vars(report))
    if not report.exported and not report.failures:
        whose = f" by {annotator}" if annotator else ""
        raise BadFileError(
            f"{folder} has nothing to export{whose}; annotate an image, or see 'project status'."
        )
    done, skipped, failed = len(report.exported), len(report.skipped), len(report.failures)
    typer.echo(
        f"{done} images, {skipped} images without annotation to export, {failed} failed: {out}", err=True
    )
    _end(failed, done + failed)


def _table(rows: list[StatusRow]) -> str:
    heads = ("image", "state", "particles", "accepted", "annotator", "last saved (UTC)")
    cells = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(heads))]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _cells(row: StatusRow) -> tuple[str, ...]:
    share = "-" if row.accepted_share is None else f"{100 * row.accepted_share:.0f} %"
    saved = "-" if row.saved is None else row.saved[:16].replace("T", " ")
    return row.image, row.state, str(row.particles), share, row.annotator or "-", saved


def _say(remarks: Iterable[str]) -> None:
    for remark in dict.fromkeys(remarks):
        typer.echo(remark, err=True)


def _end(failed: int, asked: int) -> None:
    if failed:
        raise typer.Exit(1 if asked > 1 else 2)
