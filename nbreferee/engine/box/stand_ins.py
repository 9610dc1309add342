"""The box's side of follow-through: where answers of the student's are used, and functions in their
place for a while.

The tester asks which of some answers the answers under test need, has functions that it answers
itself put in their place, runs a test, and has all put back. What this finds is not believed: a
student could as well have written so.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbreferee.engine.tester.write_back import adopt_all
from nbreferee.engine.wire.to_box import on
from nbreferee.engine.wire.to_box_stand_ins import AnswersUsed, PutBack, StandIn

WALKED = 5_000  # objects that are looked at
ITEMS = 1_000  # of one container
Put = Callable[
    [Any], Callable[[], None]
]  # puts something in an answer's place and returns how to put it back


def stand_in(
    call_back: Callable[[int, tuple[Any, ...], dict[Any, Any]], Any], number: int, name: str
) -> Callable[..., Any]:
    """Return a function that the tester answers."""

    def function(*arguments: Any, **named: Any) -> Any:
        value, same, changed = call_back(number, arguments, named)
        if changed is not None:
            new_arguments, new_named = changed
            adopt_all(
                [
                    *zip(arguments, new_arguments, strict=True),
                    *((named[key], new_named[key]) for key in named),
                ]
            )
        places: dict[Any, Any] = {**dict(enumerate(arguments)), **named}
        return value if same is None else places[same]

    function.__name__ = function.__qualname__ = name
    function.__module__ = "__main__"
    return function


class StandIns:
    """Operations of the box for follow-through."""

    def __init__(self, names: Callable[[], dict[str, Any]]) -> None:
        self._names = names  # of the notebook
        self._undo: list[Callable[[], None]] = []
        self.operations: dict[str, Callable[..., Any]] = dict(
            (
                on(AnswersUsed, self._used),
                on(StandIn, self._stand_in),
                on(PutBack, lambda _: self._put_back()),
            )
        )

    def _used(self, asked: AnswersUsed) -> list[str]:
        return sorted(uses(self._names(), asked.roots, asked.answers).places)

    def _stand_in(self, asked: StandIn) -> None:
        self._put_back()
        others = asked.others
        found = uses(self._names(), asked.roots, others)
        for clear in found.caches:  # they hold results of the wrong answer
            clear()
        self._undo += found.caches
        for name, places in found.places.items():
            self._undo += [put(others[name]) for put in places]

    def _put_back(self) -> None:
        undo, self._undo = self._undo, []
        for one in reversed(undo):
            with contextlib.suppress(Exception):
                one()


@dataclass
class Uses:
    """Where some answers are used by others."""

    places: dict[str, list[Put]] = field(default_factory=dict)  # by answer
    caches: list[Callable[[], None]] = field(
        default_factory=list
    )  # of functions on the way, to be cleared


def uses(names: dict[str, Any], roots: Sequence[str], answers: Any) -> Uses:
    """Return where the objects with the names `roots` use `answers`, directly or through other
    objects of the notebook.

    An answer is found by its name in a function's code, and as the same function under another
    name, in a closure, a default, a list, a dictionary or an attribute.
    """
    found = Uses()
    wanted = {name: names.get(name) for name in answers if name not in roots}
    by_id = {id(value): name for name, value in wanted.items() if type(value) is types.FunctionType}
    seen: set[int] = set()
    left = [names[root] for root in roots if root in names]

    def meet(value: Any, put: Put | None) -> None:
        if put is not None and id(value) in by_id:
            found.places.setdefault(by_id[id(value)], []).append(put)
        elif id(value) not in by_id:
            left.append(value)

    while left and len(seen) < WALKED:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if type(value) is functools._lru_cache_wrapper:
            found.caches.append(value.cache_clear)
        if type(value) is types.FunctionType and value.__globals__ is names:
            for name in sorted(_read_names(value.__code__, wanted)):
                if name in wanted:
                    found.places.setdefault(name, []).append(_at_name(names, name))
                elif name in names and name not in roots:
                    meet(names[name], _at_name(names, name))
        for inner, put in _parts(value):
            meet(inner, put)
    return found


def _read_names(code: types.CodeType, wanted: Any) -> set[str]:
    """Return the global names that code reads, and those of `wanted` that it holds as text:
    `globals()["f"]`.
    """
    found = {
        str(one.argval)
        for one in dis.get_instructions(code)
        if one.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
    }
    for constant in code.co_consts:
        if type(constant) is types.CodeType:
            found |= _read_names(constant, wanted)
        elif type(constant) is str and constant in wanted:
            found.add(constant)
    return found


def _parts(value: Any) -> Iterator[tuple[Any, Put | None]]:
    """Yield what an object holds, each with how to put something else there, if that can be
    done.
    """
    kind = type(value)
    if kind is types.FunctionType:
        for cell in value.__closure__ or ():
            with contextlib.suppress(ValueError):
                yield cell.cell_contents, _at_attribute(cell, "cell_contents")
        for place, one in enumerate(value.__defaults__ or ()):
            yield one, _at_default(value, place)
        yield from _items(value.__kwdefaults__ or {})
        yield from _items(value.__dict__)
    elif kind in (types.MethodType, functools._lru_cache_wrapper, staticmethod, classmethod):
        yield value.__func__ if hasattr(value, "__func__") else value.__wrapped__, None
        if kind is types.MethodType:
            yield value.__self__, None
    elif kind is property:
        yield from ((one, None) for one in (value.fget, value.fset))
    elif kind is functools.partial:
        yield from ((one, None) for one in (value.func, *value.args, *value.keywords.values()))
    elif kind in (list, dict):
        yield from _items(value if kind is dict else dict(enumerate(value[:ITEMS])), value)
    elif kind in (tuple, set, frozenset):
        yield from ((one, None) for one, _ in zip(value, range(ITEMS), strict=False))
    elif isinstance(value, type):
        if value.__module__ == "__main__":
            yield from ((one, None) for one in (*vars(value).values(), *value.__mro__[1:]))
    elif kind.__module__ == "__main__" or (kind.__module__ or "").startswith(
        "numpy"
    ):  # np.vectorize holds a function
        yield kind, None
        with contextlib.suppress(AttributeError):
            yield from _items(object.__getattribute__(value, "__dict__"))


def _items(items: dict[Any, Any], holder: Any = None) -> Iterator[tuple[Any, Put]]:
    holder = items if holder is None else holder
    for key, one in list(items.items())[:ITEMS]:
        yield one, _at_item(holder, key)


def _at_item(holder: Any, key: Any) -> Put:
    def put(value: Any) -> Callable[[], None]:
        before, holder[key] = holder[key], value
        return lambda: holder.__setitem__(key, before)

    return put


def _at_name(names: dict[str, Any], name: str) -> Put:
    def put(value: Any) -> Callable[[], None]:
        back = (
            functools.partial(names.__setitem__, name, names[name])
            if name in names
            else functools.partial(names.pop, name, None)
        )
        names[name] = value
        return back

    return put


def _at_attribute(holder: Any, attribute: str) -> Put:
    def put(value: Any) -> Callable[[], None]:
        before = getattr(holder, attribute)
        setattr(holder, attribute, value)
        return lambda: setattr(holder, attribute, before)

    return put


def _at_default(function: types.FunctionType, place: int) -> Put:
    def put(value: Any) -> Callable[[], None]:
        before = function.__defaults__ or ()
        function.__defaults__ = (*before[:place], value, *before[place + 1 :])
        return lambda: setattr(function, "__defaults__", before)

    return put
