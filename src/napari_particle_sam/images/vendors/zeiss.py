"""Pixel size of Zeiss and LEO instruments (SmartSEM, TIFF tag 34118)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_particle_sam.images.vendors.claim import Claim, metres, nanometres, number, size

#: SmartSEM's unnamed fourth value is the pixel size of an image of so many columns.
_UNNAMED_COLUMNS = 1024
_UNNAMED_PLACE = 3
#: Widths that SmartSEM stores are multiples; another width without a stated size is a cut image.
_STORED_COLUMNS = 512
_DOUBT = "states no image size, so that a cropped image would go unnoticed"


def zeiss_claim(tag: Mapping[str, Any], cols: int) -> Claim:
    """Read the claim of tag 34118.

    Parameters
    ----------
    tag : mapping
        As tifffile reads it: ``{"ap_image_pixel_size": ("Image Pixel Size", 11.17, "nm"),
        "dp_image_store": ("Store resolution", "1024 * 768"), "": (unnamed values, ...)}``.
    cols : int
        Columns of the file, for LEO's files, which have unnamed values only (fourth value: metres
        per pixel at 1024 columns, as RosettaSciIO and SEM_scale_bar read it).

    Returns
    -------
    Claim
        With the size of ``dp_image_store``.
    """
    stated = size(_entry(tag, "dp_image_store")[0])
    value, unit = _entry(tag, "ap_image_pixel_size")
    if value is not None:
        return Claim("Zeiss metadata ap_image_pixel_size", nanometres(value, unit), size=stated)
    unnamed = tag.get("", ())
    if stated is None and cols % _STORED_COLUMNS:
        unnamed = ()
    if isinstance(unnamed, (tuple, list)) and len(unnamed) > _UNNAMED_PLACE:
        at_1024 = metres(number(unnamed[_UNNAMED_PLACE]))
        if at_1024:
            width = at_1024 * _UNNAMED_COLUMNS / (stated[1] if stated else cols)
            doubt = "" if stated else _DOUBT
            return Claim("Zeiss metadata, unnamed scale", width, size=stated, doubt=doubt)
    return Claim("Zeiss metadata", None, size=stated)


def _entry(tag: Mapping[str, Any], key: str) -> tuple[Any, Any]:
    entry = tag.get(key)
    if not isinstance(entry, (tuple, list)) or len(entry) < 2:
        return None, None
    return entry[1], entry[2] if len(entry) > 2 else None
