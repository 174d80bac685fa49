"""The command line: parse, call a workflow, render its events."""

from napari_particle_sam.cli.app import main

__all__ = ["main"]
