"""Letting a widget hear a psygnal signal as long as it lives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import MethodType
from typing import Any

from psygnal import SignalInstance
from qtpy.compat import isalive


def hear(signal: SignalInstance, slot: Callable[..., Any]) -> None:
    """Connect a signal to a method of a Qt object, which hears nothing once Qt has destroyed it.

    A Python reference may outlive the widget, and the slot would then touch a deleted one. Qt's own
    `destroyed` is no help: PyQt5 crashes where a Python function hears it while its owner is collected.

    Parameters
    ----------
    signal : SignalInstance
        Keeps neither the object nor the method alive.
    slot : callable
        A bound method that takes all that the signal emits.
    """
    assert isinstance(slot, MethodType)
    found = weakref.WeakMethod(slot)

    def guarded(*values: Any) -> None:
        method = found()
        if method is not None and isalive(method.__self__):
            method(*values)

    signal.connect(guarded)
