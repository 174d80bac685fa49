"""`particle-sam bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_particle_sam.cli.options import Device, Json, Model, Trust, write_result
from napari_particle_sam.cli.rendering import follow

app = typer.Typer(help="Measure speed, memory and agreement on your own images.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command("masks")
def masks(
    images: Annotated[list[str], typer.Argument(help="Files, folders or patterns.", show_default=False)],
    engine: Annotated[
        list[str] | None,
        typer.Option(help="guided, adaptive, exact or reference; all by default. Repeat for more."),
    ] = None,
    model: Model = "particle-tiny",
    adapter: Annotated[Path | None, typer.Option(help="Folder of an adapter or of its run.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Folder of true labels of equal stems, for F1.")] = None,
    points_per_side: Annotated[int, typer.Option(min=1, help="Points of the grid.")] = 32,
    crop_layers: Annotated[int, typer.Option(min=0, help="Crop layers of exact and reference.")] = 0,
    pred_iou: Annotated[float | None, typer.Option(help="Lowest predicted IoU, 0 to 1.")] = None,
    stability: Annotated[float | None, typer.Option(help="Lowest stability score, 0 to 1.")] = None,
    resize: Annotated[
        str | None, typer.Option(help="ROWSxCOLS to which every image is resized, such as 768x1024.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Of torch; its own choice by default.")] = None,
    agreement_iou: Annotated[float, typer.Option(help="Least IoU of masks that are the same.")] = 0.99,
    out: Annotated[Path | None, typer.Option(help="Folder for bench.json, bench.csv, bench.png.")] = None,
    json: Json = None,
    device: Device = "auto",
    trust: Trust = False,
) -> None:
    """Run engines in turn on the same images: time per stage, memory, agreement with SAM's own generator."""
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.images.inputs import expand_inputs
    from napari_particle_sam.workflow.benchmarking.fields import parse_size

    size = None if resize is None else parse_size(resize)
    inputs = expand_inputs(images)
    from napari_particle_sam.sam.loading import load_model
    from napari_particle_sam.workflow.bench_masks import BenchSettings, bench_masks
    from napari_particle_sam.workflow.benchmarking.table import bench_table

    asked = {"points_per_side": points_per_side, "crop_layers": crop_layers}
    given = {"pred_iou": pred_iou, "stability": stability}
    values = asked | {k: v for k, v in given.items() if v is not None}
    settings = BenchSettings(tuple(engine or ()), values, truth, size, threads, agreement_iou)
    loaded = load_model(model, adapter, device, trust=trust)
    report = follow(bench_masks(loaded, inputs, settings, CancelToken(), out))
    if json != "-":
        typer.echo(bench_table(report.engines))
        for mask in report.unmatched:
            typer.echo(mask.line())
    write_result(json, report.as_json())
