import ctypes
import subprocess
import sys

import pytest

from napari_particle_sam.base import allocator


def test_it_takes_effect_where_glibc_is():
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("no glibc here")
    code = "from napari_particle_sam.base.allocator import keep_freed_memory as k; print(k())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(allocator.sys, "platform", "win32")
    assert allocator.keep_freed_memory() is False
