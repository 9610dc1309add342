"""A student's exceptions, made again in the tester: of a class that tests can catch, as if from the student's line."""

from __future__ import annotations

import builtins
import linecache
import sys
import types
from collections.abc import Callable, Collection
from typing import Any

from nbreferee.codec import CodecError, encode
from nbreferee.engine.conversation import CANNOT_LEAVE, importable_name


DOT = "\0"  # between the module and the name of a library's class: no name of a class holds it


def described(error: BaseException) -> tuple:
    """Say of an exception of the test's what it is: the names of its classes, and what is plain of its arguments and attributes."""
    names = class_names(type(error))
    attributes = {name: value for name, value in vars(error).items() if _is_plain(value)}
    return names, error.args if _is_plain(error.args) else (str(error),), attributes


def _is_plain(value: Any) -> bool:
    try:
        encode(value)
    except CodecError:
        return False
    return True


def class_names(kind: type) -> tuple[str, ...]:
    """Return the names of an exception's class and those it descends from; a library's with its module."""
    found = ((one, importable_name(one)) for one in kind.__mro__)
    return tuple(DOT.join(named) if named and named[0] != "builtins" else one.__name__ for one, named in found)


def exception_class(names: Collection[str], known: Callable[[str], type | None], made: dict[str, type]) -> type[BaseException]:
    """Return the exception class with these names: its own and those it descends from.

    One that only the student has is made anew, with the first known one as its base.
    """
    for name in names:
        kind = getattr(builtins, name, None) or known(name)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            break
        kind = made.get(name)
        if kind is not None:
            break
    else:
        kind = Exception
    own = next(iter(names), "Exception").rpartition(DOT)[2]
    if kind.__name__ != own:
        shown = {"__str__": lambda self: vars(self).get("said") or super(kind, self).__str__()}
        kind = made[own] = type(own, (kind,), {"__module__": "__main__", **shown})
    return kind


def frames_of(places: tuple) -> types.TracebackType | None:
    """Return a traceback that ends in the student's line, for tests that show where it was."""
    match places[-1:]:
        case ((str(filename), int(line), str(function), str(text)),) if 0 < line < 100_000:
            pass
        case _:
            return None
    filename = f"<answer {filename[:100]}>"
    linecache.cache[filename] = (len(text), None, [*["\n"] * (line - 1), text[:1000] + "\n"], filename)
    code = _LINE.replace(co_name=function[:100], co_filename=filename, co_firstlineno=line)
    frame = types.FunctionType(code, {"frame": sys._getframe})()
    return types.TracebackType(None, frame, frame.f_lasti, line)


def _line() -> types.CodeType:
    """Return code that knows its line, and no columns in it."""
    code = compile("frame()", "<answer>", "eval")
    units = len(code.co_code) // 2
    no_columns = [bytes([0x80 | 13 << 3 | min(8, units - start) - 1, 0]) for start in range(0, units, 8)]  # as CPython has line tables
    return code.replace(co_linetable=b"".join(no_columns))


_LINE = _line()  # stands for a line of a student's: names and place are put in, and nothing is compiled


def cannot_leave(error: Exception) -> tuple:
    """Describe the exception that a test meets where a value has no form here."""
    text = f"{CANNOT_LEAVE}: {error}"
    return ("TypeError",), text, (text,), (), {}, None
