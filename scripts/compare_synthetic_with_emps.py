"""Put rendered micrographs beside real ones.

    python scripts/compare_synthetic_with_emps.py --emps ../shared/data/emps

Left of each row two rendered fields, right of it two published ones (EMPS, MIT licence) at the same number
of screen pixels per picture pixel. The outlines under the first column are the exact truth.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from skimage.segmentation import find_boundaries

from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.synthesis import render

_ROWS = {
    "cathode": (("a68915823c", "ca780314cd"), (4, 11)),
    "powder": (("c355821ea6", "9318f3ce70"), (6, 9)),
}
_FIELD = (360, 420)


def main() -> None:
    """Draw the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True, help="folder with images/ID.png")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/synthetic_vs_emps.png"))
    args = parser.parse_args()
    figure = Figure(figsize=(13, 5.9), layout="constrained")
    axes = figure.subplots(2, 4)
    for cells, (material, (real, seeds)) in zip(axes, _ROWS.items(), strict=True):
        _fill_row(cells, material, [args.emps / "images" / f"{name}.png" for name in real], seeds)
    with atomic_path(args.out) as temporary:
        figure.savefig(temporary, dpi=100, format="png", pil_kwargs={"optimize": True})
    _quantise(args.out)


def _fill_row(cells: np.ndarray, material: str, real: list[Path], seeds: tuple[int, ...]) -> None:
    for number, (cell, seed) in enumerate(zip(cells[:2], seeds, strict=True)):
        drawn = render(material, seed, _FIELD)
        shown = _outlined(drawn.pixels, drawn.labels) if number == 0 else drawn.pixels
        _show(cell, shown, f"rendered: {material}, seed {seed}" + (", with truth" if number == 0 else ""))
    for cell, path in zip(cells[2:], real, strict=True):
        _show(cell, _centre(np.asarray(Image.open(path).convert("L"))), f"real: EMPS {path.stem}")


def _show(cell: object, pixels: np.ndarray, title: str) -> None:
    cell.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="lanczos")
    cell.set_title(title, fontsize=9)
    cell.set_axis_off()


def _outlined(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    shown = np.repeat(pixels[..., None], 3, axis=2)
    # Half the field only, so that the other half can be judged as a micrograph.
    edge = find_boundaries(labels, mode="inner")
    edge[:, labels.shape[1] // 2 :] = False
    shown[edge] = (255, 196, 0)
    return shown


def _centre(pixels: np.ndarray) -> np.ndarray:
    top = max(0, (pixels.shape[0] - _FIELD[0]) // 2)
    left = max(0, (pixels.shape[1] - _FIELD[1]) // 2)
    return pixels[top : top + _FIELD[0], left : left + _FIELD[1]]


def _quantise(path: Path) -> None:
    # Even steps of grey: a palette by frequency would draw contours into the bright particles.
    colours = [(level, level, level) for level in range(0, 256, 2)] + [
        (255, 196, 0),
        (180, 138, 0),
        (215, 185, 80),
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in colours for part in colour])
    picture = Image.open(path).convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG", optimize=True)


if __name__ == "__main__":
    main()
