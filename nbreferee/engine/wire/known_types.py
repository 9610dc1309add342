"""Values of well-known types beyond the codec's own, by copy: described on one side, built on the
other.

`describe` looks at exact types only, for a subclass may lie; `build` believes nothing: whatever a
description says, it makes a plain value of a well-known type, or raises CodecError. Nothing here
compiles or imports what a description names.
"""

from __future__ import annotations

import argparse
import array
import collections
import contextlib
import dataclasses
import datetime
import decimal
import fractions
import functools
import io
import ipaddress
import operator
import pathlib
import random
import re
import statistics
import string
import sys
import time
import types
import typing
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np

from nbreferee.engine.wire import known_types_numpy, known_types_pandas
from nbreferee.engine.wire.codec import CodecError

ZONES = (type(None), zoneinfo.ZoneInfo, datetime.timezone)
TYPECODES = "bBhHiIlLqQfd"  # of array.array; what 'u' holds need not be text
PATHS = (pathlib.PosixPath, pathlib.PurePosixPath, pathlib.PureWindowsPath)
ADDRESSES = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
)
ALIASES = (
    "List",
    "Dict",
    "Set",
    "FrozenSet",
    "Tuple",
    "Type",
    "Iterable",
    "Iterator",
    "Sequence",
    "Mapping",
    "Deque",
    "Counter",
    "DefaultDict",
)
KINDS_OF_CLASSES = (
    type,
    types.GenericAlias,
    types.UnionType,
    type(typing.List[int]),  # noqa: UP006, the old alias is meant
    type(typing.Optional[int]),  # noqa: UP045, the old alias is meant
)
NAMESPACES = (types.SimpleNamespace, argparse.Namespace)
ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
ONLY_ARGUMENTS = ("partial", "vectorize")  # that a box may not describe
MISSING = "dataclasses.MISSING"


def describe(value: Any) -> tuple[Any, ...] | None:
    """Return what `build` makes an equal value of; None where the type is not known here."""
    kind = type(value)
    if kind in DESCRIBED:
        name, description = DESCRIBED[kind]
        said = description(value)
        return None if said is None else (name, *said)
    if kind is np.ndarray or kind in (np.datetime64, np.timedelta64, np.bytes_, np.void):
        return known_types_numpy.describe_array(value)
    package = kind.__module__.partition(".")[0]
    if package == "pandas" and "pandas" in sys.modules:
        return known_types_pandas.describe(value)
    if package == "scipy":
        return known_types_numpy.describe_scipy(value)
    if package == "sqlite3" and kind.__name__ == "Row":
        return ("Row", value.keys(), tuple(value))
    return known_types_numpy.describe_image(value) if package == "PIL" else None


def describe_argument(value: Any) -> tuple[Any, ...] | None:
    """Return what `build` makes a function object of, for the box alone: a test never calls what a
    box describes.
    """
    if type(value) is functools.partial:
        return ("partial", value.func, value.args, value.keywords)
    if type(value) is np.vectorize:
        return (
            "vectorize",
            value.pyfunc,
            value.otypes,
            set(value.excluded),
            value.cache,
            value.signature,
        )
    return None


def build(description: tuple[Any, ...]) -> Any:
    """Return the value of a description.

    Raises
    ------
    CodecError
        where it describes none.
    """
    try:
        name, *parts = description
        return BUILDERS[name](*parts)
    except (
        Exception
    ) as error:  # parts may be anything, and so may what the types' own makers say of them
        raise CodecError(f"not a value ({type(error).__name__})") from None


