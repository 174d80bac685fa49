"""`particle-sam samples`."""

from __future__ import annotations

from typing import Annotated

import typer

from napari_particle_sam.cli.options import Out

app = typer.Typer(help="Render micrographs with exact truth.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command("render")
def render(
    out: Out,
    count: Annotated[int, typer.Option(min=1, help="Micrographs of each material.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Of the first; the next ones count up.")] = 0,
    material: Annotated[list[str] | None, typer.Option(help="cathode or powder; all by default.")] = None,
) -> None:
    """Write pairs of rendered micrographs and their labels, a folder per material."""
    from napari_particle_sam.synthesis import MATERIALS
    from napari_particle_sam.synthesis.samples import SAMPLE_SHAPE, write_samples

    for path in write_samples(out, count, seed, tuple(material or MATERIALS), SAMPLE_SHAPE):
        typer.echo(str(path))
