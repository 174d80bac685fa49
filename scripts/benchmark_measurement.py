"""Print how exact the measurement is: discretisation errors, and what the border correction is worth.

    python scripts/benchmark_measurement.py [--shapes | --fields]

The first table measures rendered outlines of known size; the second, fields of ellipses of known distribution
of which the frame cuts a fifth.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "measurement"))

from known_fields import METHODS, trial
from known_shapes import render, shapes

from napari_particle_sam.measurement.shape import measure_shape

SIZES = (10, 20, 40, 80)
RELATIVE = ("ecd", "circularity", "solidity", "aspect_ratio", "ellipse_ratio")


def main() -> None:
    """Print both tables, or one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shapes", action="store_true")
    parser.add_argument("--fields", action="store_true")
    parser.add_argument("--turns", type=int, default=18, help="rotations per shape and size")
    args = parser.parse_args()
    if args.shapes or not args.fields:
        _print_shapes(args.turns)
    if args.fields or not args.shapes:
        _print_fields()


def _print_shapes(turns: int) -> None:
    print("Errors: mean [lowest, highest]; Feret in px, orientation in degrees, the rest in percent.\n")
    names = [known.name for known in shapes(10, 0)]
    for size in SIZES:
        errors = _errors(size, turns)
        quantities = list(dict.fromkeys(q for name in names for q in errors[name]))
        print(f"ECD {size} px".ljust(16) + "".join(name.rjust(22) for name in names))
        for quantity in quantities:
            cells = [_cell(errors[name].get(quantity, [])) for name in names]
            print(quantity.ljust(16) + "".join(cell.rjust(22) for cell in cells))
        print()


def _errors(size: float, turns: int) -> dict[str, dict[str, list[float]]]:
    rng = np.random.default_rng(int(size))
    found: dict[str, dict[str, list[float]]] = {}
    for turn in range(turns):
        for known in shapes(size, -90 + 180 * (turn + rng.random()) / turns):
            measured = measure_shape(render(known, rng))
            errors = found.setdefault(known.name, {})
            for name in ("ecd", "circularity", "solidity"):
                errors.setdefault(name, []).append(100 * (getattr(measured, name) / getattr(known, name) - 1))
            for name in ("feret_max", "feret_min"):
                errors.setdefault(name, []).append(getattr(measured, name) - getattr(known, name))
            ratio = known.feret_max / known.feret_min
            errors.setdefault("aspect_ratio", []).append(100 * (measured.aspect_ratio / ratio - 1))
            if known.ellipse is not None and known.angle is not None:
                off = 100 * (measured.ellipse_ratio / known.ellipse - 1)
                errors.setdefault("ellipse_ratio", []).append(off)
                turned = (measured.orientation - known.angle + 90) % 180 - 90
                errors.setdefault("orientation", []).append(turned)
    return found


def _cell(errors: list[float]) -> str:
    if not errors:
        return "-"
    return f"{np.mean(errors):+.2f} [{min(errors):+.1f},{max(errors):+.1f}]"


def _print_fields(seeds: int = 20) -> None:
    trials = [trial(seed) for seed in range(seeds)]
    print(f"{seeds} seeds; cut by the frame: {np.mean([t.cut_share for t in trials]):.1%} of the particles")
    print(f"{'':<34}dn50 error   mean |error|   corrected nearer   KS distance   corrected nearer")
    for method in METHODS:
        errors = np.array([t.dn50_error[method] for t in trials])
        nearer = sum(abs(t.dn50_error["corrected"]) < abs(t.dn50_error[method]) for t in trials)
        lower = sum(t.ks["corrected"] < t.ks[method] for t in trials)
        counts = ("", "") if method == "corrected" else (f"{nearer} of {seeds}", f"{lower} of {seeds}")
        print(
            f"{method:<34}{errors.mean():+10.2%}{np.abs(errors).mean():15.2%}{counts[0]:>19}"
            f"{np.mean([t.ks[method] for t in trials]):14.4f}{counts[1]:>19}"
        )


if __name__ == "__main__":
    main()
