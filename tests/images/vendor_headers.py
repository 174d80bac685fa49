"""Headers in the forms that instruments write, as RosettaSciIO, Bio-Formats and users' scripts read them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

ZEISS_TAG, FEI_TAG, TESCAN_TAG = 34118, 34682, 50431

ZEISS = (
    "0\r\n0\r\n0\r\n2.234e-008\r\n0\r\n0\r\n256\r\n"
    "DP_DETECTOR_CHANNEL\r\nSignal A = InLens\r\n"
    "DP_IMAGE_STORE\r\nStore resolution = 1024 * 768\r\n"
    "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 11.17 nm\r\n"
    "AP_PIXEL_SIZE\r\nPixel Size = 22.34 nm\r\n"
    "AP_DATE\r\nDate :22 Jan 2026\r\n"
)
FEI = (
    "[User]\r\nDate=03/12/2019\r\nUser=supervisor\r\n\r\n[Beam]\r\nHV=5000\r\nBeam=EBeam\r\nScan=EScan\r\n\r\n"
    "[Scan]\r\nInternalScan=true\r\nDwelltime=3e-006\r\nPixelWidth=2.0345e-009\r\n"
    "PixelHeight=2.0345e-009\r\nHorFieldsize=2.0833e-006\r\n\r\n"
    "[EScan]\r\nScan=PIA 3.0\r\nPixelWidth=3e-009\r\nPixelHeight=3e-009\r\n\r\n"
    "[Image]\r\nDigitalContrast=1\r\nResolutionX=1024\r\nResolutionY=884\r\n\r\n"
    "[PrivateFei]\r\nDatabarHeight=59\r\n"
)
TESCAN = (
    "[MAIN]\r\nCompany=TESCAN\r\nDevice=MIRA3\r\nImageStripSize=64\r\nMagnification=5000.0\r\n"
    "PixelSizeX=4.1e-008\r\nPixelSizeY=4.1e-008\r\nViewFieldsCountX=1\r\n[SEM]\r\nHV=15000.0\r\n"
)
JEOL = (
    "$CM_FORMAT JEOL/SEM\r\n$CM_VERSION 1.0\r\n$CM_INSTRUMENT JSM-7800F\r\n$CM_SIGNAL SEI\r\n"
    "$CM_MAG 5000\r\n$CM_FULL_SIZE 1280 960\r\n$$SM_MICRON_BAR 160\r\n$$SM_MICRON_MARKER 1um\r\n"
)
JEOL_NEW = (
    "$CM_INSTRUMENT JSM-IT800\n$CM_IMAGE_SIZE 1280 960\n$CM_PIXEL_SIZE 6.27nm\n"
    "$CM_FIELD_OF_VIEW 8.02\u00b5m 6.02\u00b5m\n$SM_MICRON_BAR 160\n$SM_MICRON_MARKER 1\u00b5m\n"
)
HITACHI = (
    "[SemImageFile]\r\nInstructName=SU8230\r\nImageName=img.tif\r\nDataSize=1280x960\r\n"
    "PixelSize=9.921875\r\nSignalName=SE(U)\r\nMagnification=10000\r\n"
)


def tif(path: Path, shape: tuple[int, int], code: int | None = None, text: str | bytes = b"", **more) -> Path:
    """Write a black image with one vendor's tag."""
    content = text.encode("latin-1") if isinstance(text, str) else text
    tags = [] if code is None else [(code, 1, len(content), content, True)]
    tifffile.imwrite(path, np.zeros(shape, np.uint8), photometric="minisblack", extratags=tags, **more)
    return path
