"""A thread for previews: the latest wish wins, nobody waits."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_particle_sam.base.errors import ParticleSamError

#: Between two looks at what is ready, in milliseconds.
_LOOK = 8


class LatestThread(QObject):
    """Calls one function at a time; a wish that was not begun is replaced by a newer one.

    A function that runs is not stopped, but what it returns is dropped where a newer wish came meanwhile.

    Attributes
    ----------
    done : Signal
        Emits what the latest wish's function returned; in the thread of the window.
    failed : Signal
        Emits why it returned nothing, as a sentence.
    """

    done = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slot = _Slot()
        # The thread knows the slot only: it never touches a Qt object that may be going.
        weakref.finalize(self, self._slot.clear)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self._deliver)

    @property
    def busy(self) -> bool:
        """Whether a wish was not answered yet."""
        return self._timer.isActive()

    def ask(self, call: Callable[[], Any]) -> None:
        """Have a function called."""
        self._slot.put(call)
        self._timer.start()

    def clear(self) -> None:
        """Forget the wish; nothing comes of it any more."""
        self._slot.clear()
        self._timer.stop()

    def _deliver(self) -> None:
        answer = self._slot.take()
        if answer is None:
            return
        self._timer.stop()
        value, sentence = answer
        if sentence:
            self.failed.emit(sentence)
        else:
            self.done.emit(value)


class _Slot:
    """The wish, its thread and its answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._wish: Callable[[], Any] | None = None
        self._answer: tuple[Any, str] | None = None
        self._thread: threading.Thread | None = None

    def put(self, call: Callable[[], Any]) -> None:
        with self._lock:
            self._number += 1
            self._wish, self._answer = call, None
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="particle-sam-preview")
                self._thread.start()

    def clear(self) -> None:
        with self._lock:
            self._number += 1
            self._wish = self._answer = None

    def take(self) -> tuple[Any, str] | None:
        with self._lock:
            answer, self._answer = self._answer, None
            return answer

    def _work(self) -> None:
        while True:
            with self._lock:
                call, number, self._wish = self._wish, self._number, None
                if call is None:
                    self._thread = None
                    return
            answer = _called(call)
            with self._lock:
                if number == self._number:
                    self._answer = answer


def _called(call: Callable[[], Any]) -> tuple[Any, str]:
    try:
        return call(), ""
    except ParticleSamError as error:
        return None, str(error)
    except Exception as error:
        words = str(error).strip().splitlines() or [type(error).__name__]
        return None, f"The preview failed ({words[0]}); click again or choose another device or model."
