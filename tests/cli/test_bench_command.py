"""`particle-sam bench` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

Run = Callable[..., Ran]


def test_a_table_and_files_without_the_reference(run_cli: Run, pairs: Path) -> None:
    out = pairs / "Maß 1"
    ran = run_cli(
        "bench", "masks", pairs / "images" / "a0.tif", "--engine", "guided", "--truth", pairs,
        "--threads", 1, "--out", out, "--json", pairs / "b.json", "--device", "cpu",
    )  # fmt: skip
    assert ran.code == 0 and "1/1 a0: guided" in ran.last, ran.err
    assert ran.out.splitlines()[0].split() == ["guided"]
    assert "F1 at IoU 0.5" in ran.out and "reference" not in ran.out
    told = json.loads((pairs / "b.json").read_text(encoding="utf-8"))
    assert told == json.loads((out / "bench.json").read_text(encoding="utf-8"))
    assert sorted(p.name for p in out.iterdir()) == ["bench.csv", "bench.json"]


def test_json_on_stdout_is_nothing_else(run_cli: Run, pairs: Path) -> None:
    image = pairs / "images" / "a1.tif"
    ran = run_cli("bench", "masks", image, "--engine", "exact", "--points-per-side", 1, "--json", "-")
    told = json.loads(ran.out)
    assert ran.code == 0 and list(told["engines"]) == ["exact"] and told["settings"]["points_per_side"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resize", "big"], "--resize big is no size"),
        (["--truth", "nowhere"], "--truth"),
        (["--engine", "quick"], "engine 'quick' is unknown"),
        (["--engine", "exact", "--engine", "exact"], "twice"),
        (["--pred-iou", "1.5"], "--pred-iou 1.5"),
        (["--agreement-iou", "0"], "--agreement-iou 0"),
    ],
)
def test_a_mistake_ends_in_one_sentence(run_cli: Run, pairs: Path, arguments: list[str], words: str) -> None:
    ran = run_cli("bench", "masks", pairs / "images", "--out", pairs / "out", *arguments)
    assert ran.code == 2 and words in ran.last and "Traceback" not in ran.err
    assert not (pairs / "out").exists()


def test_help_loads_no_torch() -> None:
    code = (
        "import sys; from napari_particle_sam.cli import main; sys.argv = ['x', 'bench', 'masks', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
