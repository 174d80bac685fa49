"""What loads quickly must not load the heavy packages."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "peft", "segment_anything", "transformers", "qtpy", "napari")

HELP = """
from napari_particle_sam.cli import main
sys.argv = ["particle-sam", *{arguments}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
SNIPPETS = {
    "package": "import napari_particle_sam",
    "help": HELP.format(arguments=["--help"]),
    "segment help": HELP.format(arguments=["segment", "--help"]),
    "train help": HELP.format(arguments=["train", "--help"]),
    "demo help": HELP.format(arguments=["demo", "--help"]),
    "project help": HELP.format(arguments=["project", "--help"]),
    "bench help": HELP.format(arguments=["bench", "masks", "--help"]),
    "measure help": HELP.format(arguments=["measure", "--help"]),
    "models list": HELP.format(arguments=["models", "list"]),
    "samples of the plugin": "import napari_particle_sam.gui.samples",
}


CHECK = """
loaded = [name for name in {heavy} if name in sys.modules]
assert not loaded, loaded
"""


@pytest.mark.parametrize("snippet", SNIPPETS.values(), ids=SNIPPETS.keys())
def test_loads_none_of_the_heavy_packages(snippet):
    code = f"import sys\n{snippet}\n{CHECK.format(heavy=HEAVY)}"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
