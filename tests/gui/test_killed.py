"""`kill -9` while editing in a real window: reopened, at most the last edit is missing."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_particle_sam.gui.model.workspace import Workspace

from .conftest import open_now

pytest.importorskip("napari", reason="napari comes with the extras pyqt5 and pyqt6")

SCRIPT = Path(__file__).with_name("scripted_window.py")


def edits_of(line: str) -> int:
    """Return what a line says; napari and Qt write there, too, and a kill tears the last one."""
    word, _, number = line.partition(" ")
    return int(number) if word == "edit" and line.endswith("\n") else 0


@pytest.mark.parametrize("edits", [1, 17, 60])
def test_what_was_done_before_the_kill_is_there(images: Path, edits: int, qapp: object):
    command = [sys.executable, str(SCRIPT), str(images)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        done = 0
        for line in process.stdout:
            done = edits_of(line) or done
            if done >= edits:
                break
        time.sleep(0.003)
        process.kill()
        done = max(done, *map(edits_of, process.stdout.readlines()), 0)
    finally:
        process.kill()
        process.wait()
    assert done >= edits, "the window ended by itself"
    workspace = Workspace()
    open_now(workspace, images)
    assert workspace.opened is not None
    found = len(workspace.opened.session.instances)
    assert found >= done
    assert workspace.opened.session.can_undo
    assert workspace.close()
