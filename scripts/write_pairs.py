"""Folders of pairs for `simulate` and `ablate`: both series of EMPS `adapt`, and rendered materials.

    python scripts/write_pairs.py --emps ../shared/data/emps --out PAIRS

Writes emps12/ and emps6/ (all images of one paper each), cathode10/ (ten rendered fields of 256 x 320 px with
about 27 particles), graphite12/ (twelve of 512 x 640 px), cathode8/ (of 768 x 1024 px, about 220 particles
each, for `train` with no option) and cathode8-held-out/ (of 512 x 640 px). The bundled model saw none of it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmark_adapt import emps_folds, prepare_emps
from napari_particle_sam.storage.pairs import write_pair
from napari_particle_sam.synthesis import render

#: Folder, material, seed of the first, how many, shape.
RENDERED = (
    ("cathode10", "cathode", 9300, 10, (256, 320)),
    ("graphite12", "graphite", 9100, 12, (512, 640)),
    ("cathode8", "cathode", 9000, 8, (768, 1024)),
    ("cathode8-held-out", "cathode", 9100, 8, (512, 640)),
)


def main() -> None:
    """Write all folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emps", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    for name, train, held in emps_folds(args.emps):
        if name.endswith("-fold0"):
            prepare_emps(args.emps, train + held, args.out / name.removesuffix("-fold0"))
    for folder, material, first, count, shape in RENDERED:
        for seed in range(first, first + count):
            sample = render(material, seed, shape)
            write_pair(args.out / folder, f"{material}_{seed}", sample.pixels, sample.labels)


if __name__ == "__main__":
    sys.exit(main())
