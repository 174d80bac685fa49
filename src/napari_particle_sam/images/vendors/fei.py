"""Pixel size of FEI and Thermo Fisher instruments (TIFF tags 34680 and 34682)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_particle_sam.images.vendors.claim import Claim, metres, positive_size

#: Sections that hold ``PixelWidth``; single-column exports name the column's scan.
_SCANS = ("Scan", "EScan", "IScan")


def fei_claim(tag: Mapping[str, Any]) -> Claim:
    """Read the claim of tags 34680 and 34682.

    Parameters
    ----------
    tag : mapping
        As tifffile reads it: ``{"Scan": {"PixelWidth": metres, "PixelHeight": metres},
        "Image": {"ResolutionX": cols, "ResolutionY": rows without the data bar}}``.

    Returns
    -------
    Claim
        Of the first section that holds a pixel width.
    """
    stated = None
    for name in ("Image", *_SCANS):
        section = _section(tag, name)
        stated = stated or positive_size(section.get("ResolutionY"), section.get("ResolutionX"))
    for name in _SCANS:
        section = _section(tag, name)
        width = metres(section.get("PixelWidth"))
        if width is not None:
            source = f"FEI metadata {name}/PixelWidth"
            return Claim(source, width, metres(section.get("PixelHeight")), stated)
    return Claim("FEI metadata", None, size=stated)


def _section(tag: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = tag.get(name)
    return section if isinstance(section, Mapping) else {}
