"""All tools."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QWidget

from napari_particle_sam.gui.tools.outlines import Box
from napari_particle_sam.gui.tools.prompt import PromptTool
from napari_particle_sam.gui.tools.region import BoxTool, IgnoreTool, RegionTool
from napari_particle_sam.gui.tools.scale_bar import ScaleBarTool
from napari_particle_sam.gui.tools.select import LassoTool, SelectTool
from napari_particle_sam.gui.tools.split import SplitTool
from napari_particle_sam.gui.tools.tool import Desk, Tool
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ModelShelf


def make_tools(
    desk: Desk,
    shelf: ModelShelf,
    choice: Callable[[], ModelChoice | None],
    split_key: Callable[[], str],
    box_drawn: Callable[[Box], None],
    window: QWidget | None,
) -> dict[str, Tool]:
    """Return every tool by its name; see the tools for the parameters."""
    tools = (
        SelectTool(desk), LassoTool(desk), SplitTool(desk, split_key), PromptTool(desk, shelf, choice),
        RegionTool(desk), IgnoreTool(desk), BoxTool(desk, box_drawn), ScaleBarTool(desk, window),
    )  # fmt: skip
    return {tool.name: tool for tool in tools}
