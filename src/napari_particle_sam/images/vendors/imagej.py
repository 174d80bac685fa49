"""Pixel size that ImageJ and Fiji write (TIFF resolution tags with a unit in the description)."""

from __future__ import annotations

import re

from napari_particle_sam.images.vendors.claim import Claim, key_values, nanometres

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
#: ImageJ turns a DPI into these units, which is no calibration.
_OF_A_DPI = ("inch", "inches", "cm")
#: One pixel per unit is what programs write that know of no calibration.
_DOUBT = "state exactly 1 unit per pixel, which may stand for no calibration; check it, or give --pixel-size"


def imagej_claim(description: str, resolution: tuple[float, float] | None) -> Claim | None:
    r"""Read the claim of an ImageJ file.

    Parameters
    ----------
    description : str
        The TIFF ImageDescription: ``ImageJ=1.53t``, then ``unit=micron``; the micro sign may be
        written ``\u00B5``.
    resolution : (float, float) or None
        Pixels per unit along columns and rows: tags XResolution and YResolution.

    Returns
    -------
    Claim or None
        None where the file is not ImageJ's, or it is not calibrated to a length.
    """
    if not description.startswith(("ImageJ=", "SCIFIO=")):
        return None
    fields = key_values(description, "=")
    unit = _plain(fields.get("unit", ""))
    if unit.lower() in _OF_A_DPI or nanometres(1, unit) is None:
        return None
    source = "ImageJ resolution and unit"
    if resolution is None or min(resolution) <= 0:
        return Claim(source, None)
    width = nanometres(1 / resolution[0], unit)
    height = nanometres(1 / resolution[1], _plain(fields.get("yunit", unit)))
    return Claim(source, width, height, doubt=_DOUBT if resolution == (1, 1) else "")


def _plain(unit: str) -> str:
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), unit)
