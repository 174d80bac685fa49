"""Small pieces of reading that are done behind the window, the latest wish first."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_particle_sam.base.errors import ParticleSamError

#: Between two looks at what is ready, in milliseconds.
_LOOK = 30


class LazyReader(QObject):
    """Calls functions in one thread of its own and hands over what they return.

    What was asked for last is done first, because that is what the user looks at. It is no `JobRunner`:
    nothing is written, nobody waits for it, and several may read at once.

    Attributes
    ----------
    made : Signal
        Emits the name of a wish and what its function returned, None where it was refused; in the thread of
        the window.
    """

    made = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pile = _Pile()
        # The thread knows the pile only: it never touches a Qt object that may be going.
        weakref.finalize(self, self._pile.clear)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self._deliver)

    def ask(self, name: Hashable, call: Callable[[], Any]) -> None:
        """Have a function called; one that waits under the same name is replaced."""
        self._pile.add(name, call)
        if not self._timer.isActive():
            self._timer.start()

    def clear(self) -> None:
        """Forget what was not begun yet."""
        self._pile.clear()

    def wait(self, seconds: float = 5.0) -> bool:
        """Do all wishes now and hand over what came of them; whether it was in time."""
        in_time = self._pile.join(seconds)
        self._deliver()
        return in_time

    def _deliver(self) -> None:
        if self._pile.idle:
            self._timer.stop()
        while self._pile.ready:
            self.made.emit(*self._pile.ready.popleft())


class _Pile:
    """Wishes, the thread that works them off, and what is ready."""

    def __init__(self) -> None:
        self.ready: deque[tuple[Hashable, Any]] = deque()
        self._lock = threading.Lock()
        self._wishes: dict[Hashable, Callable[[], Any]] = {}
        self._thread: threading.Thread | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing more will become ready."""
        return self._thread is None

    def add(self, name: Hashable, call: Callable[[], Any]) -> None:
        with self._lock:
            self._wishes.pop(name, None)
            self._wishes[name] = call
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="particle-sam-reader")
                self._thread.start()

    def clear(self) -> None:
        with self._lock:
            self._wishes.clear()

    def join(self, seconds: float) -> bool:
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return self.idle

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wishes:
                    self._thread = None
                    return
                name, call = self._wishes.popitem()
            self.ready.append((name, _called(call)))


def _called(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (ParticleSamError, OSError, MemoryError):
        return None
