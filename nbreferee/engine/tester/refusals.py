"""What stands in for one of several results that a test must not use: any use of it fails the
test.
"""

from __future__ import annotations

from typing import Any, NoReturn

KEPT = {
    "__class__",
    "__del__",
    "__delattr__",
    "__dict__",
    "__doc__",
    "__getattribute__",
    "__init__",
    "__init_subclass__",
    "__module__",
    "__new__",
    "__setattr__",
    "__slots__",
    "__subclasshook__",
    "__weakref__",
}
ARRAYS = (
    "__array__",
    "__array_ufunc__",
    "__array_function__",
    "__bool__",
    "__matmul__",
    "__iter__",
    "__next__",
)


def refusal(sentence: str) -> Any:
    """Return an object whose every use raises an AssertionError that says `sentence`."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError(sentence)

    used = {
        name
        for kind in (int, float, complex, list, dict, str, set)
        for name in dir(kind)
        if name.startswith("__")
    } - KEPT
    return type("Refused", (), dict.fromkeys((*used, *ARRAYS, "__getattr__", "__call__"), refuse))()
