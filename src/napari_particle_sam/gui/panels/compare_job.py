"""Comparing an adapter with its base in a process of its own, and reading what an earlier one found."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, JobError
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.base.files import read_json
from napari_particle_sam.evaluation.bootstrap import Interval
from napari_particle_sam.learning.run_names import ADAPTER, PAIRS
from napari_particle_sam.workflow.comparing.result import Comparison, Yardstick

#: Folder in a run, and the file that makes it complete.
COMPARED, FOUND = "comparison", "comparison.json"
LOG = "comparison.log"
#: Between two looks at the process, in seconds.
_LOOK = 0.2
#: Not the name of the command: it need not be on the path of a bundled napari. Nobody waits for it.
_CLI = "import os; getattr(os, 'nice', int)(10); from napari_particle_sam.cli import main; main()"
_QUIET: dict[str, Any] = (
    {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    if sys.platform == "win32"
    else {}
)


def comparing(run: Path, token: CancelToken) -> Generator[Event, None, Comparison]:
    """Compare the adapter of a run with its base on the run's own pairs that it did not train on.

    Parameters
    ----------
    run : Path
        A finished run with an adapter.
    token : CancelToken
        Stops it.

    Yields
    ------
    Event
        As `workflow.compare.compare` does.

    Returns
    -------
    Comparison
        Also in the run's folder.
    """
    log = run / LOG
    with log.open("wb") as words:
        process = subprocess.Popen(
            _command(run), stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT, **_QUIET
        )
    try:
        yield Progress(0, 0, "base and adapted model in turn")
        while process.poll() is None:
            token.check()
            time.sleep(_LOOK)
    finally:
        process.kill()
        process.wait()
    found = read_comparison(run)
    if process.returncode != 0 or found is None:
        raise JobError(_last_line(log))
    return found


def _command(run: Path) -> list[str]:
    return [
        sys.executable, "-c", _CLI, "compare", "--pairs", str(run / PAIRS), "--adapter", str(run / ADAPTER),
        "--out", str(run / COMPARED),
    ]  # fmt: skip


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("particle-sam: ") if lines else "the comparison ended without a word."


def read_comparison(run: Path) -> Comparison | None:
    """Return what an earlier comparison of a run found; None where there is none that can be read."""
    folder = run / COMPARED
    if not (folder / FOUND).is_file():
        return None
    try:
        plain: dict[str, Any] = read_json(folder / FOUND)
        for name in ("intervals", "default_intervals"):
            plain[name] = {key: Interval(**_numbers(value)) for key, value in plain[name].items()}
        for name in ("metrics", "scales"):
            plain[name] = {key: _numbers(value) for key, value in plain[name].items()}
        # Names from a file never lead out of its folder.
        plain["pictures"] = tuple(folder / p for p in plain["pictures"] if _stays(folder, p))
        known = plain.get("yardstick")
        plain["yardstick"] = None if known is None else Yardstick(**_numbers(known))
        return Comparison(**plain)
    except (BadFileError, KeyError, TypeError, AttributeError, ValueError):
        return None


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    """Return numbers as they were before JSON, which has none that is not finite."""
    return {name: math.nan if value is None else value for name, value in values.items()}


def _stays(folder: Path, name: str) -> bool:
    return (folder / name).resolve().is_relative_to(folder.resolve())
