"""Measure the peak extra memory of segmenting one large micrograph.

    OMP_NUM_THREADS=1 python scripts/benchmark_mask_memory.py --engine exact
    OMP_NUM_THREADS=1 python scripts/benchmark_mask_memory.py --engine exact --image 70f9f13af4.png
    OMP_NUM_THREADS=1 python scripts/benchmark_mask_memory.py --engine adaptive --rows 1536 --cols 2048

Every measurement runs in a process of its own; imports, model and micrograph are there before it starts. Do
not run `reference` at the full size: it asks for 9 GiB per batch.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.base.peak_memory import give_back_freed_memory, peak_memory
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.sam.engines.search import Floors
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.synthesis import RenderOptions, render
from napari_particle_sam.workflow.propose import propose_labels


def picture_of(args: argparse.Namespace) -> np.ndarray:
    """Return the micrograph: an image enlarged bicubically, or one rendered at size."""
    shape = (args.rows, args.cols)
    if args.image is None:
        return render(args.material, args.seed, shape, RenderOptions(cover=args.cover)).pixels
    pixels = read_micrograph(args.image).pixels
    if pixels.dtype != np.uint8:
        pixels = (pixels // 257).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).resize(shape[::-1], Image.Resampling.BICUBIC))


def measure(args: argparse.Namespace) -> dict[str, object]:
    """Segment once in this process and return the numbers."""
    pixels = picture_of(args)
    model = load_model("particle-tiny", device="cpu")
    micrograph = Micrograph(pixels, Path("large.tif"), pixels.shape[0], None, "")
    floors = Floors(pred_iou=args.floor)
    settings = GenerateSettings(args.engine, floors, points_per_side=args.points)
    give_back_freed_memory()
    before, began = resident_mib("VmRSS"), time.perf_counter()
    with peak_memory() as peak:
        found = run_job(propose_labels(model, micrograph, settings, model.thresholds, CancelToken()))
    return {
        "engine": args.engine, "shape": pixels.shape, "points": args.points,
        "image": args.material if args.image is None else args.image.stem,
        "passes": len(found.candidates.frames), "candidates": len(found.candidates),
        "particles": len(found.proposals), "seconds": round(time.perf_counter() - began, 1),
        "stages": {name: round(value, 1) for name, value in found.seconds.items()},
        "before_MiB": before, "high_water_MiB": resident_mib("VmHWM"),
        "peak_extra_MiB": None if peak.extra is None else round(peak.extra / 2**20), "way": peak.way,
    }  # fmt: skip


def resident_mib(name: str) -> int | None:
    """Return a line of Linux' /proc/self/status in MiB, None on other systems."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{name}:")), None)


def options() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--engine", nargs="+", default=["guided"])
    parser.add_argument("--points", type=int, default=32, help="per side of the grid")
    parser.add_argument("--floor", type=float, default=Floors().pred_iou, help="of the predicted IoU")
    parser.add_argument("--rows", type=int, default=3072)
    parser.add_argument("--cols", type=int, default=4096)
    parser.add_argument("--image", type=Path, help="enlarged to the size; rendered without it")
    parser.add_argument("--material", default="cathode")
    parser.add_argument("--cover", type=float, default=0.24)
    parser.add_argument("--seed", type=int, default=5000)
    parser.add_argument("--here", action="store_true", help="measure one engine in this very process")
    return parser


def main() -> None:
    """Print one line of JSON per engine."""
    args = options().parse_args()
    if args.here:
        args.engine = args.engine[0]
        print(json.dumps(measure(args)), flush=True)
        return
    own = [word for word in sys.argv[1:] if word not in args.engine and word != "--engine"]
    for engine in args.engine:
        command = [sys.executable, __file__, *own, "--engine", engine, "--here"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
