"""The pixel size that a file's metadata tell, checked against the image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.images.sidecars import sidecar_texts
from napari_particle_sam.images.tiff_facts import TiffFacts
from napari_particle_sam.images.vendors.claim import Claim
from napari_particle_sam.images.vendors.fei import fei_claim
from napari_particle_sam.images.vendors.hitachi import hitachi_claim
from napari_particle_sam.images.vendors.imagej import imagej_claim
from napari_particle_sam.images.vendors.jeol import jeol_claim
from napari_particle_sam.images.vendors.tescan import tescan_claim
from napari_particle_sam.images.vendors.zeiss import zeiss_claim

#: Pixel sizes outside are mistakes of the metadata.
SMALLEST_NM, LARGEST_NM = 1e-3, 1e6
#: Sides of a square pixel differ by less.
_SQUARE = 0.005
#: A data bar adds at most this share to the rows of the field.
_BAR = 0.35
_MEND = "give --pixel-size"
_UNCHECKED = "states no image size, so that a resized image would go unnoticed"


def find_pixel_size(
    path: Path, facts: TiffFacts | None, shape: tuple[int, int]
) -> tuple[PixelSize | None, tuple[str, ...]]:
    """Find the pixel size in a file's tags or in a text file beside it.

    Tags of the vendors come first, then ImageJ's calibration, then text files. The first that
    states a pixel size decides, and where it cannot be right there is none. A resolution in dots
    per inch is no calibration.

    Parameters
    ----------
    path : Path
        The image.
    facts : TiffFacts or None
        Its tags, None where it is no TIFF.
    shape : (int, int)
        Rows and columns of the image.

    Returns
    -------
    pixel_size : PixelSize or None
        None where nothing reliable is known.
    remarks : tuple of str
        One sentence on every source that was there and could not be used.
    """
    remarks: list[str] = [
        f"The {vendor} metadata are damaged and were not used."
        for vendor in (() if facts is None else facts.unreadable)
    ]
    for claim, beside in _claims(path, facts, shape):
        if claim.width_nm is None:
            remarks.append(f"{claim.source} holds no readable pixel size.")
            continue
        objection = _objection(claim, claim.width_nm, shape)
        if objection:
            return None, (*remarks, objection)
        doubt = claim.doubt or (_UNCHECKED if beside and claim.size is None else "")
        remarks.extend([f"{claim.source} {doubt}."] if doubt else [])
        return PixelSize(claim.width_nm, claim.source), tuple(remarks)
    return None, tuple(remarks)


def _claims(path: Path, facts: TiffFacts | None, shape: tuple[int, int]) -> Iterator[tuple[Claim, bool]]:
    """Yield all claims, the most trusted first, and whether each lies beside the image."""
    if facts is not None:
        yield from ((claim, False) for claim in _tag_claims(facts, shape) if claim is not None)
    for name, text in sidecar_texts(path, "hdr"):
        claim = tescan_claim(text, name)
        if claim is not None:
            yield claim, True
    for name, text in sidecar_texts(path, "txt"):
        claim = jeol_claim(text, name) or hitachi_claim(text, name)
        if claim is not None:
            yield claim, True


def _tag_claims(facts: TiffFacts, shape: tuple[int, int]) -> Iterator[Claim | None]:
    if facts.zeiss:
        yield zeiss_claim(facts.zeiss, shape[1])
    if facts.fei:
        yield fei_claim(facts.fei)
    if facts.tescan:
        yield tescan_claim(facts.tescan, "metadata") or Claim("TESCAN metadata", None)
    yield imagej_claim(facts.description, facts.resolution)


def _objection(claim: Claim, width_nm: float, shape: tuple[int, int]) -> str | None:
    """Return the sentence on why a claim cannot be right, None where it can."""
    height_nm = width_nm if claim.height_nm is None else claim.height_nm
    if not all(SMALLEST_NM <= side <= LARGEST_NM for side in (width_nm, height_nm)):
        return f"{claim.source} states an impossible pixel size of {width_nm:.4g} nm; {_MEND}."
    if abs(width_nm - height_nm) > _SQUARE * width_nm:
        return (
            f"{claim.source} states pixels of {width_nm:.4g} x {height_nm:.4g} nm that are not square; "
            "resample the image."
        )
    return None if claim.size is None else _misfit(claim.source, claim.size, shape)


def _misfit(source: str, stated: tuple[int, int], shape: tuple[int, int]) -> str | None:
    """Return the sentence on why an image is not the one that was recorded.

    Rows alone may differ, because the data bar belongs to the stated size or not, or was cut off.
    """
    scale = shape[1] / stated[1]
    if scale == 1 and shape[0] <= (1 + _BAR) * stated[0]:
        return None
    uniform = scale != 1 and 1 / (1 + _BAR) <= shape[0] / (stated[0] * scale) <= 1 + _BAR
    sizes = f"{stated[0]} x {stated[1]}", f"{shape[0]} x {shape[1]}"
    if uniform:
        return (
            f"The image was resized from {sizes[0]} to {sizes[1]} pixels, so that the pixel size of "
            f"{source} does not hold; {_MEND}."
        )
    return (
        f"{source} belongs to an image of {sizes[0]} pixels and this one has {sizes[1]}, so that it may "
        f"not hold; {_MEND}."
    )
