"""`particle-sam ablate`: what settings of fine-tuning are worth."""

from __future__ import annotations

from typing import Annotated

import typer

from napari_particle_sam.cli.options import Device, Json, Model, Out, Pairs, write_result
from napari_particle_sam.cli.rendering import follow


def ablate(
    pairs: Pairs,
    out: Out,
    held_out: Annotated[
        str | None, typer.Option(help="Stems that are scored, by commas; a third, drawn, by default.")
    ] = None,
    ranks: Annotated[str, typer.Option(help="Ranks of LoRA, by commas.")] = "",
    learning_rates: Annotated[str, typer.Option(help="Highest learning rates, by commas.")] = "",
    targets: Annotated[
        str, typer.Option(help="Target groups joined by +, by commas: attention,attention+mlp.")
    ] = "",
    iou_head: Annotated[str, typer.Option(help="Whether the IoU head is trained: no,yes.")] = "",
    seeds: Annotated[str, typer.Option(help="By commas.")] = "0,1,2",
    steps: Annotated[int, typer.Option(min=1, help="Of every run.")] = 120,
    grid: Annotated[
        bool, typer.Option("--grid", help="Every combination instead of one setting at a time.")
    ] = False,
    preset: Annotated[str, typer.Option(help="What stands where nothing is varied.")] = "standard",
    model: Model = "particle-tiny",
    device: Device = "auto",
    json: Json = None,
) -> None:
    """Train variants over seeds and score them on held-out images; goes on where it was stopped."""
    from napari_particle_sam.base.allocator import keep_freed_memory
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.learning.config import make_config
    from napari_particle_sam.storage.pairs import list_pairs
    from napari_particle_sam.workflow.ablate import TABLE
    from napari_particle_sam.workflow.ablate import ablate as run
    from napari_particle_sam.workflow.ablating.grid import AblationSettings
    from napari_particle_sam.workflow.held_out import draw_held_out

    keep_freed_memory()
    held = _parts(held_out or "") or draw_held_out([pair.stem for pair in list_pairs(pairs)], 0)
    settings = AblationSettings(
        config=make_config(preset, model=model), ranks=_numbers(ranks, int, "--ranks"),
        learning_rates=_numbers(learning_rates, float, "--learning-rates"),
        targets=tuple(tuple(group.split("+")) for group in _parts(targets)),
        iou_head=tuple(_yes(word) for word in _parts(iou_head)), seeds=_numbers(seeds, int, "--seeds"),
        steps=steps, held_out=held, whole_grid=grid,
    )  # fmt: skip
    found = follow(run(pairs, out, settings, CancelToken(), device))
    if json != "-":
        typer.echo((out / TABLE).read_text(encoding="utf-8"))
    write_result(json, {"summary": list(found.summary), "rows": list(found.rows)})


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str, kind: type, option: str) -> tuple:
    from napari_particle_sam.base.errors import BadValueError

    try:
        found = tuple(kind(part) for part in _parts(text))
    except ValueError:
        raise BadValueError(f"{option} {text} is no list of numbers; give some like 4,16,64.") from None
    if any(not number >= 0 for number in found):
        raise BadValueError(f"{option} {text} holds a negative number; leave it out.")
    return found


def _yes(word: str) -> bool:
    from napari_particle_sam.base.errors import BadValueError

    if word not in ("yes", "no"):
        raise BadValueError(f"--iou-head {word} is neither yes nor no; give one or both.")
    return word == "yes"
