"""A student's exceptions, made again in the tester: of a class that tests can catch, as if from the
student's line.
"""

from __future__ import annotations

import builtins
import linecache
import sys
import types
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from nbreferee.engine.wire.codec import CodecError, encode
from nbreferee.engine.wire.protocol import CANNOT_LEAVE, importable_name

DOT = "\0"  # between the module and the name of a library's class: no name of a class holds it
LINK = "\1"  # before each name of a text that says what a class derives from
# Attributes that Python's exceptions hold beside their dictionary, and do not get from their
# arguments.
SLOTS: dict[type[BaseException], tuple[str, ...]] = {
    OSError: ("filename", "filename2"),
    ImportError: ("name", "path"),
    NameError: ("name",),
    AttributeError: ("name",),
}


@dataclass(frozen=True)
class ExceptionDescription:
    """What the box says of an exception."""

    classes: tuple[str, ...]  # see `class_names`
    text: str
    arguments: tuple[Any, ...]
    places: tuple[Any, ...]  # (file, line, function, text of the line) of each frame
    attributes: dict[Any, Any]
    cause: ExceptionDescription | None = None

    def as_tuple(self) -> tuple[Any, ...]:
        """Return it as the codec takes it."""
        *values, cause = vars(self).values()
        return (*values, None if cause is None else cause.as_tuple())

    @staticmethod
    def from_tuple(said: Any) -> ExceptionDescription:
        """Read what was said.

        Raises
        ------
        CodecError
            where that describes no exception.
        """
        match said:
            case (
                tuple(names),
                str(text),
                tuple(arguments),
                tuple(places),
                dict(attributes),
                cause,
            ) if all(type(name) is str for name in names):
                known = None if cause is None else ExceptionDescription.from_tuple(cause)
                return ExceptionDescription(names, text, arguments, places, attributes, known)
        raise CodecError("no description of an exception")


def _in_slots(error: BaseException) -> dict[str, Any]:
    values = {
        name: vars(kind)[name].__get__(error)
        for kind, names in SLOTS.items()
        if isinstance(error, kind)
        for name in names
    }
    return {name: value for name, value in values.items() if value is not None}


def set_attributes(error: BaseException, attributes: dict[str, Any]) -> None:
    """Give an exception attributes; none of them is a class's."""
    vars(error).update(attributes)
    for kind, names in SLOTS.items():
        for name in names if isinstance(error, kind) else ():
            if name in attributes:
                vars(kind)[name].__set__(error, attributes[name])


