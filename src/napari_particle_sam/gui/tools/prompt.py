"""Adding a particle by clicks and a box, with a preview from the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from qtpy.QtCore import QTimer

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.preferences import preferred_device
from napari_particle_sam.gui.tools.latest import LatestThread
from napari_particle_sam.gui.tools.outlines import Box, box_corners, box_of
from napari_particle_sam.gui.tools.select import CTRL
from napari_particle_sam.gui.tools.tool import Desk, Path, Tool
from napari_particle_sam.gui.torch_beside import prepare_torch
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ModelShelf
from napari_particle_sam.workflow.reviewing.prompting import Point, PromptService

#: The pointer rests after so many milliseconds, and the model looks at where it is.
_REST = 150
BLIND = (
    "Blind: no model draws in test images. Paint the particle with the brush, or untick Blind in the step "
    "Images."
)


class PromptTool(Tool):
    """Click positive, Ctrl+click negative, drag a box; the latest click wins.

    Parameters
    ----------
    desk : Desk
        What it works with.
    shelf : ModelShelf
        Where models are from.
    choice : callable
        Returns the model that is to draw; None means the one that proposed the image, else the default.
    """

    name = "prompt"
    words = "Click the particle, or drag a box around it. Ctrl+click what does not belong to it. Esc ends."

    def __init__(self, desk: Desk, shelf: ModelShelf, choice: Callable[[], ModelChoice | None]) -> None:
        super().__init__(desk)
        self._shelf, self._choice = shelf, choice
        self._service: PromptService | None = None
        self._clicks: list[tuple[float, float, bool]] = []
        self._box: Path | None = None
        self._found: tuple[Mask, float] | None = None
        self._keep_when_found = False
        self._at = (0.0, 0.0)
        self._thread = LatestThread()
        self._thread.done.connect(self._answered)
        self._thread.failed.connect(self._refused)
        self._rest = QTimer(self._thread)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST)
        self._rest.timeout.connect(self._look)

    def begin(self) -> None:
        """Let the model look at the image."""
        if self._refuses():
            return
        service = self._ready_service()
        if service is None:
            self.desk.workspace.said.emit("No image is open; open one first.")
            self.desk.finish()
            return
        if service.ready:
            self.desk.hint(self.words)
            return
        self.desk.hint("The model looks at the image; you may click already.")
        self._thread.ask(lambda: _prepare(service))

    def end(self) -> None:
        """Drop clicks and preview."""
        self._rest.stop()
        self.reject()
        self._thread.clear()
        super().end()

    def click(self, at: tuple[float, float], modifiers: frozenset[str]) -> None:
        """Take a click in and ask the model."""
        row, col = np.floor(np.array(at) + 0.5)
        self._clicks.append((float(row), float(col), CTRL not in modifiers))
        self._ask()

    def drawing(self, path: Path, modifiers: frozenset[str]) -> None:
        """Show the box."""
        self.desk.draw(box_corners(path), self._clicks)

    def drawn(self, path: Path, modifiers: frozenset[str]) -> None:
        """Take the box in, instead of an earlier one, and ask the model."""
        self._box = path[[0, -1]]
        self._ask()

    def hover(self, at: tuple[float, float]) -> None:
        """Look at the image there soon, so that a click is answered quickly."""
        self._at = at
        if not self._clicks and self._box is None:
            self._rest.start()

    def keep(self) -> None:
        """Add what is shown, or what the latest click will give."""
        if self._found is None:
            self._keep_when_found = self._asked
            return
        if self._refuses():
            return
        mask, predicted = self._found
        self.reject()
        self.desk.commands.add_mask(mask, (predicted, None))

    def reject(self) -> bool:
        """Drop clicks and preview."""
        asked = self._asked
        if asked:
            self._thread.clear()
            self.desk.canvas.clear_preview()
            self.desk.sketch.clear()
            self.desk.hint(self.words)
        self._clicks, self._box, self._found, self._keep_when_found = [], None, None, False
        return asked

    def forget_click(self) -> None:
        """Take back the last click, or the box where there is none."""
        if self._clicks:
            self._clicks.pop()
        else:
            self._box = None
        if self._asked:
            self._ask()
        else:
            # What was shown belonged to the click that is gone.
            self._thread.clear()
            self.desk.canvas.clear_preview()
            self.desk.sketch.clear()
            self.reject()

    @property
    def _asked(self) -> bool:
        return bool(self._clicks) or self._box is not None

    def _ready_service(self) -> PromptService | None:
        opened, choice = self.desk.workspace.opened, self._choice() or _usual_choice(self.desk.workspace)
        if opened is None:
            return None
        old = self._service
        if old is None or old.micrograph is not opened.micrograph or old.choice != choice:
            self._service = PromptService(self._shelf, choice, opened.micrograph)
        return self._service

    def _refuses(self) -> bool:
        """End where no model may help, as in test images; whether it did."""
        if self.desk.workspace.blind:
            self.desk.workspace.said.emit(BLIND)
            self.desk.finish()
        return self.desk.workspace.blind

    def _ask(self) -> None:
        if self._refuses():
            return
        service, session = self._ready_service(), self.desk.session
        self._rest.stop()
        self._found, self._keep_when_found = None, False
        if service is None or session is None:
            return
        clicks = tuple(self._clicks)
        box = None if self._box is None else box_of(self._box, session.shape)
        # First: the model thinks while the clicks are drawn.
        self._thread.ask(lambda: _mask(service, clicks, box))
        self.desk.draw(None if self._box is None else box_corners(self._box), self._clicks)
        self.desk.hint("The model draws…")

    def _answered(self, answer: object) -> None:
        if not isinstance(answer, tuple) or not self._asked:
            self.desk.hint(self.words)
            return
        mask, predicted = answer
        if not mask.area:
            self._refused("The model sees no particle there; click elsewhere or drag a box.")
            return
        if self._refuses():
            return
        self._found = mask, predicted
        if self._keep_when_found:
            self.keep()
            return
        self.desk.canvas.show_preview([mask])
        self.desk.hint(
            f"Enter keeps it, Esc rejects it. The model's own estimate of its IoU is {predicted:.2f}."
        )

    def _refused(self, sentence: str) -> None:
        self._keep_when_found = False
        self.desk.canvas.clear_preview()
        self.desk.workspace.said.emit(sentence)
        self.desk.hint(self.words)

    def _look(self) -> None:
        service, (row, col) = self._service, self._at
        opened = self.desk.workspace.opened
        if service is None or opened is None or not service.ready or self._thread.busy:
            return
        if self.desk.workspace.blind:
            return
        rows, cols = opened.session.shape
        if 0 <= row < rows and 0 <= col < cols:
            self._thread.ask(lambda: service.look_at(row, col))


def _usual_choice(workspace: Workspace) -> ModelChoice:
    found = workspace.candidates
    return ModelChoice(device=preferred_device()) if found is None else found.choice


def _prepare(service: PromptService) -> None:
    prepare_torch()
    service.prepare()


def _mask(service: PromptService, clicks: Sequence[Point], box: Box | None) -> tuple[Mask, float]:
    if not service.ready:
        _prepare(service)
    return service.mask(clicks, box)