def adopt_state(old: Any, new: Any) -> bool:
    """Bring an object that has a state of its own to the state of another; tell whether these are
    such.
    """
    if type(old) is not type(new):
        return False
    if type(old) is np.random.Generator:
        old.bit_generator.state = new.bit_generator.state
    elif type(old) is np.random.RandomState:
        old.set_state(new.get_state())
    elif type(old) is random.Random:
        old.setstate(new.getstate())
    elif type(old) in (io.StringIO, io.BytesIO):
        old.seek(0)
        old.truncate()
        old.write(new.getvalue())
        old.seek(new.tell())
    elif type(old) is np.ma.MaskedArray and old.shape == new.shape and old.dtype == new.dtype:
        old.data[...] = new.data
        old.mask = new.mask
    elif type(old) is array.array and old.typecode == new.typecode:
        old[:] = new
    elif type(old) in NAMESPACES:
        vars(old).clear()
        vars(old).update(vars(new))
    elif type(old).__module__.partition(".")[0] == "pandas":
        return known_types_pandas.adopt_state(old, new)
    else:
        return False
    return True


# ---------------------------------------------------------------- dates


def _moment(value: Any) -> tuple[Any, ...] | None:
    """Return the parts of a datetime or a time, its zone among them, unless that is of an unknown
    class.
    """
    if type(value.tzinfo) not in ZONES or (
        type(value.tzinfo) is zoneinfo.ZoneInfo and value.tzinfo.key is None
    ):
        return None
    date = (value.year, value.month, value.day) if type(value) is datetime.datetime else ()
    return (
        *date,
        value.hour,
        value.minute,
        value.second,
        value.microsecond,
        value.tzinfo,
        value.fold,
    )


def _built_moment(kind: type) -> Callable[..., Any]:
    def make(*parts: Any) -> Any:
        *numbers, zone, fold = parts
        return kind(*numbers, zone, fold=fold)

    return make


def _zone(key: str) -> zoneinfo.ZoneInfo:
    if not ZONE_NAME.fullmatch(key):
        raise ValueError
    return zoneinfo.ZoneInfo(key)


def _struct_time(values: tuple[Any, ...], zone: Any, offset: Any) -> time.struct_time:
    return time.struct_time((*values, zone, offset))


# ---------------------------------------------------------------- text


def _describe_match(match: re.Match[str]) -> tuple[Any, ...]:
    return match.re, match.string, match.pos, match.endpos, match.span()


def _match(
    pattern: re.Pattern[str], text: Any, start: int, end: int, span: tuple[Any, ...]
) -> re.Match[str]:
    tries = (
        pattern.search(text, start, end),
        pattern.match(text, span[0], end),
        pattern.fullmatch(text, span[0], span[1]),
    )
    return next(match for match in tries if match is not None and match.span() == span)


def _buffer(kind: type) -> Callable[..., Any]:
    def make(content: Any, place: int) -> Any:
        buffer = kind()
        buffer.write(content)
        buffer.seek(place)
        return buffer

    return make


# -------------------------------- functions and classes of Python's own


def _partial(
    function: Any, arguments: tuple[Any, ...], named: dict[Any, Any]
) -> functools.partial[Any]:
    return functools.partial(function, *arguments, **named)


def _describe_alias(alias: Any) -> tuple[Any, ...] | None:
    if alias.__origin__ is typing.Union:
        return "Union", _without_none_type(alias.__args__)
    return (alias._name, _without_none_type(alias.__args__)) if alias._name in ALIASES else None


