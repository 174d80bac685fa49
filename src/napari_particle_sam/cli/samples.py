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
    material: Annotated[
        list[str] | None, typer.Option(help="Such as cathode, powder, graphite; all by default.")
    ] = None,
    unit: Annotated[str, typer.Option(help="whole, or part: primary grains and satellites.")] = "whole",
    polarity: Annotated[str, typer.Option(help="bright particles on dark, or dark.")] = "bright",
    scale: Annotated[float, typer.Option(help="Factor on particle sizes.")] = 1.0,
    cover: Annotated[float, typer.Option(help="Factor on the number of particles.")] = 1.0,
    databar: Annotated[str | None, typer.Option(help="Style: zeiss, fei, tescan, jeol or hitachi.")] = None,
    marks: Annotated[bool, typer.Option(help="Burn in letters and scale bars.")] = False,
    bits: Annotated[int, typer.Option(help="8 or 16.")] = 8,
) -> None:
    """Write pairs of rendered micrographs and their labels, a folder per material."""
    from napari_particle_sam.base.errors import BadValueError
    from napari_particle_sam.synthesis import MATERIALS, RenderOptions
    from napari_particle_sam.synthesis.samples import SAMPLE_SHAPE, write_samples

    if unit not in ("whole", "part"):
        raise BadValueError(f"--unit {unit} is unknown; give whole or part.")
    options = RenderOptions(scale, cover, polarity, databar, marks, bits)  # type: ignore[arg-type]
    names = tuple(material or MATERIALS)
    for path in write_samples(out, count, seed, names, SAMPLE_SHAPE, unit, options):
        typer.echo(str(path))
