"""Handlers of audit events, of which there are many: `id` is one, and the codec calls it for each
container.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

Handler = Callable[[str, tuple[Any, ...]], None]


def add_handlers(handlers_of: Callable[[str], Iterable[Handler]]) -> None:
    """Have audit events handled from now on; `handlers_of` is asked once for each name of an
    event.
    """
    known: dict[str, tuple[Handler, ...]] = {}

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        handlers = known.get(event)
        if handlers is None:
            handlers = known[event] = tuple(handlers_of(event))
        for handle in handlers:
            handle(event, arguments)

    sys.addaudithook(hook)
