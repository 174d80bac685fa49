"""What the parts of the dock hear from each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_particle_sam.gui.dock import ParticleDock
    from napari_particle_sam.gui.tools.toolbox import Toolbox
    from napari_particle_sam.workflow.reviewing.models import ModelChoice


def wire(dock: ParticleDock) -> None:
    """Connect canvas, tools, commands and panels."""
    workspace, commands, canvas, toolbox = dock.workspace, dock.commands, dock.canvas, dock.toolbox
    workspace.said.connect(dock.status.say)
    toolbox.hint.connect(dock.status.hint)
    canvas.layer_changed.connect(dock.follow_layer)
    dock.images.scale_bar_wanted.connect(lambda: toolbox.activate("scale_bar"))
    dock.images.region_wanted.connect(commands.mark_region)
    dock.propose.region_wanted.connect(lambda: toolbox.activate("box"))
    toolbox.box_drawn.connect(dock.propose.run_on)
    dock.propose.found.connect(canvas.show_found)
    dock.propose.choice_changed.connect(_model_setter(toolbox))
    # Clicks draw with the model of the form before anything was run, too.
    toolbox.choice = dock.propose.choice()
    dock.review.look_at.connect(canvas.centre_on)
    dock.train.adapter_chosen.connect(_adapter_user(dock))


def _adapter_user(dock: ParticleDock) -> Any:
    def use(folder: Path) -> None:
        dock.propose.use_adapter(folder)
        dock.show_step(dock.propose)

    return use


def _model_setter(toolbox: Toolbox) -> Any:
    def choose(choice: ModelChoice) -> None:
        toolbox.choice = choice

    return choose
