"""How five vendors fill their data bars: text, cells and scale bar."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from napari_particle_sam.synthesis.lettering import Lettering, length_text


@dataclass(frozen=True)
class DataBarFacts:
    """What a drawn bar says, and how it was drawn.

    Attributes
    ----------
    style : str
        One of `databar.STYLES`.
    pixel_size_nm : float
        Width of a pixel, nm.
    scale_bar_nm, scale_bar_px : float
        Length of the scale bar in nm and, before rounding to whole pixels, in px.
    kilovolts, working_distance_mm, magnification : float
        Settings that the bar prints.
    detector : str
        Name of the detector.
    ground : str
        ``black``, ``white``, ``grey`` or ``translucent``.
    lines : int
        Lines of text.
    font : str
        One of `lettering.FONTS`.
    font_size : int
        Height of the font, px.
    jpeg_quality : int or None
        None where the image was not compressed.
    """

    style: str
    pixel_size_nm: float
    scale_bar_nm: float
    scale_bar_px: float
    kilovolts: float
    working_distance_mm: float
    magnification: float
    detector: str
    ground: str
    lines: int
    font: str
    font_size: int
    jpeg_quality: int | None


def _thousands(magnification: float) -> str:
    return f"{magnification / 1000:.2f} K X" if magnification >= 1000 else f"{magnification:.0f} X"


def _rule(canvas: Lettering, row: float, left: float, length: float, ticks: bool) -> None:
    stroke = max(1, canvas.font_size // 8)
    top = round(row - stroke / 2)
    canvas.block((top, left, top + stroke, left + length))
    if ticks:
        tall = max(2 * stroke, canvas.font_size // 3)
        for col in (left, left + length - stroke):
            canvas.block((row - tall, col, row + tall, col + stroke))


def _frame(canvas: Lettering, rows: int, cols: int, stroke: int) -> None:
    for box in ((0, 0, stroke, cols), (rows - stroke, 0, rows, cols)):
        canvas.block(box)
    for box in ((0, 0, rows, stroke), (0, cols - stroke, rows, cols)):
        canvas.block(box)


def _columns(
    canvas: Lettering, rows: int, left: float, right: float, columns: list[list[str]], gap: float
) -> None:
    """Write columns of lines from the left, as many as fit."""
    for lines in columns:
        width = max(canvas.width(line) for line in lines)
        if left + width > right:
            return
        for number, line in enumerate(lines):
            canvas.text(rows * (number + 0.5) / len(lines), left, line)
        left += width + gap


def _zeiss(rng: np.random.Generator, canvas: Lettering, rows: int, cols: int, facts: DataBarFacts) -> None:
    if rng.random() < 0.5:
        _frame(canvas, rows, cols, int(rng.integers(1, 3)))
    left = cols * 0.02
    canvas.text(rows * 0.28, left, length_text(facts.scale_bar_nm))
    _rule(canvas, rows * 0.7, left, facts.scale_bar_px, ticks=True)
    columns = [
        [f"EHT = {facts.kilovolts:5.2f} kV", f"WD = {facts.working_distance_mm:4.1f} mm"],
        [f"Signal A = {facts.detector}", f"Mag = {_thousands(facts.magnification)}"],
        [f"Date :{rng.integers(1, 29)} Dec 20{rng.integers(10, 26)}", f"Time :{rng.integers(10, 24)}:41:07"],
    ]
    start = left + max(facts.scale_bar_px, canvas.width("500 nm")) + cols * 0.03
    _columns(canvas, rows, start, cols * 0.88, columns, cols * 0.03)
    canvas.block((rows * 0.15, cols * 0.91, rows * 0.85, cols * 0.985))


def _fei(rng: np.random.Generator, canvas: Lettering, rows: int, cols: int, facts: DataBarFacts) -> None:
    stroke = max(1, rows // 40)
    _frame(canvas, rows, cols, stroke)
    values = {
        "HV": f"{facts.kilovolts:.2f} kV",
        "det": facts.detector,
        "WD": f"{facts.working_distance_mm} mm",
        "mag": f"{facts.magnification:,.0f} x".replace(",", " "),
        "HFW": length_text(round(facts.pixel_size_nm * cols, -1)),
    }
    right = cols - facts.scale_bar_px * 1.3 - cols * 0.02
    left, pad = stroke + cols * 0.008, cols * 0.008
    for name, value in values.items():
        lines = [name, value] if facts.lines == 2 else [f"{name} {value}"]
        width = max(canvas.width(line) for line in lines)
        if left + width + pad > right:
            break
        _columns(canvas, rows, left, right, [lines], 0)
        left += width + 2 * pad
        canvas.block((0, left - pad, rows, left - pad + stroke))
    middle = (right + cols) / 2
    _rule(canvas, rows * 0.78, middle - facts.scale_bar_px / 2, facts.scale_bar_px, ticks=True)
    canvas.text(rows * 0.33, middle, length_text(facts.scale_bar_nm), anchor="mm")


def _tescan(rng: np.random.Generator, canvas: Lettering, rows: int, cols: int, facts: DataBarFacts) -> None:
    table = [
        [f"SEM HV: {facts.kilovolts:.1f} kV", f"WD: {facts.working_distance_mm:.2f} mm", "MIRA3 TESCAN"],
        [f"View field: {length_text(round(facts.pixel_size_nm * cols, -1))}", f"Det: {facts.detector}", ""],
        [
            f"SEM MAG: {facts.magnification / 1000:.2f} kx",
            f"Date(m/d/y): 0{rng.integers(1, 10)}/12/21",
            "Lab",
        ],
    ][: facts.lines]
    edges = [0.0, cols * 0.34, cols * 0.62, float(cols)]
    for number, line in enumerate(table):
        for left, right, cell in zip(edges[:-1], edges[1:], line, strict=True):
            if cell and canvas.width(cell) < right - left - 8:
                canvas.text(rows * (number + 0.5) / facts.lines, left + 4, cell)
    if rng.random() < 0.7:
        for number in range(1, facts.lines):
            canvas.block((rows * number / facts.lines, 0, rows * number / facts.lines + 1, cols))
        for edge in edges[1:-1]:
            canvas.block((0, edge, rows, edge + 1))
    row = rows * 1.5 / facts.lines
    end = cols * 0.97 - canvas.width("500 nm")
    _rule(canvas, row, end - facts.scale_bar_px - 4, facts.scale_bar_px, ticks=True)
    canvas.text(row, end, length_text(facts.scale_bar_nm))


def _jeol(rng: np.random.Generator, canvas: Lettering, rows: int, cols: int, facts: DataBarFacts) -> None:
    words = [facts.detector, f"{facts.kilovolts:.1f}kV", f"X{facts.magnification:,.0f}"]
    words.append(f"WD {facts.working_distance_mm}mm")
    tail = length_text(facts.scale_bar_nm, "um").replace(" ", "")
    start = cols - cols * 0.03 - canvas.width(tail) - facts.scale_bar_px - 8
    left = cols * float(rng.uniform(0.01, 0.1))
    _columns(canvas, rows, left, start, [[word] for word in words], cols * 0.03)
    _rule(canvas, rows / 2, start, facts.scale_bar_px, ticks=True)
    canvas.text(rows / 2, cols - cols * 0.02 - canvas.width(tail), tail)


def _hitachi(rng: np.random.Generator, canvas: Lettering, rows: int, cols: int, facts: DataBarFacts) -> None:
    model = str(rng.choice(["SU8010", "S-4800", "SU8230", "S3400"]))
    magnification = f"x{facts.magnification / 1000:.1f}k"
    line = f"{model} {facts.kilovolts:.1f}kV {facts.working_distance_mm}mm {magnification} {facts.detector}"
    canvas.text(rows * 0.6, cols * 0.01, line)
    label = length_text(facts.scale_bar_nm, "um").replace(" ", "")
    right = cols * 0.98
    canvas.text(rows * 0.72, right, label, anchor="rm")
    step, tall = facts.scale_bar_px / 10, max(2, rows // 8)
    dot = max(1, math.ceil(canvas.font_size / 10))
    for number in range(11):
        col = right - number * step - dot
        height = tall * (1.5 if number % 5 == 0 else 1.0)
        canvas.block((rows * 0.12, col, rows * 0.12 + height, col + dot))


#: How each vendor's bar is filled.
PAINTERS: dict[str, Callable[[np.random.Generator, Lettering, int, int, DataBarFacts], None]] = {
    "zeiss": _zeiss,
    "fei": _fei,
    "tescan": _tescan,
    "jeol": _jeol,
    "hitachi": _hitachi,
}
