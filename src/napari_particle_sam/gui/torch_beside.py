"""Torch in a process that has a window."""

from __future__ import annotations

from napari_particle_sam.gui.triton_apart import load_triton_apart
from napari_particle_sam.workflow.reviewing.models import gui_threads


def prepare_torch() -> None:
    """Import torch without a crash and leave the window a processor; the first call takes seconds.

    Call it in the thread that computes: it holds there and in threads that begin to compute later, not in
    those that did so before.
    """
    load_triton_apart()
    import torch

    torch.set_num_threads(gui_threads())
