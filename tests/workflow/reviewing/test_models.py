from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import ValidationError

from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.workflow.reviewing.models import (
    ModelChoice,
    ModelShelf,
    ProposeSettings,
    default_thresholds,
    gui_threads,
)


def test_nothing_heavy_is_imported_before_a_model_is_asked_for():
    code = (
        "import sys\n"
        "from napari_particle_sam.workflow.reviewing import models, prompting, proposing\n"
        "models.default_thresholds(models.ModelChoice())\n"
        "print([m for m in ('torch', 'segment_anything', 'peft') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_model_is_loaded_once_by_all_threads():
    shelf = ModelShelf()
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(shelf.get, [ModelChoice()] * 4))
    assert all(m is models[0] for m in models)
    assert models[0].thresholds == default_thresholds(ModelChoice())
    shelf.clear()
    assert shelf.get(ModelChoice()) is not models[0]


def test_a_missing_model_or_adapter_is_one_sentence(tmp_path):
    folder = tmp_path / "Maß Probe"
    for choice in (ModelChoice("vit_q"), ModelChoice(adapter=folder)):
        for call in (default_thresholds, ModelShelf().get):
            with pytest.raises(BadModelError) as caught:
                call(choice)
            assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    with pytest.raises(BadModelError, match=r"x\.safetensors"):
        default_thresholds(ModelChoice(str(tmp_path / "x.safetensors")))


def test_settings_say_what_they_are_and_refuse_nonsense():
    assert ProposeSettings().choice == ModelChoice()
    for name, field in ProposeSettings.model_fields.items():
        assert field.title and field.description and field.description.endswith("."), name
    with pytest.raises(ValidationError):
        ProposeSettings(points_per_side=0)


def test_the_window_keeps_a_core():
    assert 1 <= gui_threads() <= max(1, (os.cpu_count() or 1) - 1)
