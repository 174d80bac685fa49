"""One trustworthy label per particle, from SEM micrographs, with SAM and LoRA fine-tuning."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("napari-particle-sam")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__"]
