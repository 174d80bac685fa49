"""Measure the finders of data bars and of burnt-in marks.

    python scripts/benchmark_databar.py --emps ../shared/data/emps [--seeds 600 640] [--out FOLDER]

1. Rendered bars: five vendor styles, one per seed in turn (``--all-styles``: each at every seed), on rendered
   micrographs and on EMPS val images without a bar of their own, 8- and 16-bit, with noise and JPEG. Right
   means within 2 rows; the same image without its bar must give 0.
2. EMPS fit and val: every image with a bar found goes to bars_SPLIT.png with its border, every image with
   burnt-in boxes to marks_SPLIT.png, to be looked at.
3. Rendered marks: how many letters, scale bars and arrows are covered; boxes that touch no mark.
4. Processor seconds on 1536 x 2048 px.

The finders were made with seeds 0 to 59 and mended after 100 to 139 (38 of 40 bars at first) and 300 to 339
(39 of 40); seeds from 500 on were never tuned on.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from napari_particle_sam.images.burnt_in import find_burnt_in
from napari_particle_sam.images.databar import find_databar
from napari_particle_sam.synthesis import MATERIALS, render
from napari_particle_sam.synthesis.databar import STYLES, add_databar, jpeg_compressed
from napari_particle_sam.synthesis.marks import apply_marks, draw_marks

# EMPS fit and val images with an opaque bar over the full width, seen by eye in strips of all 348.
_SEEN = (
    "d04d7ced9f ef6bbe7612 31f17306c8 af124a45d9 c984680063 b452204939 7e85b64066 47286679c2 60feb7de8f "
    "427ebc9e15 245e1a4826 b23c478d84 2e4a3ab627 bc5529f7ca d29d644539 c36b04376a a1dada3898 f8a1b2bf39 "
    "8e1269eba3 ea71fe4650 7ecd3c2ab9 a492171fa8 e853d120fa 39dda96b25 eed04b7d68 406d70e411 555eb05b4c "
    "1b3c6536a3 1ecd5c901c 21308b3614 7fabcfe23f fcc97c015c 3027f9ffe7 8d7fc4c578 2bc87a8698 fd1f58d925 "
    "37ce835fb2 07330c8ea1 4628753cd8 a4027c076c "
)
_WITH_BAR = frozenset(_SEEN.split())
_SHAPE = (480, 640)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--emps", type=Path, required=True, help="folder with index.csv and images/ID.png")
    parser.add_argument("--seeds", type=int, nargs=2, default=(600, 640), metavar=("FIRST", "STOP"))
    parser.add_argument("--all-styles", action="store_true", help="every style at every seed")
    parser.add_argument("--out", type=Path, default=Path("databar_benchmark"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.emps / "index.csv").open(encoding="utf-8", newline="") as stream:
        split = {row["id"]: row["split"] for row in csv.DictReader(stream)}
    real = [name for name, part in split.items() if part == "val" and name not in _WITH_BAR]
    backgrounds = [_grey(args.emps, name) for name in real]
    _measure_rendered_bars(range(*args.seeds), backgrounds, args.all_styles)
    _measure_rendered_marks(range(*args.seeds))
    _measure_emps(args.emps, split, args.out)
    _measure_time()


def _grey(emps: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(emps / "images" / f"{name}.png").convert("L"))


def _background(rng: np.random.Generator, seed: int, real: list[np.ndarray]) -> np.ndarray:
    """Take rendered and real fields in turn, some with noise, some in 16 bits."""
    pixels = real[int(rng.integers(len(real)))] if seed % 2 else _field(seed // 2)
    if rng.random() < 0.5:
        pixels = np.clip(pixels + rng.normal(0, rng.uniform(2, 12), pixels.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        scaled = pixels * float(rng.choice([16, 100, 257])) + rng.normal(0, 8, pixels.shape)
        pixels = np.clip(scaled, 0, 65535).astype(np.uint16)
    return pixels


def _field(seed: int) -> np.ndarray:
    return render(MATERIALS[seed % len(MATERIALS)], seed, _SHAPE).pixels


def _measure_rendered_bars(seeds: range, real: list[np.ndarray], all_styles: bool) -> None:
    right = total = without = 0
    for seed in seeds:
        for number, style in enumerate(STYLES):
            if not all_styles and seed % len(STYLES) != number:
                continue
            rng = np.random.default_rng((seed, number))
            pixels = _background(rng, seed, real)
            drawn, rows, facts = add_databar(rng, pixels, style)
            found = find_databar(drawn)
            without += find_databar(pixels) > 0
            right, total = right + (abs(found - rows) <= 2), total + 1
            if abs(found - rows) > 2:
                print(f"  seed {seed} {style}: {rows} rows, found {found}; {facts}, {pixels.dtype}")
    print(
        f"rendered bars: {right} of {total} within 2 rows; {without} found in the same images without a bar"
    )


def _measure_rendered_marks(seeds: range) -> None:
    found: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for seed in seeds:
        pixels, rng = _field(seed), np.random.default_rng((seed, 77))
        total["unmarked image"] += 1
        found["unmarked image"] += bool(find_burnt_in(pixels))
        marks = draw_marks(rng, pixels)
        marked, mask = apply_marks(pixels, marks)
        boxes = find_burnt_in(jpeg_compressed(marked, 85) if seed % 3 == 0 else marked)
        covered = np.zeros(mask.shape, bool)
        for top, left, bottom, right in boxes:
            covered[top:bottom, left:right] = True
            found["boxes that touch no mark"] += not mask[top:bottom, left:right].any()
        total["boxes that touch no mark"] += len(boxes)
        for mark in marks:
            top, left, bottom, right = mark.box
            name = f"{'boxed' if mark.boxed else 'bare'} {mark.kind}"
            total[name] += 1
            found[name] += covered[top:bottom, left:right][mark.ink > 0.5].mean() > 0.6
    for name in sorted(total):
        print(f"rendered marks: {name}: {found[name]} of {total[name]}")


def _measure_emps(emps: Path, split: dict[str, str], out: Path) -> None:
    for part in ("fit", "val"):
        names = [name for name in split if split[name] == part]
        bars = {name: find_databar(_grey(emps, name)) for name in names}
        hits = [name for name in names if bars[name]]
        false = [name for name in hits if name not in _WITH_BAR]
        real = sum(name in _WITH_BAR for name in names)
        print(f"EMPS {part}: {len(names)} images, {real} with a bar; found {len(hits)}, false: {false}")
        _picture(
            out / f"bars_{part}.png", [_with_border(_grey(emps, name), bars[name]) for name in hits], hits
        )
        marks = {
            name: find_burnt_in(_grey(emps, name), len(_grey(emps, name)) - bars[name]) for name in names
        }
        hits = [name for name in names if marks[name]]
        print(f"EMPS {part}: burnt-in boxes in {len(hits)} of {len(names)} images; look at marks_{part}.png")
        _picture(
            out / f"marks_{part}.png", [_with_boxes(_grey(emps, name), marks[name]) for name in hits], hits
        )


def _with_border(pixels: np.ndarray, rows: int) -> Image.Image:
    image = Image.fromarray(pixels).convert("RGB")
    row, cols = len(pixels) - rows - 1, pixels.shape[1]
    for span in ((0, row, cols // 6, row), (cols - cols // 6, row, cols, row)):
        ImageDraw.Draw(image).line(span, fill=(255, 0, 0))
    return image.crop((0, int(0.8 * len(pixels)), cols, len(pixels)))


def _with_boxes(pixels: np.ndarray, boxes: list[tuple[int, int, int, int]]) -> Image.Image:
    image = Image.fromarray(pixels).convert("RGB")
    for top, left, bottom, right in boxes:
        ImageDraw.Draw(image).rectangle((left, top, right, bottom), outline=(255, 0, 0), width=2)
    return image


def _picture(path: Path, images: list[Image.Image], names: list[str], columns: int = 6) -> None:
    if not images:
        return
    for image in images:
        image.thumbnail((256, 240))
    height = max(image.height for image in images) + 14
    sheet = Image.new("RGB", (columns * 260, -(-len(images) // columns) * height), (110, 110, 110))
    for place, (image, name) in enumerate(zip(images, names, strict=True)):
        left, top = place % columns * 260, place // columns * height
        sheet.paste(image, (left, top + 12))
        ImageDraw.Draw(sheet).text((left, top), name, fill=(255, 255, 0))
    sheet.save(path)


def _measure_time() -> None:
    for material in MATERIALS[:2]:
        pixels = render(material, 1, (1536, 2048)).pixels
        for name, finder in (("find_databar", find_databar), ("find_burnt_in", find_burnt_in)):
            seconds = []
            for _ in range(3):
                start = time.process_time()
                finder(pixels)
                seconds.append(time.process_time() - start)
            print(f"{name} on 1536 x 2048 ({material}): {min(seconds):.3f} s")


if __name__ == "__main__":
    main()
