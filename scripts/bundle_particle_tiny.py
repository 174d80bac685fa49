"""Put the weights of a training run into the package, with the thresholds that suit them.

The version stands in the file's name in `sam/registry.py`; the file of the version before is to be removed.

python scripts/bundle_particle_tiny.py RUN/weights.safetensors --pred-iou 0.6 --stability 0.8
"""

from __future__ import annotations

import argparse
from pathlib import Path

from safetensors.torch import load_file, save_file

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.sam.registry import SPECS, weights_path


def main() -> None:
    """Copy the weights and write the thresholds into their metadata."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--pred-iou", type=float, required=True)
    parser.add_argument("--stability", type=float, required=True)
    args = parser.parse_args()
    thresholds = Thresholds(pred_iou=args.pred_iou, stability=args.stability)
    target = weights_path(SPECS["particle-tiny"])
    metadata = {"format": "pt", "model": target.stem, "thresholds": thresholds.model_dump_json()}
    target.parent.mkdir(exist_ok=True)
    state = load_file(args.weights)
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    save_file(half, target, metadata)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
