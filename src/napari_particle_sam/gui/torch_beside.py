"""Torch in a process that has a window."""

from __future__ import annotations

from napari_particle_sam.gui.triton_apart import load_triton_apart
from napari_particle_sam.workflow.reviewing.models import gui_threads


def prepare_torch() -> None:
    """Import torch without a crash and leave the window a processor; call it in the thread that computes.

    The first call takes seconds. Every thread has to call it: OpenMP counts threads for each of them.
    """
    load_triton_apart()
    import torch

    torch.set_num_threads(gui_threads())
