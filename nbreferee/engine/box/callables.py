"""What a test may call on a student's objects, by name: Python's own functions and operators."""

from __future__ import annotations

import copy
import math
import operator
import os
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.pyplot as plt

OPERATORS = (
    "lt le eq ne gt ge add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift neg "
    "pos abs invert contains getitem setitem delitem iadd isub imul itruediv ifloordiv imod ipow "
    "imatmul iand ior ixor ilshift irshift index length_hint"
).split()
CALLABLE: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in OPERATORS},
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "iter": iter,
    "next": next,
    "len": len,
    "hash": hash,
    "repr": repr,
    "str": str,
    "bool": bool,
    "float": float,
    "int": int,
    "isinstance": isinstance,
    "issubclass": issubclass,
    "dir": dir,
    "round": round,
    "format": format,
    "type": type,
    "complex": complex,
    "bytes": bytes,
    "reversed": reversed,
    "divmod": divmod,
    "trunc": math.trunc,
    "floor": math.floor,
    "ceil": math.ceil,
    "fspath": os.fspath,
    "sizeof": lambda one: one.__sizeof__(),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "aiter": aiter,
    "anext": anext,
    "aenter": lambda one: type(one).__aenter__(one),
    "aexit": lambda one, *error: type(one).__aexit__(one, *error),
    "enter": lambda one: type(one).__enter__(one),
    "gcf": plt.gcf,
    "gca": plt.gca,
    "close": plt.close,
}
