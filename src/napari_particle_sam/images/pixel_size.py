"""The length of a pixel's side."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from napari_particle_sam.base.errors import BadValueError

_NANOMETRES = {"nm": 1.0, "um": 1e3, "\u00b5m": 1e3, "\u03bcm": 1e3, "\u00c5": 0.1, "\u212b": 0.1}
_PATTERN = re.compile(r"\s*(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)\s*([^\d\s./]+)(?:\s*/\s*px)?\s*")


@dataclass(frozen=True)
class PixelSize:
    """Nanometres per pixel and where the number comes from.

    Attributes
    ----------
    nm : float
        Side of a pixel in nanometres.
    source : str
        A few words, such as ``"typed"`` or ``"Zeiss metadata ap_image_pixel_size"``.
    """

    nm: float
    source: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.nm) and self.nm > 0):
            raise BadValueError(f"A pixel size of {self.nm} nm is impossible; give a number above 0.")

    @classmethod
    def parse(cls, text: str, source: str = "typed") -> PixelSize:
        """Read a length with its unit, such as ``7.344nm``, ``0.01 um`` or ``5 Å``.

        Raises
        ------
        BadValueError
            If the number is missing, not above 0, or without a known unit.
        """
        match = _PATTERN.fullmatch(text)
        if match is None or match[2] not in _NANOMETRES:
            raise BadValueError(
                f"'{text}' is no pixel size; give a number above 0 with its unit, "
                "nm, um or \u00c5, like 7.344nm."
            )
        return cls(float(match[1]) * _NANOMETRES[match[2]], source)
