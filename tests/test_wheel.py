"""The wheel holds what the package needs at run time, and no more than it may weigh."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from napari_particle_sam.sam.registry import SPECS

ROOT = Path(__file__).parents[1]
WEIGHTS = f"napari_particle_sam/sam/weights/{SPECS['particle-tiny'].file}"
LARGEST = 40 * 10**6

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_holds_manifest_and_licences(names):
    assert "napari_particle_sam/napari.yaml" in names
    licences = {name.split(".dist-info/licenses/")[1] for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE", "LICENSES/Apache-2.0.txt", "LICENSES/MIT-EMPS.txt"}


def test_holds_every_module(names):
    source = ROOT / "src"
    assert {path.relative_to(source).as_posix() for path in source.rglob("*.py")} <= set(names)


def test_holds_the_weights(names):
    if not (ROOT / "src" / WEIGHTS).exists():
        pytest.skip("particle-tiny's weights are not in the source tree yet")
    assert WEIGHTS in names


def test_declares_commands_and_plugin(wheel, names):
    (entry_points,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(entry_points).decode()
    assert "particle-sam = napari_particle_sam.cli:main" in text
    assert "napari-particle-sam = napari_particle_sam:napari.yaml" in text


def test_is_not_too_large(wheel):
    assert wheel.stat().st_size <= LARGEST
