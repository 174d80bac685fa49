"""The tags of a TIFF from which a pixel size may follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ZEISS, _FEI, _TESCAN = 34118, (34680, 34682), 50431
_RESOLUTION = (282, 283)
#: Larger vendor tags are not read.
_TAG_LIMIT = 4 * 2**20


@dataclass(frozen=True, eq=False)
class TiffFacts:
    """Vendor tags as stored; empty where the file has none.

    Attributes
    ----------
    zeiss : mapping
        Tag 34118 as tifffile reads it.
    fei : mapping
        Tags 34680 and 34682 as tifffile reads them.
    tescan : str
        Tag 50431.
    description : str
        The ImageDescription.
    resolution : (float, float) or None
        XResolution and YResolution in pixels per unit, which is a DPI but for ImageJ's files.
    unreadable : tuple of str
        Vendors whose tag is there and cannot be read.
    """

    zeiss: Mapping[str, Any] = field(default_factory=dict)
    fei: Mapping[str, Any] = field(default_factory=dict)
    tescan: str = ""
    description: str = ""
    resolution: tuple[float, float] | None = None
    unreadable: tuple[str, ...] = ()


def tiff_facts(page: Any) -> TiffFacts:
    """Collect the facts of one page; never raises, whatever the tags hold.

    Parameters
    ----------
    page : tifffile.TiffPage
        A page of an open file.
    """
    tags = _Tags(page)
    zeiss = tags.mapping(_ZEISS, "Zeiss")
    fei = {**tags.mapping(_FEI[0], "FEI"), **tags.mapping(_FEI[1], "FEI")}
    description = page.description
    return TiffFacts(
        zeiss,
        fei,
        tags.text(_TESCAN, "TESCAN"),
        description if isinstance(description, str) else "",
        tags.resolution(),
        tuple(dict.fromkeys(tags.unreadable)),
    )


class _Tags:
    """Tags of a page, read with bounds."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self.unreadable: list[str] = []

    def mapping(self, code: int, vendor: str) -> Mapping[str, Any]:
        value = self._value(code, vendor)
        read = value if isinstance(value, Mapping) else {}
        if value is not None and not read:
            self.unreadable.append(vendor)
        return read

    def text(self, code: int, vendor: str) -> str:
        value = self._value(code, vendor)
        if isinstance(value, tuple) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
            value = bytes(value)
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if value is not None and not isinstance(value, str):
            self.unreadable.append(vendor)
        return value if isinstance(value, str) else ""

    def resolution(self) -> tuple[float, float] | None:
        both = []
        for code in _RESOLUTION:
            value = self._value(code, "")
            if not (isinstance(value, tuple) and len(value) == 2 and value[1]):
                return None
            both.append(value[0] / value[1])
        return both[0], both[1]

    def _value(self, code: int, vendor: str) -> Any:
        try:
            tag = self._page.tags.get(code)
            if tag is None:
                return None
            if tag.valuebytecount > _TAG_LIMIT:
                raise ValueError(f"tag {code} is too large")
            return tag.value
        except Exception:  # the readers raise whatever damaged tags lead them to
            if vendor:
                self.unreadable.append(vendor)
            return None
