"""`particle-sam evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_particle_sam.cli.options import Json, Regions, write_result


def evaluate(
    pred: Annotated[Path, typer.Option(help="Folder that `segment` wrote.", show_default=False)],
    truth: Annotated[Path, typer.Option(help="Folder of true labels, or of pairs.", show_default=False)],
    min_area: Annotated[int, typer.Option(min=0, help="Smaller particles do not count, in pixels.")] = 50,
    with_baseline: Annotated[
        bool, typer.Option("--with-baseline", help="Score Otsu and watershed on the same images.")
    ] = False,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the micrographs; images/ beside the truth by default.")
    ] = None,
    regions: Regions = None,
    json: Json = None,
) -> None:
    """Score label maps against the truth, in reviewed regions only."""
    from napari_particle_sam.evaluation.tables import metric_table
    from napari_particle_sam.workflow.evaluate import evaluate_folder

    if with_baseline and images is None:
        images = (truth if (truth / "images").is_dir() else truth.parent) / "images"
    result = evaluate_folder(pred, truth, min_area, images if with_baseline else None, regions)
    if json != "-":
        typer.echo(metric_table(result))
    write_result(json, result)
