"""Pixel size of Hitachi instruments (a ``.txt`` beside the image)."""

from __future__ import annotations

from napari_particle_sam.images.vendors.claim import Claim, key_values, length, nanometres, size

_SIGNATURE = "[SemImageFile]"


def hitachi_claim(text: str, where: str) -> Claim | None:
    """Read the claim of a Hitachi text file.

    Parameters
    ----------
    text : str
        The content: ``[SemImageFile]``, then ``PixelSize=9.921875`` in nm and ``DataSize=1280x960``.
    where : str
        The file's name.

    Returns
    -------
    Claim or None
        None where the text is none of Hitachi's.
    """
    if _SIGNATURE not in text:
        return None
    fields = key_values(text, "=")
    pixel = fields.get("PixelSize")
    width = nanometres(pixel, "nm")
    return Claim(
        f"Hitachi {where} PixelSize",
        length(pixel) if width is None else width,
        size=size(fields.get("DataSize")),
    )