def _without_none_type(kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return classes with None for its class, which has no name in `builtins`."""
    return tuple(None if kind is types.NoneType else kind for kind in kinds)


def _alias(name: str, arguments: tuple[Any, ...]) -> Any:
    if name not in (*ALIASES, "Union"):
        raise ValueError
    return getattr(typing, name)[_checked_kinds(arguments)]


def _checked_kinds(kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return classes, if all are such: `typing` compiles text."""
    if not all(one is None or isinstance(one, KINDS_OF_CLASSES) for one in kinds):
        raise ValueError
    return kinds


def _describe_field(field: Any) -> tuple[Any, ...]:
    given = [
        MISSING if one is dataclasses.MISSING else (one,)
        for one in (field.default, field.default_factory)
    ]
    sort = getattr(field._field_type, "name", "_FIELD")
    return (
        field.name,
        field.type,
        given,
        (field.init, field.repr, field.hash, field.compare, field.kw_only),
        dict(field.metadata),
        sort,
    )


def _field(
    name: str,
    kind: Any,
    given: list[Any],
    flags: tuple[Any, ...],
    metadata: dict[Any, Any],
    sort: str,
) -> Any:
    default: Any
    factory: Any
    default, factory = (dataclasses.MISSING if one == MISSING else one[0] for one in given)
    init, shown, hashed, compared, kw_only = flags
    field: Any = dataclasses.field(
        default=default,
        default_factory=factory,
        init=init,
        repr=shown,
        hash=hashed,
        compare=compared,
        metadata=metadata,
        kw_only=kw_only,
    )
    field.name, field.type = name, kind
    names = ("_FIELD", "_FIELD_CLASSVAR", "_FIELD_INITVAR")
    sorts = (getattr(dataclasses, name) for name in names)  # private: Python's own marks
    field._field_type = {one.name: one for one in sorts}[sort]
    return field


def _defaultdict(factory: Any, items: dict[Any, Any]) -> collections.defaultdict[Any, Any]:
    return collections.defaultdict(factory if callable(factory) else None, items)


def _array(typecode: str, data: bytes) -> array.array[Any]:
    if typecode not in TYPECODES:
        raise ValueError
    return array.array(typecode, data)


def _memoryview(data: bytes, form: Any, shape: tuple[Any, ...], read_only: bool) -> Any:
    return memoryview(data if read_only else bytearray(data)).cast("B").cast(form, shape)


def _describe_memoryview(view: memoryview) -> tuple[Any, ...] | None:
    return (
        (view.tobytes(), view.format, view.shape, view.readonly)
        if len(view.format) == 1 and view.shape
        else None
    )


DESCRIBED: dict[type, tuple[str, Callable[[Any], tuple[Any, ...] | None]]] = {
    range: ("range", lambda v: (v.start, v.stop, v.step)),
    slice: ("slice", lambda v: (v.start, v.stop, v.step)),
    type(Ellipsis): ("Ellipsis", lambda v: ()),
    type(NotImplemented): ("NotImplemented", lambda v: ()),
    bytearray: ("bytearray", lambda v: (bytes(v),)),
    memoryview: ("memoryview", _describe_memoryview),
    array.array: (
        "array.array",
        lambda v: (v.typecode, v.tobytes()) if v.typecode in TYPECODES else None,
    ),
    fractions.Fraction: ("Fraction", lambda v: (v.numerator, v.denominator)),
    decimal.Decimal: ("Decimal", lambda v: (str(v),)),
    datetime.date: ("date", lambda v: (v.year, v.month, v.day)),
    datetime.time: ("time", _moment),
    datetime.datetime: ("datetime", _moment),
    datetime.timedelta: ("timedelta", lambda v: (v.days, v.seconds, v.microseconds)),
    datetime.timezone: ("timezone", lambda v: v.__getinitargs__()),
    zoneinfo.ZoneInfo: ("ZoneInfo", lambda v: (v.key,) if v.key else None),
    time.struct_time: ("struct_time", lambda v: (tuple(v), v.tm_zone, v.tm_gmtoff)),
    uuid.UUID: ("UUID", lambda v: (v.int,)),
    collections.Counter: ("Counter", lambda v: (dict(v),)),
    collections.OrderedDict: ("OrderedDict", lambda v: (list(v.items()),)),
    collections.defaultdict: ("defaultdict", lambda v: (v.default_factory, dict(v))),
    collections.deque: ("deque", lambda v: (list(v), v.maxlen)),
    collections.ChainMap: ("ChainMap", lambda v: tuple(v.maps)),
    collections.UserDict: ("UserDict", lambda v: (v.data,)),
    collections.UserList: ("UserList", lambda v: (v.data,)),
    collections.UserString: ("UserString", lambda v: (v.data,)),
    types.MappingProxyType: ("mappingproxy", lambda v: (dict(v),)),
    types.SimpleNamespace: ("SimpleNamespace", lambda v: (dict(vars(v)),)),
    argparse.Namespace: ("argparse.Namespace", lambda v: (dict(vars(v)),)),
    type({}.keys()): ("keys", lambda v: (list(v),)),
    type({}.values()): ("values", lambda v: (list(v),)),
    type({}.items()): ("items", lambda v: (list(v),)),
    re.Pattern: ("Pattern", lambda v: (v.pattern, v.flags)),
    re.Match: ("Match", _describe_match),
    string.Template: ("Template", lambda v: (v.template,)),
    random.Random: ("Random", lambda v: (v.getstate(),)),
    statistics.NormalDist: ("NormalDist", lambda v: (v.mean, v.stdev)),
    io.StringIO: ("StringIO", lambda v: None if v.closed else (v.getvalue(), v.tell())),
    io.BytesIO: ("BytesIO", lambda v: None if v.closed else (v.getvalue(), v.tell())),
    types.GenericAlias: ("GenericAlias", lambda v: (v.__origin__, v.__args__)),
    types.UnionType: ("UnionType", lambda v: _without_none_type(v.__args__)),
    type(typing.List[int]): ("typing", _describe_alias),  # noqa: UP006, the old alias is meant
    type(typing.Optional[int]): ("typing", _describe_alias),  # noqa: UP045, the old alias is meant
    dataclasses.Field: ("Field", _describe_field),
    **{kind: (kind.__name__, lambda v: (str(v),)) for kind in (*PATHS, *ADDRESSES)},
    **known_types_numpy.DESCRIBED,
}
BUILDERS: dict[str, Callable[..., Any]] = {
    "range": range,
    "slice": slice,
    "Ellipsis": lambda: Ellipsis,
    "NotImplemented": lambda: NotImplemented,
    "bytearray": bytearray,
    "memoryview": _memoryview,
    "array.array": _array,
    "Fraction": fractions.Fraction,
    "Decimal": decimal.Decimal,
    "date": datetime.date,
    "time": _built_moment(datetime.time),
    "datetime": _built_moment(datetime.datetime),
    "timedelta": datetime.timedelta,
    "timezone": datetime.timezone,
    "ZoneInfo": lambda key: _zone(key),
    "struct_time": _struct_time,
    "UUID": lambda number: uuid.UUID(int=number),
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
    "defaultdict": _defaultdict,
    "deque": collections.deque,
    "ChainMap": collections.ChainMap,
    "UserDict": collections.UserDict,
    "UserList": collections.UserList,
    "UserString": collections.UserString,
    "mappingproxy": types.MappingProxyType,
    "SimpleNamespace": lambda attributes: types.SimpleNamespace(**attributes),
    "argparse.Namespace": lambda attributes: argparse.Namespace(**attributes),
    "keys": lambda items: dict.fromkeys(items).keys(),
    "values": lambda items: dict(enumerate(items)).values(),
    "items": lambda items: dict(items).items(),
    "Pattern": re.compile,
    "Match": _match,
    "Template": string.Template,
    "Row": lambda names, values: _row(names, values),
    "Random": lambda state: _random(state),
    "NormalDist": statistics.NormalDist,
    "StringIO": _buffer(io.StringIO),
    "BytesIO": _buffer(io.BytesIO),
    "partial": _partial,
    "GenericAlias": types.GenericAlias,
    "UnionType": lambda *kinds: functools.reduce(operator.or_, _checked_kinds(kinds)),
    "typing": _alias,
    "Field": _field,
    **{kind.__name__: kind for kind in (*PATHS, *ADDRESSES)},
    **known_types_numpy.BUILDERS,
    **known_types_pandas.BUILDERS,
}


def _random(state: tuple[Any, ...]) -> random.Random:
    made = random.Random()
    made.setstate(state)
    return made


def _row(names: list[Any], values: tuple[Any, ...]) -> Any:
    """Return a row of a database, as it can only be had from one."""
    import sqlite3

    columns = ", ".join('? as "' + name.replace('"', '""') + '"' for name in names)
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        return database.execute(f"select {columns}", values).fetchone()
