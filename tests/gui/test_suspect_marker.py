"""A place that looks like a missed particle is drawn until something changes."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.gui.canvas.canvas import Canvas
from napari_particle_sam.gui.model.commands import Commands
from napari_particle_sam.gui.suspect_marker import ADD, SuspectMarker

PLACE = Mask(5, 8, np.ones((6, 7), bool))


class Said:
    def __init__(self) -> None:
        self.words: list[str] = []

    def say(self, words: str) -> None:
        self.words.append(words)


@pytest.fixture
def shown(workspace, monkeypatch, qapp):
    commands, said = Commands(workspace), Said()
    canvas = Canvas(ViewerModel(), workspace, commands)
    drawn: list[list[Mask]] = []
    monkeypatch.setattr(canvas, "show_preview", lambda masks: drawn.append(list(masks)))
    marker = SuspectMarker(workspace, commands, canvas, said)
    yield commands, drawn, said, marker
    canvas.close()


def test_a_missed_place_is_drawn_and_goes_with_the_next_edit(workspace, shown):
    commands, drawn, said, _ = shown
    workspace.missed = (PLACE,)
    suspect = commands.next_suspect()
    assert suspect is not None and suspect.label is None
    assert len(drawn) == 1
    assert drawn[0][0].equals(PLACE)
    assert said.words[-1].endswith(ADD)
    assert workspace.selection.ids == ()
    commands.add_mask(Mask(30, 40, np.ones((5, 5), bool)))
    assert drawn[1:] == [[]]
    commands.undo()
    assert len(drawn) == 2


def test_after_another_image_nothing_is_cleared_in_it(workspace, shown):
    commands, drawn, _, _ = shown
    workspace.missed = (PLACE,)
    commands.next_suspect()
    workspace.step(1)
    commands.add_mask(PLACE)
    assert len(drawn) == 1
