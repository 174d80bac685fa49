"""`particle-sam segment`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_particle_sam.cli.options import (
    Device,
    Json,
    Model,
    Out,
    Regions,
    Trust,
    databar_rows,
    write_result,
)
from napari_particle_sam.cli.rendering import follow

if TYPE_CHECKING:
    from napari_particle_sam.workflow.segment import SegmentReport

#: Settings by preset; `sam` is the stock generator's, `paper` a finer search with one crop layer.
PRESETS: dict[str, dict[str, float]] = {
    "default": {},
    "sam": {"pred_iou": 0.88, "stability": 0.95, "nms": 0.7, "points_per_side": 32},
    "paper": {
        "pred_iou": 0.86, "stability": 0.92, "nms": 0.7, "points_per_side": 32,
        "crop_layers": 1, "crop_downscale": 2,
    },
}  # fmt: skip

Cache = Annotated[
    bool, typer.Option(help="Keep candidates: other thresholds need no network, a killed job goes on.")
]
CropLayers = Annotated[int | None, typer.Option(min=0, help="Crop layers; not of guided.")]
TypedPixelSize = Annotated[str | None, typer.Option(help="Such as 7.344nm; for tables in micrometres.")]


def segment(
    images: Annotated[list[str], typer.Argument(help="Files, folders or patterns.", show_default=False)],
    out: Out,
    model: Model = "particle-tiny",
    adapter: Annotated[Path | None, typer.Option(help="Folder of an adapter or of its run.")] = None,
    engine: Annotated[str, typer.Option(help="auto, guided, adaptive, exact or reference.")] = "auto",
    unit: Annotated[str | None, typer.Option(help="whole or part.")] = None,
    preset: Annotated[str, typer.Option(help="default, sam or paper.")] = "default",
    points_per_side: Annotated[int | None, typer.Option(min=1, help="Points of the grid.")] = None,
    crop_layers: CropLayers = None,
    crop_downscale: Annotated[int | None, typer.Option(min=1, help="Fewer points in crops.")] = None,
    pred_iou: Annotated[float | None, typer.Option(help="Lowest predicted IoU, 0 to 1.")] = None,
    stability: Annotated[float | None, typer.Option(help="Lowest stability score, 0 to 1.")] = None,
    min_area: Annotated[int | None, typer.Option(help="Smallest particle in pixels.")] = None,
    regions: Regions = None,
    pixel_size: TypedPixelSize = None,
    databar: Annotated[str, typer.Option(help="auto, none, or rows of the data bar at the bottom.")] = "auto",
    page: Annotated[int | None, typer.Option(min=1, help="Of files with several pages; the first.")] = None,
    recursive: Annotated[bool, typer.Option(help="Look into subfolders.")] = False,
    keep_tree: Annotated[bool, typer.Option(help="Keep subfolders in the output.")] = False,
    skip_existing: Annotated[bool, typer.Option(help="Leave images alone that have labels.")] = False,
    cache: Cache = True,
    device: Device = "auto",
    trust: Trust = False,
    json: Json = None,
) -> None:
    """Write STEM.labels.tif, STEM.particles.csv and run.json for every image."""
    values = _values(
        preset, pred_iou=pred_iou, stability=stability, min_area=min_area, unit=unit,
        points_per_side=points_per_side, crop_layers=crop_layers, crop_downscale=crop_downscale,
    )  # fmt: skip
    rows = None if databar == "auto" else databar_rows(databar, "one, auto or none")
    from napari_particle_sam.images.inputs import expand_inputs
    from napari_particle_sam.images.pixel_size import PixelSize

    pixel = None if pixel_size is None else PixelSize.parse(pixel_size)
    inputs = expand_inputs(images, recursive, keep_tree)
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.sam.loading import load_model
    from napari_particle_sam.workflow.collecting import CandidateCache
    from napari_particle_sam.workflow.segment import SegmentSettings, segment_batch, split_settings

    loaded = load_model(model, adapter, device, trust=trust)
    generate, thresholds = split_settings(loaded, engine, values)
    root, kept = _common_root(inputs) if keep_tree else None, CandidateCache() if cache else None
    settings = SegmentSettings(generate, thresholds, rows, pixel, skip_existing, root, regions, page, kept)
    report = follow(segment_batch(loaded, inputs, out, settings, CancelToken()))
    write_result(json, vars(report))
    _conclude(report, len(inputs), out)


def _conclude(report: SegmentReport, asked: int, out: Path) -> None:
    """Say what was done; exit with 1 where some of a batch failed, with 2 where its one image did."""
    particles = sum(entry["particles"] for entry in report.images)
    done, failed = len(report.images), len(report.failures)
    typer.echo(f"{done} images, {particles} particles, {failed} failed: {out}", err=True)
    if failed:
        raise typer.Exit(1 if asked > 1 else 2)


def _values(name: str, **changes: object) -> dict[str, object]:
    """Return a preset's values with those that were given."""
    from napari_particle_sam.base.errors import BadValueError

    if name not in PRESETS:
        raise BadValueError(f"preset {name!r} is unknown; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name] | {k: v for k, v in changes.items() if v is not None}


def _common_root(inputs: list[Path]) -> Path:
    import os

    folders = [str(p.resolve().parent) for p in inputs]
    return Path(os.path.commonpath(folders))
