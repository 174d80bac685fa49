"""Whether columns hold candidates that all other code can use without a further look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.encoding import LARGEST_MASK, LONGEST_SIDE
from napari_particle_sam.storage.candidates.columns import FORMAT_VERSION

#: No model takes a larger input; `reference`, whose masks are final, has the micrograph's size.
LARGEST_INPUT = 4096
#: Cells of all logits together, 2 GiB.
CELL_LIMIT = 2**29

_ALWAYS = {"head", "floors", "frames", "frame", "points", "predicted_iou", "crops"}
_LOGITS = ({"logits"}, {"signs", "level"})


def check_columns(columns: Mapping[str, NDArray[Any]]) -> None:
    """Check names, shapes, bounds and that all numbers are finite.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Arrays of the types in `columns.DTYPES`.

    Raises
    ------
    ValueError
        If anything is not as `columns.to_columns` makes it of sound candidates.
    """
    if set(columns) - {"stability"} not in [_ALWAYS | logits for logits in _LOGITS]:
        raise ValueError("parts are missing or too many")
    _check_head(columns["head"])
    _check_shapes(columns)
    _check_finite(columns)
    _check_frames(columns["frames"], columns["head"])
    _check_crops(columns)
    _check_logits(columns)


def _check_head(head: NDArray[np.int64]) -> None:
    _need(head.shape == (4,) and head[0] == FORMAT_VERSION, "its format version is another one")
    rows, cols, field_rows = (int(v) for v in head[1:])
    fits = 0 < rows <= LONGEST_SIDE and 0 < cols <= LONGEST_SIDE and rows * cols <= LARGEST_MASK
    _need(fits, "the micrograph's shape is out of bounds")
    _need(field_rows == -1 or 0 < field_rows <= rows, "the field of view is out of bounds")


def _check_shapes(columns: Mapping[str, NDArray[Any]]) -> None:
    count, frames = columns["crops"].shape[:1], columns["frames"].shape[:1]
    expected = {
        "floors": (2,), "frames": (*frames, 8), "frame": count, "points": (*count, 2), "predicted_iou": count,
        "crops": (*count, 4), "stability": count, "level": (1,),
    }  # fmt: skip
    for name, shape in expected.items():
        if name in columns:
            _need(columns[name].shape == shape, f"{name} has a wrong shape")


def _check_finite(columns: Mapping[str, NDArray[Any]]) -> None:
    for name, column in columns.items():
        if column.dtype.kind == "f":
            _need(bool(np.isfinite(column).all()), f"{name} holds values that are not finite")


def _check_frames(frames: NDArray[np.int64], head: NDArray[np.int64]) -> None:
    # Small enough that no sum below can overflow.
    _need(_within(frames, 0, LONGEST_SIDE), "a frame is out of bounds")
    top, left, rows, cols, input_rows, input_cols, img_size, low_res = frames.T
    inside = (top + rows <= head[1]) & (left + cols <= head[2])
    sizes = (frames[:, 2:] > 0).all(axis=1) & (input_rows <= img_size) & (input_cols <= img_size)
    sizes &= low_res <= img_size
    final = (input_rows == rows) & (input_cols == cols) & (low_res == img_size)
    # Matrices of a frame are made of these sizes, so that they bound what a small file can ask for.
    final &= img_size == np.maximum(rows, cols)
    _need(bool((inside & sizes & (final | (img_size <= LARGEST_INPUT))).all()), "a frame is out of bounds")


def _check_crops(columns: Mapping[str, NDArray[Any]]) -> None:
    frame, frames, crops = columns["frame"], columns["frames"], columns["crops"]
    _need(_within(frame, 0, len(frames) - 1), "a candidate has no frame")
    _need(_within(crops, 0, LONGEST_SIDE), "logits are out of bounds")
    low_res = frames[frame, 7]
    ends = crops[:, :2] + crops[:, 2:]
    _need(bool((ends <= low_res[:, None]).all()), "logits lie outside their frame")


def _check_logits(columns: Mapping[str, NDArray[Any]]) -> None:
    crops = columns["crops"]
    cells = int((crops[:, 2] * crops[:, 3]).sum())
    _need(cells <= CELL_LIMIT, "logits are too many")
    if "logits" in columns:
        _need(columns["logits"].shape == (cells,), "logits and their shapes differ")
        return
    _need(bool(columns["level"][0] > 0), "level is not above 0")
    _need(columns["signs"].shape == (-(-cells // 8),), "signs and their shapes differ")


def _within(values: NDArray[np.int64], low: int, high: int) -> bool:
    return bool(((values >= low) & (values <= high)).all())


def _need(fulfilled: bool, otherwise: str) -> None:
    if not fulfilled:
        raise ValueError(otherwise)
