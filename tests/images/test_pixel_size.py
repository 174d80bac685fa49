from __future__ import annotations

import pytest

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.images.pixel_size import PixelSize


@pytest.mark.parametrize(
    ("text", "nm"),
    [
        ("7.344nm", 7.344),
        (" 7.344 nm/px ", 7.344),
        ("2nm", 2),
        (".5nm", 0.5),
        ("1e-2um", 10),
        ("0.5 µm", 500),
        ("0.5 μm", 500),
        ("5Å", 0.5),
    ],
)
def test_lengths_with_units(text, nm):
    size = PixelSize.parse(text)
    assert size.nm == pytest.approx(nm)
    assert size.source == "typed"


@pytest.mark.parametrize(
    "text",
    ["", "7.344", "nm", "0nm", "0.0nm", "-1nm", "1,5nm", "nannm", "infnm", "1e999nm", "3mm"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(BadValueError, match="above 0"):
        PixelSize.parse(text)