@dataclass(frozen=True)
class TestException:
    """What the tester says of an exception of the test's."""

    __test__ = False  # for pytest

    classes: tuple[str, ...]  # see `class_names`
    arguments: tuple[Any, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def as_tuple(self) -> tuple[Any, ...]:
        """Return it as the codec takes it."""
        return self.classes, self.arguments, self.attributes


def described(error: BaseException) -> TestException:
    """Say of an exception of the test's what it is: the names of its classes, and what is plain of
    its arguments and attributes.
    """
    names = class_names(type(error))
    attributes = {
        name: value
        for name, value in {**_in_slots(error), **vars(error)}.items()
        if _is_plain(value)
    }
    arguments = error.args if _is_plain(error.args) else (str(error),)
    return TestException(names, arguments, attributes)


def _is_plain(value: Any) -> bool:
    try:
        encode(value)
    except CodecError:
        return False
    return True


def class_names(kind: type) -> tuple[str, ...]:
    """Return the names of a class and those it descends from, a library's with its module.

    Of an exception, what each class of the notebook derives from follows, as `LINK class LINK base
    LINK base`.
    """
    names = tuple(map(_name, kind.__mro__))
    if not issubclass(kind, BaseException):
        return names
    own = [
        one for one in kind.__mro__ if issubclass(one, BaseException) and not importable_name(one)
    ]
    bases = {
        one: [base for base in one.__bases__ if issubclass(base, BaseException)] for one in own
    }
    return (*names, *(LINK + LINK.join(map(_name, (one, *bases[one]))) for one in own))


def _name(kind: type) -> str:
    named = importable_name(kind)
    return DOT.join(named) if named and named[0] != "builtins" else kind.__name__


@dataclass(frozen=True)
class Classes:
    """Where a tester finds the classes of exceptions, and whom it tells of what a class made anew
    lacks.
    """

    known: Callable[[str], type | None]
    made: dict[str, type]
    note_limit: Callable[[str], None]


def exception_class(names: Collection[str], classes: Classes) -> type[BaseException]:
    """Return the exception class with these names: its own and those it descends from.

    One that only the student has is made anew, with those as its bases that it derives from.
    """
    links = {
        own: bases
        for own, *bases in (name[1:].split(LINK) for name in names if name.startswith(LINK))
    }
    names = [name for name in names if not name.startswith(LINK)]
    own = next(iter(names), "Exception")
    if own in links:
        return _linked(own, links, classes)
    found = (_found(name, classes) for name in names)
    kind = next((one for one in found if one), Exception)
    own = own.rpartition(DOT)[2]
    return kind if kind.__name__ == own else _make(own, (kind,), classes)


def _found(name: str, classes: Classes) -> type[BaseException] | None:
    kind = getattr(builtins, name, None) or classes.known(name)
    return (
        kind
        if isinstance(kind, type) and issubclass(kind, BaseException)
        else classes.made.get(name)
    )


def _linked(name: str, links: dict[str, list[str]], classes: Classes) -> type[BaseException]:
    """Return the class of that name, made from its bases where it is not known."""
    if kind := _found(name, classes):
        return kind
    left = {
        own: bases for own, bases in links.items() if own != name
    }  # a class does not descend from itself
    bases = tuple(dict.fromkeys(_linked(base, left, classes) for base in links.get(name, ())))
    own = name.rpartition(DOT)[2]
    try:
        return _make(own, bases or (Exception,), classes)
    except TypeError:  # the bases do not go together
        return _make(own, bases[:1], classes)


def _make(name: str, bases: tuple[type, ...], classes: Classes) -> type[BaseException]:
    def said(self: Any) -> str:
        return str(vars(self).get("said") or super(kind, self).__str__())  # type: ignore[arg-type]  # a class

    def lacks(self: Any, attribute: str) -> None:
        if not attribute.startswith("__") and attribute not in ("from_student", "said"):
            classes.note_limit(f"{attribute} of the exception {name} stays with the student's code")
        raise AttributeError(f"{name!r} object has no attribute {attribute!r}")

    kind = classes.made[name] = type(
        name, bases, {"__module__": "__main__", "__str__": said, "__getattr__": lacks}
    )
    return kind


def frames_of(places: tuple[Any, ...]) -> types.TracebackType | None:
    """Return a traceback that ends in the student's line, for tests that show where it was."""
    match places[-1:]:
        case ((str(filename), int(line), str(function), str(text)),) if 0 < line < 100_000:
            pass
        case _:
            return None
    filename = f"<answer {filename[:100]}>"
    linecache.cache[filename] = (
        len(text),
        None,
        [*["\n"] * (line - 1), text[:1000] + "\n"],
        filename,
    )
    code = _LINE.replace(co_name=function[:100], co_filename=filename, co_firstlineno=line)
    frame = types.FunctionType(code, {"frame": sys._getframe})()
    return types.TracebackType(None, frame, frame.f_lasti, line)


def _line() -> types.CodeType:
    """Return code that knows its line, and no columns in it."""
    code = compile("frame()", "<answer>", "eval")
    units = len(code.co_code) // 2
    no_columns = [
        bytes([0x80 | 13 << 3 | min(8, units - start) - 1, 0]) for start in range(0, units, 8)
    ]  # as CPython has line tables
    return code.replace(co_linetable=b"".join(no_columns))


_LINE = (
    _line()
)  # stands for a line of a student's: names and place are put in, and nothing is compiled


def attributes_of(error: BaseException) -> dict[str, Any]:
    """Return an exception's own attributes, and the values that its classes of the notebook give
    it.
    """
    own = [kind for kind in reversed(type(error).__mro__) if not importable_name(kind)]
    of_classes = {
        name: value
        for kind in own
        for name, value in vars(kind).items()
        if not hasattr(type(value), "__get__")
    }
    found = {**of_classes, **_in_slots(error), **vars(error)}
    return {
        name: value
        for name, value in found.items()
        if type(name) is str and not name.startswith("_")
    }


def cannot_leave(error: Exception) -> ExceptionDescription:
    """Describe the exception that a test meets where a value has no form here."""
    text = f"{CANNOT_LEAVE}: {error}"
    return ExceptionDescription(("TypeError",), text, (text,), (), {})


def make_exception(
    kind: type, text: str, arguments: tuple[Any, ...], attributes: dict[str, Any]
) -> BaseException:
    """Return an exception of a student's, made again from what the box says of it."""
    try:
        # Python's own take what they have been given; others may have made something of it already
        error = (
            kind(*arguments)
            if kind.__module__ in ("builtins", "numpy.linalg", "numpy.exceptions")
            else kind.__new__(kind, *arguments)
        )
        error.args = arguments
    except Exception:
        error = Exception.__new__(kind, text)
    set_attributes(
        error,
        {
            name: value
            for name, value in attributes.items()
            if type(name) is str and not name.startswith("_")
        },
    )
    error.from_student, error.said = True, text
    made: BaseException = error
    return made
