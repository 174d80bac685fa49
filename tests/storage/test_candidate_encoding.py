"""Candidates come back from a file to the bit, and no damaged or hostile file does harm."""

from __future__ import annotations

import os
import pickle
import zipfile
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from napari_particle_sam.annotation.candidates import Candidates, Frame
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.storage.candidates import checking
from napari_particle_sam.storage.candidates.columns import digest_of
from napari_particle_sam.storage.candidates.encoding import (
    decode_candidates,
    encode_candidates,
    read_candidates,
    write_candidates,
)


def some_candidates(count: int = 12, seed: int = 0, **changes: object) -> Candidates:
    rng = np.random.default_rng(seed)
    frames = (Frame(0, 0, 90, 120, 192, 256, 256, 64), Frame(30, 20, 50, 50, 256, 256, 256, 64))
    sizes = rng.integers(1, 20, (count, 2))
    made = Candidates(
        (100, 120),
        frames,
        rng.integers(0, 2, count),
        rng.uniform(0, 90, (count, 2)).astype(np.float32),
        rng.uniform(0, 1, count).astype(np.float32),
        tuple(rng.normal(0, 5, s).astype(np.float32) for s in sizes),
        rng.integers(0, 44, (count, 2)),
        None,
        0.3,
        -2.0,
        90,
    )
    return replace(made, **changes)


def finished_masks(rows: int = 40, cols: int = 30) -> Candidates:
    masks = [np.random.default_rng(i).random((5 + i, 7)) > 0.5 for i in range(3)]
    return Candidates(
        (rows, cols),
        (Frame(0, 0, rows, cols, rows, cols, max(rows, cols), max(rows, cols)),),
        np.zeros(3, np.intp),
        np.ones((3, 2), np.float32),
        np.ones(3, np.float32),
        tuple(np.where(m, 20, -20).astype(np.float32) for m in masks),
        np.zeros((3, 2), np.intp),
        np.linspace(0, 1, 3, dtype=np.float32),
    )


def same(a: Candidates, b: Candidates) -> bool:
    scalars = [(c.shape, c.frames, c.floor_iou, c.floor_logit, c.field_rows) for c in (a, b)]
    arrays = [
        (c.points, c.predicted_iou, *c.logits, *([] if c.stability is None else [c.stability]))
        for c in (a, b)
    ]
    indices = [(c.frame, c.corners) for c in (a, b)]
    return (
        scalars[0] == scalars[1]
        and len(arrays[0]) == len(arrays[1])
        and all(
            x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
            for x, y in zip(*arrays, strict=True)
        )
        and all(np.array_equal(x, y) for x, y in zip(*indices, strict=True))
    )


def forged(change: dict[str, np.ndarray | None], source: Candidates | None = None) -> bytes:
    """A file whose checksum is right although its columns are not."""
    columns = load(encode_candidates(source or some_candidates()))
    columns.pop("digest")
    columns = {k: v for k, v in (columns | change).items() if v is not None}
    return save({**columns, "digest": np.frombuffer(digest_of(columns), np.uint8)})


