"""torch is loaded after the window was drawn, by Mesa's LLVM or another driver's."""

import subprocess
import sys

import pytest

pytest.importorskip("napari", reason="napari comes with the extras pyqt5 and pyqt6")

SCRIPT = """
import napari, numpy as np
from qtpy.QtWidgets import QApplication
from napari_particle_sam.gui.triton_apart import load_triton_apart

viewer = napari.Viewer()
viewer.add_labels(np.eye(64, dtype=np.uint16))
viewer.screenshot()
for _ in range(20):
    QApplication.processEvents()
load_triton_apart()
import torch, torchvision
print("drawn and loaded", float(torch.ones(3) @ torch.ones(3)), flush=True)
"""


def test_torch_loads_after_a_window_was_drawn(qapp: object) -> None:
    command = [sys.executable, "-c", SCRIPT]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "drawn and loaded 3.0" in ended.stdout, ended.stderr[-2000:]
