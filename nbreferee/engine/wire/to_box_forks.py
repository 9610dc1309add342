"""What a box is asked that can be forked (see `engine.checkpoints`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbreferee.engine.wire.codec_format import CodecError
from nbreferee.engine.wire.to_box import BoxRequest, Order


@dataclass(frozen=True)
class ForkHere(BoxRequest[int], operation="fork"):
    """Fork a box that goes on from here, on the socket that comes after a first answer."""

    is_last: bool  # it is not forked again: the sandbox's last layer is put on

    def read(self, answer: Any) -> int:
        """Return its process id; in the first answer the number of threads that it will lack."""
        if type(answer) is not int:
            raise CodecError("no process id")
        return answer


@dataclass(frozen=True)
class EndFork(Order, operation="end fork"):
    """End a box that was forked from this one."""

    pid: int
