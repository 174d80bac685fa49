"""`particle-sam measure`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_particle_sam.cli.options import Json, Out, Regions, databar_rows, write_result
from napari_particle_sam.cli.rendering import follow

if TYPE_CHECKING:
    from napari_particle_sam.workflow.measure import MeasureReport


def measure(
    labels: Annotated[
        list[str], typer.Argument(help="Label maps: files, folders or patterns.", show_default=False)
    ],
    out: Out,
    pixel_size: Annotated[
        str | None,
        typer.Option(help="Such as 7.344nm, for all; else from the images or run.json; else all in pixels."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the micrographs: grey values, pixel size, picture.")
    ] = None,
    regions: Regions = None,
    databar: Annotated[str, typer.Option(help="Rows of the data bar at the bottom, or none.")] = "none",
    min_area: Annotated[int, typer.Option(min=0, help="Smaller particles do not count, in pixels.")] = 50,
    exclude_cut: Annotated[
        bool,
        typer.Option(
            "--exclude-cut/--keep-cut",
            help="Leave out particles cut by the frame and weigh the rest by 1/P, or count all as seen.",
        ),
    ] = True,
    exclude_hidden: Annotated[
        bool, typer.Option(help="Leave out particles called partly hidden or unclear.")
    ] = False,
    largest_weight: Annotated[
        float, typer.Option(min=1, help="Cap on the border correction's weight 1/P.")
    ] = 5.0,
    resamples: Annotated[int, typer.Option(min=0, help="Of the bootstrap intervals; 0 for none.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap intervals.")] = 0,
    json: Json = None,
) -> None:
    """Write particles.csv, summary.json, figures and report.html of label maps, all together."""
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.images.pixel_size import PixelSize
    from napari_particle_sam.measurement.correction import Counting
    from napari_particle_sam.workflow.measure import MeasureSettings, measure_batch
    from napari_particle_sam.workflow.measuring.inputs import collect_inputs

    settings = MeasureSettings(
        None if pixel_size is None else PixelSize.parse(pixel_size),
        databar_rows(databar, "one, or none"),
        Counting(min_area, exclude_cut, exclude_hidden, largest_weight),
        resamples,
        seed,
    )
    inputs = collect_inputs(labels, images, regions)
    report = follow(measure_batch(inputs, out, settings, CancelToken()))
    write_result(json, report.summary)
    _conclude(report, out)


def _conclude(report: MeasureReport, out: Path) -> None:
    """Say what was done; exit with 1 where some images failed."""
    counts = report.summary["counts"]
    for remark in report.summary["remarks"]:
        typer.echo(remark, err=True)
    typer.echo(
        f"{counts['images']} images, {counts['particles']} particles, {counts['counted']} counted, "
        f"{len(report.failures)} failed: {out / 'report.html'}",
        err=True,
    )
    if report.failures:
        raise typer.Exit(1)
