"""`particle-sam simulate`: the simulated annotator."""

from __future__ import annotations

from typing import Annotated

import typer

from napari_particle_sam.cli.options import Device, Json, Model, Out, Pairs, write_result
from napari_particle_sam.cli.rendering import follow


def simulate(
    pairs: Pairs,
    out: Out,
    held_out: Annotated[
        str | None,
        typer.Option(help="Stems measured after each round, by commas; a third, drawn, by default."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of correcting and learning.")] = 3,
    per_round: Annotated[int, typer.Option(min=1, help="Images corrected in each.")] = 2,
    orders: Annotated[int, typer.Option(min=1, help="Random orders of the images.")] = 5,
    arms: Annotated[
        str,
        typer.Option(help="From finetune, continued, suggested, thresholds and none, separated by commas."),
    ] = "finetune,thresholds,none",
    jitter: Annotated[float, typer.Option(min=0, help="Pixels by which clicks miss (deviation).")] = 0.0,
    model: Model = "particle-tiny",
    preset: Annotated[str, typer.Option(help="Of every training.")] = "quick",
    minutes: Annotated[float | None, typer.Option(help="Of every training, instead of the preset's.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Of every training, instead of minutes.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of orders, draws and jitter.")] = 0,
    device: Device = "auto",
    json: Json = None,
) -> None:
    """Correct, learn, next images: how many edits are left on held-out images after each round."""
    from napari_particle_sam.base.allocator import keep_freed_memory
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.learning.config import make_config, with_steps
    from napari_particle_sam.storage.pairs import list_pairs
    from napari_particle_sam.workflow.held_out import draw_held_out
    from napari_particle_sam.workflow.simulate import simulate as run
    from napari_particle_sam.workflow.simulating.settings import SimulateSettings

    keep_freed_memory()
    config = make_config(preset, model=model, minutes=minutes, seed=seed)
    stems = [pair.stem for pair in list_pairs(pairs)]
    held = _names(held_out) or draw_held_out(stems, seed)
    settings = SimulateSettings(
        config=config if steps is None else with_steps(config, steps), arms=_names(arms), orders=orders,
        rounds=rounds, per_round=per_round, held_out=held, jitter=jitter, seed=seed,
    )  # fmt: skip
    found = follow(run(pairs, out, settings, CancelToken(), device))
    write_result(json, {"verdict": found.verdict, "rows": list(found.rows)})


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())
