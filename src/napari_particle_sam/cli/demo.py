"""`particle-sam demo`."""

from __future__ import annotations

from typing import Annotated

import typer

from napari_particle_sam.cli.options import Device, Model, Out
from napari_particle_sam.cli.rendering import follow


def demo(
    out: Out,
    minutes: Annotated[float | None, typer.Option(help="Training time instead of the preset's 5.")] = None,
    model: Model = "particle-tiny",
    device: Device = "auto",
) -> None:
    """Turn the whole wheel on rendered micrographs, headless, and write report.html."""
    from napari_particle_sam.base.allocator import keep_freed_memory
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.workflow.demo import run_demo

    keep_freed_memory()
    result = follow(run_demo(out, CancelToken(), minutes, model, device))
    if result is not None:
        typer.echo((out / "comparison" / "comparison.txt").read_text(encoding="utf-8"))
