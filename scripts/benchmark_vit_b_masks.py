"""Compare `exact` with SAM's own generator on a network of ViT-B's shapes with SAM's decoder weights.

    OMP_NUM_THREADS=1 python scripts/benchmark_vit_b_masks.py --emps ../shared/data/emps \
        --decoder Prompt_guided_Mask_Decoder.pt --points 10 --images 20

SAM's encoder is not timed: particle-tiny's encoder on the halved input stands in for it, with an embedding of
the same shape, 64 x 64 x 256 for 1024 px, from which that decoder draws real masks.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from napari_particle_sam.annotation.evaluation_cache import evaluate
from napari_particle_sam.annotation.sam_filter import sam_survivors
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.base.stages import StageTimes
from napari_particle_sam.evaluation.agreement import agree
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.sam.engines.search import Floors
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.sam.vit import build_vit


class StandIn(nn.Module):
    """particle-tiny's encoder behind ViT-B's input size."""

    img_size = 1024

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pixels: Tensor) -> Tensor:
        """Encode (B, 3, 1024, 1024)."""
        half = nn.functional.interpolate(pixels, scale_factor=0.5, mode="bilinear", antialias=True)
        return self.encoder(half)


def build(decoder: Path) -> SamModel:
    """Return ViT-B's prompt encoder and mask decoder with SAM's weights, and the stand-in."""
    sam = build_vit("vit_b").eval().requires_grad_(False)
    state = torch.load(decoder, map_location="cpu", weights_only=True)
    sam.prompt_encoder.load_state_dict(state["PromtEncoder"])
    sam.mask_decoder.load_state_dict(state["MaskDecoder"])
    sam.image_encoder = StandIn(load_model("particle-tiny").sam.image_encoder)
    return SamModel("vit_b", "stand-in", sam, Thresholds())


def final_masks(
    model: SamModel, picture: np.ndarray, engine: str, thresholds: Thresholds, points: int
) -> tuple[list, float]:
    """Return an engine's masks after SAM's own filters, and its seconds without encoding."""
    times = StageTimes()
    floors = Floors(thresholds.pred_iou, thresholds.mask_threshold - thresholds.stability_offset)
    settings = GenerateSettings(engine, floors, points_per_side=points, thresholds=thresholds)
    found = run_job(generate(model, picture, settings, CancelToken(), times=times))
    with times.stage("post"):
        evaluated = evaluate(found, thresholds)
        masks = [evaluated.masks[i] for i in sam_survivors(found, thresholds, evaluated)]
    return masks, sum(v for k, v in times.seconds.items() if k != "encode")


def main() -> None:
    """Print a line per image and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--decoder", type=Path, required=True)
    parser.add_argument("--points", type=int, default=32)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--pred-iou", type=float, default=0.3)
    parser.add_argument("--stability", type=float, default=0.08)
    args = parser.parse_args()
    model = build(args.decoder)
    thresholds = Thresholds(pred_iou=args.pred_iou, stability=args.stability, min_area=0, max_area_share=1)
    rows = [r for r in csv.DictReader((args.emps / "index.csv").open()) if r["split"] == "val"]
    sums = np.zeros(6)
    for row in rows[::3][: args.images]:
        picture = read_micrograph(args.emps / "images" / f"{row['id']}.png").picture
        mine, quick = final_masks(model, picture, "exact", thresholds, args.points)
        theirs, slow = final_masks(model, picture, "reference", thresholds, args.points)
        same = agree(mine, theirs)
        line = (same.found, same.matched_found, same.wanted, same.matched_wanted, quick, slow)
        sums += line
        rest = [round(m.best_iou, 4) for m in (*same.only_found, *same.only_wanted)]
        print(row["id"], *line[:4], f"exact {quick:.1f} s, reference {slow:.1f} s", rest, flush=True)
    print(f"exact {sums[1]:.0f} of {sums[0]:.0f} matched, reference {sums[3]:.0f} of {sums[2]:.0f};", end=" ")
    print(f"{sums[5] / sums[4]:.1f} times faster without the encoder")


if __name__ == "__main__":
    main()
