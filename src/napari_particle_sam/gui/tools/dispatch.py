"""What each command of the table of keys calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_particle_sam.gui.tools.keymap import CLASSES

if TYPE_CHECKING:
    from napari_particle_sam.gui.tools.toolbox import Toolbox

#: Commands that are methods of `Commands` of the same name.
_COMMANDS = (
    "delete", "merge", "smooth", "fill_holes", "undo", "redo", "accept", "flag", "partly_hidden", "unclear",
    "region_done", "next_suspect",
)  # fmt: skip
#: Commands that begin the tool of the same name.
_TOOLS = ("lasso", "split", "prompt", "region", "ignore")


def calls_of(toolbox: Toolbox, canvas: Any) -> dict[str, Callable[[], object]]:
    """Return the function of every command by id."""
    commands, workspace = toolbox.commands, toolbox.workspace
    found: dict[str, Callable[[], object]] = {name: getattr(commands, name) for name in _COMMANDS}
    found |= {f"class_{n}": partial(commands.classify, n) for n in CLASSES}
    found |= {name: partial(toolbox.press, name) for name in _TOOLS}
    found |= {
        "outlines": canvas.toggle_outlines,
        "numbers": canvas.toggle_numbers,
        "next_image": lambda: workspace.step(1),
        "previous_image": lambda: workspace.step(-1),
        "help": toolbox.show_help,
        "keep": toolbox.keep,
        "end": toolbox.escape,
        "forget_click": toolbox.forget_click,
    }
    return found