reals = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def candidates(draw: st.DrawFn) -> Candidates:
    rows, cols = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    low_res = draw(st.integers(1, 16))
    frames = []
    for _ in range(draw(st.integers(1, 3))):
        top, left = draw(st.integers(0, rows - 1)), draw(st.integers(0, cols - 1))
        height, width = draw(st.integers(1, rows - top)), draw(st.integers(1, cols - left))
        img_size = draw(st.integers(low_res, 64))
        inside = [draw(st.integers(1, img_size)) for _ in range(2)]
        frames.append(Frame(top, left, height, width, *inside, img_size, low_res))
    count = draw(st.integers(0, 4))
    corners = np.array([[draw(st.integers(0, low_res)) for _ in range(2)] for _ in range(count)], np.intp)
    levels = draw(st.sampled_from([None, 20.0, 1e-40]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    logits = []
    for row, col in corners:
        crop = rng.normal(0, 9, [draw(st.integers(0, low_res - int(v))) for v in (row, col)]).astype(
            np.float32
        )
        logits.append(crop if levels is None else np.where(crop > 0, levels, -levels).astype(np.float32))
    scores = [np.array([draw(reals) for _ in range(count * n)], np.float32) for n in (1, 1, 2)]
    return Candidates(
        (rows, cols),
        tuple(frames),
        np.array([draw(st.integers(0, len(frames) - 1)) for _ in range(count)], np.int32),
        scores[2].reshape(-1, 2),
        scores[0],
        tuple(logits),
        corners.reshape(-1, 2),
        draw(st.sampled_from([None, scores[1]])),
        draw(st.floats(allow_nan=False, allow_infinity=False)),
        draw(st.floats(allow_nan=False, allow_infinity=False)),
        draw(st.none() | st.integers(1, rows)),
    )


@given(candidates())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_round_trip_keeps_every_bit(made: Candidates) -> None:
    assert same(decode_candidates(encode_candidates(made)), made)


def test_file_round_trip_in_a_folder_with_blanks_and_umlauts(tmp_path: Path) -> None:
    path = tmp_path / "Maß Probe" / "a.safetensors"
    made = some_candidates()
    write_candidates(path, made)
    back = read_candidates(path)
    assert same(back, made)
    assert [p.name for p in path.parent.iterdir()] == ["a.safetensors"]
    for index in range(len(made)):
        full, row, col = back.full_logits(index)
        expected, *corner = made.full_logits(index)
        assert full.tobytes() == expected.tobytes() and [row, col] == corner


def test_strided_arrays_come_back_in_order() -> None:
    made = some_candidates()
    turned = replace(
        made,
        points=np.asfortranarray(made.points),
        predicted_iou=np.repeat(made.predicted_iou, 2)[::2],
        frame=np.repeat(made.frame, 2)[::2],
        logits=tuple(np.asfortranarray(x) for x in made.logits),
    )
    assert same(decode_candidates(encode_candidates(turned)), made)


def test_negative_zero_and_denormals_stay() -> None:
    crop = np.array([[-0.0, 0.0, 1e-45, -1e-45]], np.float32)
    made = some_candidates(1, logits=(crop,), corners=np.zeros((1, 2), np.intp))
    assert decode_candidates(encode_candidates(made)).logits[0].tobytes() == crop.tobytes()


def test_finished_masks_take_a_bit_per_cell() -> None:
    made = finished_masks()
    content = encode_candidates(made)
    assert same(decode_candidates(content), made)
    assert load(content)["signs"].nbytes == -(-sum(x.size for x in made.logits) // 8)


@pytest.mark.parametrize("source", [some_candidates(4), finished_masks()], ids=["logits", "signs"])
def test_truncated_and_flipped_files_are_refused_or_equal(tmp_path: Path, source: Candidates) -> None:
    content = encode_candidates(source)
    path = tmp_path / "damaged.safetensors"
    rng = np.random.default_rng(1)
    header = 8 + int.from_bytes(content[:8], "little")
    damaged = [content[:n] for n in (*range(40), *rng.integers(0, len(content), 60))]
    damaged += [content + b"\0", content[header:], b"\0" * 64, b"\xff" * 64, b"{}"]
    for at in (*range(0, header, 2), *rng.integers(header, len(content), 150)):
        flipped = bytearray(content)
        flipped[at] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(flipped))
    refused = 0
    for bad in damaged:
        path.write_bytes(bad)
        try:
            assert same(read_candidates(path), source)
        except BadFileError as error:
            refused += 1
            assert "damaged.safetensors" in str(error) and str(error).endswith(".")
    # Only flips in the header's free text and padding leave the content as it was.
    assert refused > len(damaged) - 100


I64_MAX = np.iinfo(np.int64).max


def whole(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def frames(*values: int) -> np.ndarray:
    return np.array([values] * 2, np.int64)


NO_SIGNS = {"signs": np.zeros(3, np.uint8), "level": np.ones(1, np.float32)}
FORGERIES: list[tuple[str, dict[str, np.ndarray | None]]] = [
    ("parts are missing", {"points": None}),
    ("parts are missing or too many", {"logits": None}),
    ("too many", NO_SIGNS),
    ("unknown part 'extra'", {"extra": np.zeros(3, np.float32)}),
    ("unknown part 'predicted_iou' of F64", {"predicted_iou": np.zeros(12)}),
    ("format version", {"head": whole(2, 100, 120, 90)}),
    ("format version", {"head": whole(1, 100, 120)}),
    ("micrograph's shape", {"head": whole(1, 0, 120, -1)}),
    ("micrograph's shape", {"head": whole(1, 65535, 65535, -1)}),
    ("micrograph's shape", {"head": whole(1, I64_MAX, I64_MAX, -1)}),
    ("field of view", {"head": whole(1, 100, 120, 101)}),
    ("field of view", {"head": whole(1, 100, 120, 0)}),
    ("floors holds", {"floors": np.array([np.nan, 0.0])}),
    ("predicted_iou holds", {"predicted_iou": np.full(12, np.inf, np.float32)}),
    ("points has", {"points": np.zeros((11, 2), np.float32)}),
    ("points has", {"points": np.zeros(24, np.float32)}),
    ("stability has", {"stability": np.zeros(3, np.float32)}),
    ("frames has", {"frames": np.zeros((2, 7), np.int64)}),
    ("wrong shape", {"crops": np.zeros((), np.int64)}),
    ("no frame", {"frames": np.zeros((0, 8), np.int64)}),
    ("no frame", {"frame": np.full(12, 2, np.int64)}),
    ("no frame", {"frame": np.full(12, -1, np.int64)}),
    ("a frame is out", {"frames": frames(60, 0, 90, 120, 192, 256, 256, 64)}),
    ("a frame is out", {"frames": frames(0, 0, 0, 120, 192, 256, 256, 64)}),
    ("a frame is out", {"frames": frames(0, 0, 90, 120, 192, 256, I64_MAX, 64)}),
    ("a frame is out", {"frames": frames(0, 0, 90, 120, 192, 256, 60000, 60000)}),
    ("a frame is out", {"frames": frames(0, 0, 90, 120, 90, 120, 60000, 60000)}),
    ("a frame is out", {"frames": frames(0, 0, 90, 120, 300, 256, 256, 64)}),
    ("outside their frame", {"crops": np.full((12, 4), 40, np.int64)}),
    ("logits are out", {"crops": np.full((12, 4), I64_MAX)}),
    ("logits are out", {"crops": np.full((12, 4), -3, np.int64)}),
    ("logits and their shapes", {"crops": np.full((12, 4), 1, np.int64)}),
    ("logits and their shapes", {"logits": np.zeros((3, 4), np.float32)}),
    ("signs and their shapes", {"logits": None, **NO_SIGNS}),
]


@pytest.mark.parametrize(("reason", "change"), FORGERIES)
def test_forged_columns_are_refused(
    tmp_path: Path, reason: str, change: dict[str, np.ndarray | None]
) -> None:
    path = tmp_path / "forged.safetensors"
    path.write_bytes(forged({}))
    read_candidates(path)
    path.write_bytes(forged(change))
    with pytest.raises(BadFileError, match=rf"forged\.safetensors holds no candidates \(.*{reason}"):
        read_candidates(path)


def test_a_bomb_of_signs_is_refused_before_it_unfolds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_candidates(tmp_path / "bomb", finished_masks())
    read_candidates(tmp_path / "bomb")
    monkeypatch.setattr(checking, "CELL_LIMIT", sum(x.size for x in finished_masks().logits) - 1)
    with pytest.raises(BadFileError, match="too many"):
        read_candidates(tmp_path / "bomb")


@pytest.mark.parametrize("level", [0.0, -20.0, np.nan])
def test_forged_level_is_refused(tmp_path: Path, level: float) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(forged({"level": np.array([level], np.float32)}, finished_masks()))
    with pytest.raises(BadFileError):
        read_candidates(path)


def test_pickles_zips_and_folders_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(BadFileError, match="cannot be read"):
        read_candidates(path)
    path.write_bytes(pickle.dumps(astuple(some_candidates())))
    with pytest.raises(BadFileError):
        read_candidates(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("logits.npy", b"\0" * 10_000_000)
    with pytest.raises(BadFileError):
        read_candidates(path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadFileError):
        read_candidates(tmp_path / "folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadFileError):
        read_candidates(tmp_path / "pipe")


def test_sparse_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.truncate(2**31 + 1)
    with pytest.raises(BadFileError, match="larger"):
        read_candidates(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"predicted_iou": np.full(12, np.nan, np.float32)},
        {"predicted_iou": np.zeros(12)},
        {"frame": np.full(12, 5)},
        {"corners": np.zeros((11, 2), np.intp)},
        {"corners": np.full((12, 2), 64)},
        {"logits": tuple(np.zeros(5, np.float32) for _ in range(12))},
        {"field_rows": 101},
    ],
)
def test_what_could_not_be_read_is_not_written(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(BadValueError, match=r"a\.safetensors"):
        write_candidates(path, some_candidates(**changes))
    assert not list(tmp_path.iterdir())
