"""Run folders written by hand, as `learning.run_folder` and `learning.job` write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

THRESHOLDS = {"pred_iou": 0.6, "stability": 0.7}


def add_events(run: Path, *events: Mapping[str, Any]) -> None:
    run.mkdir(parents=True, exist_ok=True)
    with (run / "events.jsonl").open("a", encoding="utf-8", newline="\n") as file:
        for number, event in enumerate(events):
            line = {"schema_version": 1, "seq": number, "time": 60.0 + number} | dict(event)
            file.write(json.dumps(line) + "\n")


def metric(step: int, stage: str = "train", **values: float) -> dict[str, Any]:
    return {"event": "Metric", "step": step, "stage": stage, "values": values}


def progress(done: int, total: int, left: float | None = None) -> dict[str, Any]:
    return {"event": "Progress", "done": done, "total": total, "text": "", "seconds_left": left}


def prepared(run: Path) -> Path:
    run.mkdir(parents=True, exist_ok=True)
    (run / "job.json").write_text("{}", encoding="utf-8")
    return run


def finish(run: Path, gained: bool = True, reason: str = "Validation f1@0.5 0.500 -> 0.800.") -> Path:
    prepared(run)
    if gained:
        adapter(run)
    result = {
        "gained": gained, "reason": reason, "before": {"f1@0.5": 0.5}, "after": {"f1@0.5": 0.8},
        "steps": 9, "seconds": 5.0,
    }  # fmt: skip
    (run / "result.json").write_text(json.dumps(result), encoding="utf-8")
    return run


def adapter(run: Path, **changes: Any) -> Path:
    folder = run / "adapter"
    folder.mkdir(parents=True, exist_ok=True)
    info = {
        "name": run.name, "base": "particle-tiny", "base_fingerprint": "0" * 64, "rank": 16, "alpha": 16.0,
        "targets": [], "img_size": 512, "thresholds": THRESHOLDS, "images": ["a", "b"],
        "validation_images": ["c"], "metrics": {"before": {"f1@0.5": 0.5}, "after": {"f1@0.5": 0.8}},
    }  # fmt: skip
    (folder / "adapter.json").write_text(json.dumps(info | changes), encoding="utf-8")
    (folder / "adapter.safetensors").write_bytes(b"")
    return folder


def prediction(run: Path, epoch: int) -> Path:
    path = run / "predictions" / f"epoch_{epoch:03d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (60, 20), "white").save(path)
    return path
