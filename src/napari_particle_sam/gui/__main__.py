"""The window as a program: ``python -m napari_particle_sam.gui [--blind] [--] [PATH...]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_particle_sam.gui.window import run_window


def main() -> None:
    """Show the window until it is closed."""
    parser = argparse.ArgumentParser(prog="napari_particle_sam.gui")
    parser.add_argument("--blind", action="store_true")
    parser.add_argument("paths", nargs="*", type=Path)
    args = parser.parse_args()
    run_window(args.paths, args.blind)


if __name__ == "__main__":
    main()
