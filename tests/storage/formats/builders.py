"""Data sets for the tests of exchange formats, made by hand and by hypothesis."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_particle_sam.annotation.instances import ORIGINS, Instance
from napari_particle_sam.annotation.masks import labelled_masks
from napari_particle_sam.storage.formats.dataset import AnnotatedImage, Dataset

TEXT = st.text(max_size=12) | st.sampled_from(
    [
        "=1+1",
        "'=x",
        "''-1",
        "a;b,c",
        'say "no"',
        "zwei\nZeilen",
        " Rand ",
        "\t=2",
        "größer µ 🜁",
        "x: y",
        "\\n",
        "@",
    ]
)
SCORES = st.none() | st.floats(-1, 2) | st.integers(0, 1).map(float)


def label_maps(largest: int = 12, most: int = 6):
    return arrays(
        np.uint16,
        st.tuples(st.integers(1, largest), st.integers(1, largest)),
        elements=st.integers(0, most),
    )


@st.composite
def annotated_images(draw, name: str = "Probe ä/bild 1.tif"):
    labels = draw(label_maps())
    kinds = st.sampled_from(["particle", "Bruchstück", "satellite"])
    instances = tuple(
        Instance(
            id=label,
            mask=mask,
            origin=draw(st.sampled_from(ORIGINS)),
            predicted_iou=draw(SCORES),
            stability=draw(SCORES),
            status=draw(st.sampled_from(["unreviewed", "accepted", "bulk", "flagged"])),
            completeness=draw(st.sampled_from(["complete", "partly_hidden", "cut_by_frame", "unclear"])),
            kind=draw(kinds),
            note=draw(TEXT),
        )
        for label, mask in labelled_masks(labels)
    )
    return AnnotatedImage(name, labels.shape, instances)


def image_of(labels, name: str = "a.tif", **attributes) -> AnnotatedImage:
    array = np.asarray(labels, np.uint16)
    found = labelled_masks(array)
    return AnnotatedImage(
        name, array.shape, tuple(Instance(label, mask, "imported", **attributes) for label, mask in found)
    )


def dataset_of(*images: AnnotatedImage) -> Dataset:
    return Dataset(images, ("particle",))


@contextmanager
def new_place() -> Iterator[Path]:
    """Give every example of hypothesis a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="Maß Probe ") as place:
        yield Path(place).resolve()


def check_sentence(error: BaseException, path: Path) -> None:
    """One sentence that names the file, ends with its mend and shows no traceback."""
    text = str(error)
    assert str(path) in text
    plain = text.replace(str(path), "FILE")
    assert "\n" not in plain and "Traceback" not in plain
    assert plain.endswith(".") and ";" in plain
    unquoted = re.sub(r"'[^']*'", "''", plain)  # what is quoted is the file's own text
    assert not re.search(r"[.!?]\s+[A-Z]", unquoted)
    assert len(plain) < 400


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, to see that nothing changed."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b"folder"
        for path in sorted(folder.rglob("*"))
    }
