"""`particle-sam train` and `particle-sam compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.cli.options import Device, Json, Out, Pairs, write_result
from napari_particle_sam.cli.rendering import follow


def train(
    out: Out,
    pairs: Annotated[
        Path | None, typer.Option(help="Folder with images/ and masks/; not needed with --resume.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The base; particle-tiny by default.")] = None,
    preset: Annotated[str, typer.Option(help="quick (5 min), standard (30 min) or paper.")] = "standard",
    rank: Annotated[int | None, typer.Option(help="Rank of the LoRA updates.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Scale times rank; the rank by default.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest rate; the model's by default.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Most epochs.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Time budget.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Crops per step.")] = None,
    groups: Annotated[Path | None, typer.Option(help="CSV with columns stem and group.")] = None,
    val: Annotated[str | None, typer.Option(help="Stems to validate on, separated by commas.")] = None,
    test_fraction: Annotated[
        float | None, typer.Option(help="Share of groups that is kept for testing.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of every random draw.")] = None,
    start_from: Annotated[
        Path | None, typer.Option(help="An adapter, or its run, to go on from instead of the base.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT.")] = False,
    background: Annotated[
        bool, typer.Option("--background", help="Train in a process of its own that outlives this one.")
    ] = False,
    track: Annotated[
        str | None,
        typer.Option(help="wandb (Weights & Biases, offline) or wandb-online, which sends numbers away."),
    ] = None,
    device: Device = "auto",
    json: Json = None,
) -> None:
    """Fine-tune a model on corrected images; the adapter lies in OUT/adapter."""
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.learning.config import make_config
    from napari_particle_sam.workflow import finetune as jobs

    if not resume:
        if pairs is None:
            raise BadValueError("--pairs is missing; name the folder of image-mask pairs.")
        config = make_config(
            preset, model=model, rank=rank, alpha=alpha, learning_rate=learning_rate, epochs=epochs,
            minutes=minutes, batch_size=batch_size, test_fraction=test_fraction, seed=seed,
        )  # fmt: skip
        stems = [s.strip() for s in val.split(",") if s.strip()] if val is not None else None
        jobs.prepare(pairs, out, config, groups, stems, device, _trackers(track), start_from)
    if background:
        _detach(out)
    else:
        write_result(json, vars(follow(jobs.resume(out, CancelToken()))))


def _trackers(track: str | None) -> tuple[str, ...]:
    from napari_particle_sam.learning.trackers import TRACKERS

    if track is not None and track not in TRACKERS:
        raise BadValueError(f"--track {track} is unknown; choose from {', '.join(TRACKERS)}.")
    return () if track is None else (track,)


def _detach(out: Path) -> None:
    from napari_particle_sam.learning.launch import start_run

    start_run(out)
    typer.echo(
        f"Training in the background. It writes {out / 'events.jsonl'}; a file {out / 'pause'} or "
        f"{out / 'cancel'} stops it, `particle-sam train --out {out} --resume` goes on."
    )


def compare(
    pairs: Pairs,
    adapter: Annotated[Path, typer.Option(help="Folder of the adapter or of its run.", show_default=False)],
    out: Out,
    model: Annotated[str | None, typer.Option(help="The base, where it is a file that was moved.")] = None,
    effort_images: Annotated[
        int, typer.Option(min=0, help="Most images in which the correction robot counts edits.")
    ] = 4,
    scale_images: Annotated[
        int, typer.Option(min=0, help="Most images that are scored at half and double size too.")
    ] = 4,
    device: Device = "auto",
    json: Json = None,
) -> None:
    """Compare base and adapted model on images that the adapter did not train on."""
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.workflow.compare import compare as compare_job

    result = follow(
        compare_job(
            pairs, adapter, out, CancelToken(), model, device=device,
            effort_images=effort_images, scale_images=scale_images,
        )
    )  # fmt: skip
    if json != "-":
        typer.echo((out / "comparison.txt").read_text(encoding="utf-8"))
    write_result(json, result.plain())
