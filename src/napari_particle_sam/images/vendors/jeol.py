"""Pixel size of JEOL instruments (a ``.txt`` beside the image)."""

from __future__ import annotations

from napari_particle_sam.images.vendors.claim import Claim, key_values, length, number, size

_BEGINNINGS = ("$CM_", "$SM_", "$$SM_")
#: The bar is whole pixels, and the stated pixel size is rounded.
_AGREE = 0.05
#: Longer values are no lengths.
_LONGEST = 80


def jeol_claim(text: str, where: str) -> Claim | None:
    """Read the claim of a JEOL text file.

    Older instruments write the length of the scale bar (``$$SM_MICRON_BAR 180`` pixels,
    ``$$SM_MICRON_MARKER 5um``), newer ones ``$CM_PIXEL_SIZE 12.5nm`` too, with one dollar sign.

    Parameters
    ----------
    text : str
        The content.
    where : str
        The file's name.

    Returns
    -------
    Claim or None
        None where the text is none of JEOL's; without a width where the two statements differ by
        more than 5 %.
    """
    fields = {
        key.lstrip("$"): value for key, value in key_values(text, None).items() if key.startswith(_BEGINNINGS)
    }
    if not fields:
        return None
    stated = size(fields.get("CM_FULL_SIZE")) or size(fields.get("CM_IMAGE_SIZE"))
    pixel, height = _from_field(fields.get("CM_PIXEL_SIZE", ""))
    bar = _from_bar(fields)
    if pixel is not None and bar is not None and abs(pixel - bar) > _AGREE * bar:
        return Claim(f"JEOL {where}, whose bar and $CM_PIXEL_SIZE differ,", None, size=stated)
    if pixel is not None:
        return Claim(f"JEOL {where} $CM_PIXEL_SIZE", pixel, height, stated)
    return Claim(f"JEOL {where} $$SM_MICRON_BAR", bar, size=stated)


def _from_field(text: str) -> tuple[float | None, float | None]:
    """Return width and height from one length or, like ``$CM_FIELD_OF_VIEW``, from two."""
    both = text[:_LONGEST].split()
    if len(both) == 2 and None not in (lengths := (length(both[0]), length(both[1]))):
        return lengths
    return length(text), None


def _from_bar(fields: dict[str, str]) -> float | None:
    pixels, marker = number(fields.get("SM_MICRON_BAR")), length(fields.get("SM_MICRON_MARKER"))
    if pixels is None or marker is None or pixels <= 0:
        return None
    return marker / pixels
