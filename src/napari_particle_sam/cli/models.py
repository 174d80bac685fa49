"""`particle-sam models`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_particle_sam.cli.rendering import follow

app = typer.Typer(help="List, download and import models.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """List the models by name and say which are here."""
    from napari_particle_sam.sam.registry import SPECS, weights_path

    for spec in SPECS.values():
        path = weights_path(spec)
        state = f"here ({path})" if path.exists() else f"to download, {spec.bytes / 1e6:.0f} MB"
        typer.echo(f"{spec.name:14} {spec.licence:12} {state}")


@app.command("download")
def download(name: Annotated[str, typer.Argument(help="vit_b, vit_l or vit_h.", show_default=False)]) -> None:
    """Download a model's published weights once, verified."""
    from napari_particle_sam.base.cancel import CancelToken
    from napari_particle_sam.sam.download import download as fetch
    from napari_particle_sam.sam.registry import find_spec, weights_path

    spec = find_spec(name)
    path = weights_path(spec) if spec.bundled else follow(fetch(spec, CancelToken()))
    typer.echo(str(path))


@app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(help="A published SAM .pth that you have.", show_default=False)],
    name: Annotated[
        str | None, typer.Option(help="Which model it is; told by its sha256 by default.")
    ] = None,
) -> None:
    """Copy a published checkpoint from your disk into the cache, verified."""
    from napari_particle_sam.sam.download import identify, import_file
    from napari_particle_sam.sam.registry import find_spec

    typer.echo(str(import_file(find_spec(name) if name else identify(file), file)))
