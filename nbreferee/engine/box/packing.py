"""Figures as bytes: equal figures become equal bytes."""

from __future__ import annotations

import copyreg
import pickle
from types import FunctionType
from typing import Any

from matplotlib.cbook import CallbackRegistry
from matplotlib.figure import Figure
from matplotlib.transforms import TransformNode

NEW_OBJECT: Any = vars(copyreg)["__newobj__"]


class Packer(pickle.Pickler):
    """Packs figures so that equal ones become equal bytes.

    No address in memory gets in, nor whether pyplot still knows a figure. A function of the
    notebook's, which makes labels perhaps, is not packed: it may read names that change.
    """

    def reducer_override(self, one: Any) -> Any:
        is_called = isinstance(one, FunctionType) or (
            isinstance(one, type) and "__call__" in vars(one)
        )
        if is_called and one.__module__ == "__main__":
            raise pickle.PicklingError("it may do another thing when the figure is drawn")
        if not isinstance(one, (TransformNode, Figure, CallbackRegistry)):
            return NotImplemented
        state: Any = one.__getstate__()
        if isinstance(one, TransformNode):
            state["_parents"] = dict(enumerate(state["_parents"].values()))  # by id otherwise
        elif isinstance(one, Figure):
            state.pop("_restore_to_pylab", None)
        else:  # it counts how often it has been packed
            state["_cid_gen"] = 1 + max(
                (number for kept in state["callbacks"].values() for number in kept), default=-1
            )
        return NEW_OBJECT, (type(one),), state
