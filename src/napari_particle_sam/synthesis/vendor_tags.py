"""The metadata that vendors write beside the pixels, so that sample files carry calibrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from napari_particle_sam.base.errors import BadValueError

_BYTE, _ASCII = 1, 2
_ZEISS_TAG, _FEI_TAG, _TESCAN_TAG = 34118, 34682, 50431

#: Code, TIFF type, number of values, values, only on the first page: as `tifffile.imwrite` wants it.
ExtraTag = tuple[int, int, int, bytes, bool]


@dataclass(frozen=True)
class VendorTags:
    """What to write beside the pixels.

    Attributes
    ----------
    extratags : tuple
        For ``tifffile.imwrite(..., extratags=...)``; empty for vendors that write a text file.
    sidecar : str or None
        Content of ``STEM.txt`` beside the image, in ASCII with Windows line ends.
    """

    extratags: tuple[ExtraTag, ...]
    sidecar: str | None


def vendor_tags(style: str, pixel_nm: float, shape: tuple[int, int]) -> VendorTags:
    """Make the metadata of a vendor.

    Parameters
    ----------
    style : str
        One of `databar.STYLES`.
    pixel_nm : float
        Width of a pixel, nm; above 0.
    shape : tuple of int
        Rows and columns of the image that the microscope stored, which the metadata repeat.

    Returns
    -------
    VendorTags
        TIFF tags (Zeiss 34118, FEI 34682, TESCAN 50431) or a sidecar text (JEOL, Hitachi).

    Raises
    ------
    BadValueError
        If the style is unknown or the pixel size not above 0.
    """
    if style not in _WRITERS:
        raise BadValueError(f"The vendor {style!r} is unknown; choose one of {', '.join(_WRITERS)}.")
    if not 0 < pixel_nm < float("inf"):
        raise BadValueError(f"A pixel size of {pixel_nm} nm is impossible; give a number above 0.")
    return _WRITERS[style](pixel_nm, shape)


def _lines(*lines: str) -> str:
    return "\r\n".join(lines) + "\r\n"


def _tag(code: int, text: str, kind: int) -> VendorTags:
    data = text.encode("latin-1") + b"\0"
    return VendorTags(((code, kind, len(data), data, True),), None)


def _length(nanometres: float) -> str:
    for unit, size in (("mm", 1e6), ("\u00b5m", 1e3)):
        if nanometres >= size:
            return f"{nanometres / size:.6g} {unit}"
    return f"{nanometres:.6g} nm"


def _zeiss(pixel_nm: float, shape: tuple[int, int]) -> VendorTags:
    rows, cols = shape
    # The numbers without a name come first in real files; readers skip them.
    head = _lines("", *["0"] * 8)
    entries = _lines(
        "DP_IMAGE_STORE", f"Store resolution = {cols} * {rows}",
        "AP_IMAGE_PIXEL_SIZE", f"Image Pixel Size = {_length(pixel_nm)}",
        "AP_PIXEL_SIZE", f"Pixel Size = {_length(pixel_nm)}",
        "AP_WIDTH", f"Width = {_length(pixel_nm * cols)}",
        "AP_HEIGHT", f"Height = {_length(pixel_nm * rows)}",
        "AP_ACTUALKV", "EHT = 5.00 kV",
        "DP_DETECTOR_TYPE", "Signal A = SE2",
    )  # fmt: skip
    return _tag(_ZEISS_TAG, head + entries, _BYTE)


def _fei(pixel_nm: float, shape: tuple[int, int]) -> VendorTags:
    rows, cols = shape
    metres = pixel_nm * 1e-9
    text = _lines(
        "[User]", "Date=03/12/2019", "UserText=", "",
        "[Beam]", "HV=5000", "Beam=EBeam", "Scan=EScan", "",
        "[EScan]", f"PixelWidth={metres:.9g}", f"PixelHeight={metres:.9g}",
        f"HorFieldsize={metres * cols:.9g}", f"VerFieldsize={metres * rows:.9g}", "",
        "[Scan]", f"PixelWidth={metres:.9g}", f"PixelHeight={metres:.9g}",
        f"HorFieldsize={metres * cols:.9g}", f"VerFieldsize={metres * rows:.9g}", "",
        "[Image]", f"ResolutionX={cols}", f"ResolutionY={rows}", "MagnificationMode=3",
    )  # fmt: skip
    return _tag(_FEI_TAG, text, _ASCII)


def _tescan(pixel_nm: float, shape: tuple[int, int]) -> VendorTags:
    metres = pixel_nm * 1e-9
    text = _lines(
        "[MAIN]", "Company=TESCAN", "Date=2019-03-12", "Device=MIRA3", "ImageStripSize=0",
        f"PixelSizeX={metres:.9g}", f"PixelSizeY={metres:.9g}", "[SEM]", "Detector=SE", "HV=15000.0",
    )  # fmt: skip
    return _tag(_TESCAN_TAG, text, _BYTE)


def _jeol(pixel_nm: float, shape: tuple[int, int]) -> VendorTags:
    # The bar is whole px long: one long enough that rounding it costs less than 0.1 %.
    length_um = next(size for size in (10.0**power for power in range(-3, 7)) if size * 1e3 / pixel_nm >= 500)
    bar = round(length_um * 1e3 / pixel_nm)
    marker = f"{length_um:g}um" if length_um >= 1 else f"{length_um * 1e3:g}nm"
    text = _lines(
        "$CM_FORMAT JEOL-SEM", "$CM_VERSION 1", "$CM_TITLE sample", f"$CM_FULL_SIZE {shape[1]} {shape[0]}",
        "$CM_ACCEL_VOLT 15.0", "$CM_SIGNAL SEI", f"$$SM_MICRON_BAR {bar}", f"$$SM_MICRON_MARKER {marker}",
    )  # fmt: skip
    return VendorTags((), text)


def _hitachi(pixel_nm: float, shape: tuple[int, int]) -> VendorTags:
    text = _lines(
        "[SemImageFile]", "InstructName=SU8230", "Format=tif", f"DataSize={shape[1]}x{shape[0]}",
        f"PixelSize={pixel_nm:.9g}", "SignalName=SE(U)", "AcceleratingVoltage=15000 Volt",
    )  # fmt: skip
    return VendorTags((), text)


_WRITERS: dict[str, Callable[[float, tuple[int, int]], VendorTags]] = {
    "zeiss": _zeiss,
    "fei": _fei,
    "tescan": _tescan,
    "jeol": _jeol,
    "hitachi": _hitachi,
}
