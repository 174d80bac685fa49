"""Pixel size of TESCAN instruments (TIFF tag 50431, or a ``.hdr`` beside the image)."""

from __future__ import annotations

from napari_particle_sam.images.vendors.claim import Claim, key_values, metres

_SIGNATURES = ("PixelSizeX", "ImageStripSize", "ViewFieldsCountX", "AccFrames")


def tescan_claim(text: str, where: str) -> Claim | None:
    """Read the claim of a TESCAN header.

    Parameters
    ----------
    text : str
        Lines of ``key=value``; ``PixelSizeX`` and ``PixelSizeY`` are in metres. The header states
        no size of the image.
    where : str
        ``"metadata"`` or the name of the file beside the image.

    Returns
    -------
    Claim or None
        None where the text is no TESCAN header.
    """
    fields = key_values(text, "=")
    if not any(key in fields for key in _SIGNATURES):
        return None
    width, height = metres(fields.get("PixelSizeX")), metres(fields.get("PixelSizeY"))
    return Claim(f"TESCAN {where} PixelSizeX", width, height)
