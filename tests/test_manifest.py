"""The plugin manifest: one file, valid, and nothing in it that does not work."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PACKAGED = ROOT / "src" / "napari_particle_sam" / "napari.yaml"


@pytest.fixture(scope="module")
def manifest():
    npe2 = pytest.importorskip("npe2", reason="npe2 comes with the extra `test`")
    return npe2.PluginManifest.from_file(PACKAGED)


def test_top_level_link_is_relative_and_leads_to_the_packaged_file():
    link = ROOT / "napari.yaml"
    if not link.is_symlink():
        pytest.skip("checked out without symbolic links")
    assert not link.readlink().is_absolute()
    assert link.resolve() == PACKAGED.resolve()


def test_manifest_is_valid_and_all_its_names_can_be_imported(manifest):
    manifest.validate_imports()
    assert manifest.name == "napari-particle-sam"
    assert manifest.is_visible


def test_installed_distribution_has_the_same_manifest(manifest):
    installed = type(manifest).from_distribution("napari-particle-sam")
    assert installed.contributions == manifest.contributions


@pytest.mark.parametrize("material", ["cathode", "powder"])
def test_sample_is_an_image_with_its_truth(manifest, material):
    (sample,) = (s for s in manifest.contributions.sample_data if s.key == material)
    (command,) = (c for c in manifest.contributions.commands if c.id == sample.command)
    module, _, name = command.python_name.partition(":")
    (pixels, image, kind), (labels, truth, other) = getattr(import_module(module), name)()
    assert (kind, other) == ("image", "labels")
    assert pixels.dtype == np.uint8
    assert labels.dtype == np.uint16
    assert pixels.shape == labels.shape
    assert labels.max() > 10
    assert image["name"] != truth["name"]
    assert image["scale"] == truth["scale"]
    assert 0.04 < image["scale"][0] < 0.13
