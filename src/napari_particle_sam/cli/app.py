"""`particle-sam`: the commands by name."""

from __future__ import annotations

import logging
import sys

import typer

from napari_particle_sam import __version__
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.cli import (
    ablate,
    bench,
    demo,
    evaluate,
    measure,
    models,
    project,
    samples,
    segment,
    simulate,
    train,
    window,
)  # fmt: skip

app = typer.Typer(
    name="particle-sam",
    help="Turn SEM micrographs into one label per particle: propose, correct, export, adapt.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("open")(window.open_window)
app.command("segment")(segment.segment)
app.command("evaluate")(evaluate.evaluate)
app.command("measure")(measure.measure)
app.command("train")(train.train)
app.command("compare")(train.compare)
app.command("ablate")(ablate.ablate)
app.command("simulate")(simulate.simulate)
app.add_typer(bench.app, name="bench")
app.add_typer(models.app, name="models")
app.add_typer(project.app, name="project")
app.add_typer(samples.app, name="samples")


def _version(show: bool) -> None:
    if show:
        typer.echo(__version__)
        raise typer.Exit()


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    pass


def main() -> None:
    """Run the command line; a user's mistake ends in one line on stderr and exit code 2."""
    # Damaged tags would be reported twice: by tifffile, and in our own sentence.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        app()
    except ParticleSamError as error:
        print(f"particle-sam: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("particle-sam: stopped.", file=sys.stderr)
        sys.exit(2)
