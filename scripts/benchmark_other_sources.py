"""Proposals on micrographs of another source: panels of published figures that come with PyPI's `exsclaim`.

    pip download --no-deps exsclaim==0.1.0 && unzip exsclaim-0.1.0-py3-none-any.whl -d EXSCLAIM
    OMP_NUM_THREADS=1 python scripts/benchmark_other_sources.py EXSCLAIM --model particle-tiny FILE --out OUT

Nobody labelled them: the command prints how many masks each model gives at some thresholds and draws those of
the first pair, to be looked at. The panels are small (about 200 px) and compressed, and are enlarged twice.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from napari_particle_sam.annotation.label_map import label_map, propose
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.workflow.collecting import collect_candidates
from napari_particle_sam.workflow.pictures import overlay, save_side_by_side

THRESHOLDS = ((0.7, 0.7), (0.6, 0.7), (0.5, 0.6))
NCOMMS1, NCOMMS2 = "pipeline/ncomms5946_fig1.jpg", "pipeline/ncomms5946_fig2.jpg"
NCOMMS3, RODS = "pipeline/s41467-018-06211-3_fig1.jpg", "scale_bar_test_images/basic_figure.jpg"
#: Figure and box (left, top, right, bottom) of each panel.
PANELS = {
    "tem_solid": (NCOMMS1, (22, 9, 205, 243)),
    "tem_hollow": (NCOMMS1, (256, 9, 485, 300)),
    "haadf_small": (NCOMMS2, (21, 12, 211, 199)),
    "haadf_large": (NCOMMS2, (250, 12, 436, 199)),
    "haadf_heap": (NCOMMS2, (21, 221, 211, 409)),
    "haadf_hollow": (NCOMMS2, (250, 221, 436, 409)),
    "sem_rods": (RODS, (464, 5, 678, 164)),
    "sem_grains": (NCOMMS3, (16, 392, 218, 469)),
    "sem_on_plate": (NCOMMS3, (252, 297, 459, 466)),
}


def cut_panels(figures: Path, out: Path) -> list[Path]:
    """Cut the panels out of the figures and enlarge them twice."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, (figure, box) in PANELS.items():
        panel = Image.open(figures / figure).convert("L").crop(box)
        paths.append(out / f"{name}.png")
        panel.resize((panel.width * 2, panel.height * 2), Image.Resampling.BICUBIC).save(paths[-1])
    return paths


def main() -> None:
    """Print counts and draw the proposals side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("exsclaim", type=Path, help="folder of the unpacked wheel")
    parser.add_argument("--model", nargs="+", default=["particle-tiny"])
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    models = {name: load_model(name, device="cpu") for name in args.model}
    pictures = {}
    for path in cut_panels(args.exsclaim / "exsclaim" / "tests" / "data" / "images", args.out / "panels"):
        micrograph = read_micrograph(path)
        row = {"image": np.repeat(micrograph.picture[..., None], 3, 2)}
        for name, model in models.items():
            job = collect_candidates(model, micrograph, GenerateSettings(), CancelToken(), None)
            candidates, maps = run_job(job).candidates, []
            for pred_iou, stability in THRESHOLDS:
                chosen = model.thresholds.model_copy(update={"pred_iou": pred_iou, "stability": stability})
                maps.append(label_map(propose(candidates, chosen), micrograph.picture.shape))
            row[Path(name).parent.name or name] = overlay(micrograph.picture, maps[0])
            counts = [len(np.unique(labels)) - 1 for labels in maps]
            print(path.stem, name, dict(zip(THRESHOLDS, counts, strict=True)), flush=True)
        pictures[path.stem] = row
    save_side_by_side(args.out / "proposals.png", pictures, 2.6)


if __name__ == "__main__":
    main()
