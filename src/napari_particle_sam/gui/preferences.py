"""What the user chose in napari's preferences for this plugin."""

from __future__ import annotations

from typing import Any

PLUGIN = "napari-particle-sam"


def preferred_annotator() -> str | None:
    """Return under whose name annotations are kept, None for the user of the computer."""
    return str(_annotating("annotator", "")).strip() or None


def preferred_device() -> str:
    """Return where models compute."""
    return str(_annotating("device", "auto"))


def _annotating(name: str, default: Any) -> Any:
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings(PLUGIN).annotating, name)
    except (ImportError, AttributeError, KeyError, ValueError):
        # Not registered, as when the dock is opened from a script without plugins.
        return default
