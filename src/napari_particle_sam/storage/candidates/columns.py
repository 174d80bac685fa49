"""Candidates as a few named arrays, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates, Frame

#: Part of every key and file; raise it when the meaning of a column changes.
FORMAT_VERSION = 1

Columns = dict[str, NDArray[Any]]


class Dtype(NamedTuple):
    """One data type, as numpy and as safetensors call it."""

    numpy: str
    safetensors: str


_I64, _F64, _F32, _U8 = Dtype("<i8", "I64"), Dtype("<f8", "F64"), Dtype("<f4", "F32"), Dtype("|u1", "U8")

#: ``head`` is version, rows, cols, field_rows (-1 for none); ``crops`` is row, col, height, width of
#: each candidate's logits in its frame. Logits lie in ``logits``, or, where all are ``level`` or
#: ``-level``, as bits in ``signs``.
DTYPES = {
    "head": _I64, "floors": _F64, "frames": _I64, "frame": _I64, "points": _F32, "predicted_iou": _F32,
    "stability": _F32, "crops": _I64, "logits": _F32, "signs": _U8, "level": _F32, "digest": _U8,
}  # fmt: skip


def to_columns(candidates: Candidates) -> Columns:
    """Return candidates as arrays of the types in `DTYPES`.

    Raises
    ------
    ValueError
        If an array has another type or number of axes than `Candidates` says.
    """
    c = candidates
    _refuse_other_types(c)
    field_rows = -1 if c.field_rows is None else c.field_rows
    shapes = np.array([x.shape for x in c.logits], np.int64).reshape(-1, 2)
    if np.shape(c.corners) != shapes.shape:
        raise ValueError("corners and logits differ in number")
    flat = np.concatenate([np.zeros(0, np.float32), *(x.ravel() for x in c.logits)])
    columns: Columns = {
        "head": np.array([FORMAT_VERSION, *c.shape, field_rows], np.int64),
        "floors": np.array([c.floor_iou, c.floor_logit], np.float64),
        "frames": np.array([astuple(f) for f in c.frames], np.int64).reshape(-1, 8),
        "frame": np.ascontiguousarray(c.frame, np.int64),
        "points": np.ascontiguousarray(c.points),
        "predicted_iou": np.ascontiguousarray(c.predicted_iou),
        "crops": np.concatenate([np.asarray(c.corners, np.int64), shapes], axis=1),
    }
    if c.stability is not None:
        columns["stability"] = np.ascontiguousarray(c.stability)
    return columns | _pack(flat)


def from_columns(columns: Mapping[str, NDArray[Any]]) -> Candidates:
    """Return the candidates that checked columns hold; their logits share one array."""
    head, crops = columns["head"], columns["crops"]
    flat = _unpack(columns)
    floor_iou, floor_logit = columns["floors"].tolist()
    ends = np.cumsum(crops[:, 2] * crops[:, 3]).tolist()
    sizes = crops[:, 2:].tolist()
    logits = tuple(
        flat[end - rows * cols : end].reshape(rows, cols)
        for end, (rows, cols) in zip(ends, sizes, strict=True)
    )
    return Candidates(
        (int(head[1]), int(head[2])),
        tuple(Frame(*values) for values in columns["frames"].tolist()),
        columns["frame"].astype(np.intp),
        columns["points"],
        columns["predicted_iou"],
        logits,
        crops[:, :2].astype(np.intp),
        columns.get("stability"),
        floor_iou,
        floor_logit,
        None if head[3] == -1 else int(head[3]),
    )


def digest_of(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the sha256 over names, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(columns):
        digest.update(f"{name} {columns[name].shape} ".encode())
        digest.update(np.ascontiguousarray(columns[name]).reshape(-1).view(np.uint8).data)
    return digest.digest()


def _pack(flat: NDArray[np.float32]) -> Columns:
    level = np.abs(flat[:1])
    if not (level > 0).all() or not len(level) or not (np.abs(flat) == level).all():
        return {"logits": flat}
    return {"signs": np.packbits(flat > 0), "level": level}


def _unpack(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    if "logits" in columns:
        return columns["logits"]
    count = int((columns["crops"][:, 2] * columns["crops"][:, 3]).sum())
    bits = np.unpackbits(columns["signs"], count=count).view(bool)
    return np.where(bits, columns["level"], -columns["level"])


def _refuse_other_types(c: Candidates) -> None:
    real = [c.points, c.predicted_iou, *c.logits, *([] if c.stability is None else [c.stability])]
    whole = [c.frame, c.corners]
    if any(x.dtype != np.float32 for x in real) or any(x.dtype.kind not in "iu" for x in whole):
        raise ValueError("scores, points and logits must be float32, indices integers")
    if any(x.ndim != 2 for x in c.logits):
        raise ValueError("logits must have two axes")
