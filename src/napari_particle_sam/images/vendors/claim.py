"""What the metadata of one vendor claim about the pixel size, and how their numbers are read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

_NANOMETRES = {
    "pm": 1e-3,
    "\u00e5": 0.1,
    "\u212b": 0.1,
    "angstrom": 0.1,
    "nm": 1.0,
    "nanometer": 1.0,
    "um": 1e3,
    "\u00b5m": 1e3,
    "\u03bcm": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "mm": 1e6,
    "m": 1e9,
}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_LENGTH = re.compile(rf"\s*({_NUMBER})\s*([^\W\d_]+)(?:\s*/\s*(?:px|pixel))?\s*")
_SIZE = re.compile(r"\s*(\d{1,6})(?:\s*[xX*,]\s*|\s+)(\d{1,6})\b.*")
_LINE_ENDS = re.compile(r"[\r\n\0]")
#: Longer values are no lengths; patterns are never run over them.
_LONGEST = 80
#: Larger images do not exist, so that a size beyond is none.
_MOST = 10**6


@dataclass(frozen=True)
class Claim:
    """What one source states.

    Attributes
    ----------
    source : str
        The vendor's metadata and the field, such as ``"Zeiss metadata ap_image_pixel_size"``.
    width_nm : float or None
        Width of a pixel in nm; None where the source is there but no width can be read from it.
    height_nm : float or None
        Height of a pixel in nm; None where the source states one length for both.
    size : (int, int) or None
        Rows and columns that the source states, without the data bar or with it.
    doubt : str
        What is to be said of the statement even where it is used, as the end of a sentence that
        begins with `source`; mostly empty.
    """

    source: str
    width_nm: float | None
    height_nm: float | None = None
    size: tuple[int, int] | None = None
    doubt: str = ""


def key_values(text: str, separator: str | None) -> dict[str, str]:
    """Split lines into keys and values at the first separator, white space by default.

    Lines end at NUL bytes too, because TESCAN's tag is binary before its first key.
    """
    pairs = (line.strip().split(separator, 1) for line in _LINE_ENDS.split(text))
    return {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}


def number(value: Any) -> float | None:
    """Return a finite number from a number or its text, else None."""
    # Python reads 1_0 as 10.
    if isinstance(value, bool) or value is None or (isinstance(value, str) and "_" in value):
        return None
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def nanometres(value: Any, unit: Any) -> float | None:
    """Return a length with a separate unit in nm, or None for an unknown unit."""
    length, factor = number(value), _NANOMETRES.get(str(unit).strip().lower())
    return None if length is None or factor is None else length * factor


def metres(value: Any) -> float | None:
    """Return a length in metres in nm."""
    return nanometres(value, "m")


def length(text: Any) -> float | None:
    """Return a length with its unit, such as ``1um`` or ``12.5 nm/pixel``, in nm."""
    match = _LENGTH.fullmatch(str(text)[:_LONGEST])
    return None if match is None else nanometres(match[1], match[2])


def size(text: Any) -> tuple[int, int] | None:
    """Return rows and columns from ``columns x rows`` as vendors write it, else None."""
    match = _SIZE.fullmatch(str(text)[:_LONGEST])
    return None if match is None else positive_size(match[2], match[1])


def positive_size(rows: Any, cols: Any) -> tuple[int, int] | None:
    """Return rows and columns where both are whole numbers that an image can have, else None."""
    both = [
        int(side)
        for side in (number(rows), number(cols))
        if side is not None and 1 <= side <= _MOST and side.is_integer()
    ]
    return (both[0], both[1]) if len(both) == 2 else None
