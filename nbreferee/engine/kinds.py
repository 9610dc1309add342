"""Values of well-known types beyond the codec's own, by copy: described on one side, built on the other.

`describe` looks at exact types only, for a subclass may lie; `build` believes nothing: whatever a
description says, it makes a plain value of a well-known type, or raises CodecError.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from nbreferee.codec import CodecError

BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")


def describe(value: Any) -> tuple | None:
    """Return what `build` makes an equal value of; None where the type is not known here."""
    kind = type(value)
    if kind in DESCRIBED:
        name, description = DESCRIBED[kind]
        return (name, *description(value))
    if kind is np.ndarray or kind in (np.datetime64, np.timedelta64, np.bytes_):
        return _describe_array(value)
    if kind.__bases__ == (tuple,) and type(getattr(kind, "_fields", None)) is tuple:
        return ("namedtuple", kind.__name__, kind._fields, list(tuple.__iter__(value)))
    if kind.__module__.partition(".")[0] == "pandas" and "pandas" in sys.modules:
        return _describe_pandas(value)
    return None


def build(description: tuple) -> Any:
    """Return the value of a description.

    Raises
    ------
    CodecError
        where it describes none.
    """
    try:
        name, *parts = description
        return BUILDERS[name](*parts)
    except Exception as error:  # parts may be anything, and so may what the types' own makers say of them
        raise CodecError(f"not a value ({type(error).__name__})") from None


def adopt_state(old: Any, new: Any) -> bool:
    """Bring a random generator to the state of another; tell whether these are such."""
    if type(old) is type(new) is np.random.Generator:
        old.bit_generator.state = new.bit_generator.state
    elif type(old) is type(new) is np.random.RandomState:
        old.set_state(new.get_state())
    elif type(old) is type(new) and "pandas" in sys.modules and type(old) in (sys.modules["pandas"].DataFrame, sys.modules["pandas"].Series):
        old._update_inplace(new)  # what pandas itself does for inplace=True
        if type(old) is sys.modules["pandas"].Series:
            old.name = new.name
    else:
        return False
    return True


# ---------------------------------------------------------------- Python's own

DESCRIBED: dict[type, tuple[str, Callable[[Any], tuple]]] = {
    range: ("range", lambda v: (v.start, v.stop, v.step)),
    slice: ("slice", lambda v: (v.start, v.stop, v.step)),
    type(Ellipsis): ("Ellipsis", lambda v: ()),
    type(NotImplemented): ("NotImplemented", lambda v: ()),
    bytearray: ("bytearray", lambda v: (bytes(v),)),
    fractions.Fraction: ("Fraction", lambda v: (v.numerator, v.denominator)),
    decimal.Decimal: ("Decimal", lambda v: (str(v),)),
    datetime.date: ("date", lambda v: (v.isoformat(),)),
    datetime.time: ("time", lambda v: (v.isoformat(),)),
    datetime.datetime: ("datetime", lambda v: (v.isoformat(),)),
    datetime.timedelta: ("timedelta", lambda v: (v.days, v.seconds, v.microseconds)),
    collections.Counter: ("Counter", lambda v: (dict(v),)),
    collections.OrderedDict: ("OrderedDict", lambda v: (list(v.items()),)),
    collections.defaultdict: ("defaultdict", lambda v: (v.default_factory, dict(v))),
    collections.deque: ("deque", lambda v: (list(v), v.maxlen)),
    type({}.keys()): ("keys", lambda v: (list(v),)),
    type({}.values()): ("values", lambda v: (list(v),)),
    type({}.items()): ("items", lambda v: (list(v),)),
    np.random.Generator: ("Generator", lambda v: (type(v.bit_generator).__name__, v.bit_generator.state)),
    np.random.RandomState: ("RandomState", lambda v: (v.get_state(legacy=False),)),
    np.matrix: ("matrix", lambda v: (np.asarray(v),)),
}
DESCRIBED.update({kind: ("dtype", lambda v: (v.str,)) for kind in {type(np.dtype(code)) for code in "?bhilqBHILQefdgFDGSUMmOV"}})


def _generator(name: str, state: dict) -> np.random.Generator:
    if name not in BIT_GENERATORS:
        raise ValueError
    bits = getattr(np.random, name)()
    bits.state = _sound(state)
    return np.random.Generator(bits)


def _random_state(state: dict) -> np.random.RandomState:
    made = np.random.RandomState()
    made.set_state(_sound(state))
    return made


def _sound(state: dict) -> dict:
    """Return the state of a generator, if it points into its own numbers: NumPy does not look."""
    inner = state["state"]
    if not 0 <= inner.get("pos", 0) <= 624 or not 0 <= state.get("buffer_pos", 0) <= 4:
        raise ValueError
    return state


def _defaultdict(factory: Any, items: dict) -> collections.defaultdict:
    return collections.defaultdict(factory if callable(factory) else None, items)


# ---------------------------------------------------------------- arrays of other kinds


def _describe_array(value: Any) -> tuple | None:
    array = np.asarray(value)
    if array.dtype.hasobject:
        return ("objects", array.shape, array.ravel().tolist()) if array.dtype.kind == "O" else None
    if array.dtype.kind in "mMS":
        return ("raw", array.dtype.str, array.shape if type(value) is np.ndarray else None, array.tobytes())
    if array.dtype.kind == "V" and array.dtype.names:
        return ("records", list(array.dtype.names), [np.ascontiguousarray(array[name]) for name in array.dtype.names])
    return None


def _objects(shape: tuple, items: list) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array.reshape(shape)


def _raw(dtype: str, shape: tuple | None, data: bytes) -> Any:
    if np.dtype(dtype).kind not in "mMS":
        raise ValueError
    array = np.frombuffer(data, dtype).copy()
    return array[0] if shape is None else array.reshape(shape)


def _records(names: list, columns: list) -> np.ndarray:
    array = np.empty(columns[0].shape, [(name, column.dtype) for name, column in zip(names, columns, strict=True)])
    for name, column in zip(names, columns, strict=True):
        array[name] = column
    return array


# ---------------------------------------------------------------- pandas, where the course uses it


def _describe_pandas(value: Any) -> tuple | None:
    import pandas as pd

    kind = type(value)
    if kind is pd.DataFrame:
        columns = [_column(value.iloc[:, n]) for n in range(value.shape[1])]
        return ("DataFrame", _described_index(value.columns), columns, _described_index(value.index))
    if kind is pd.Series:
        return ("Series", _column(value), _described_index(value.index), value.name)
    if isinstance(value, pd.Index) and kind.__module__.startswith("pandas."):
        return ("Index", _described_index(value))
    if kind in (pd.Timestamp, pd.Timedelta):
        return (kind.__name__, value.isoformat())
    if kind is pd.Interval:
        return ("Interval", value.left, value.right, value.closed)
    if value is pd.NaT or value is pd.NA:
        return ("NaT",) if value is pd.NaT else ("NA",)
    return None


def _column(series: Any) -> tuple:
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biufcmM":
        return ("", series.to_numpy())
    if str(series.dtype) == "category":
        return ("category", series.astype(object).tolist(), _described_index(series.cat.categories), series.cat.ordered)
    return (str(series.dtype), series.astype(object).tolist())


def _described_index(index: Any) -> tuple:
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return ("range", index.start, index.stop, index.step, index.name)
    if isinstance(index, pd.MultiIndex):
        return ("multi", index.tolist(), list(index.names))
    freq = index.freqstr if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    return ("plain", _column(index.to_series()), index.name, freq)


def _built_column(dtype: str, values: Any, *category: Any, **options: Any) -> Any:
    import pandas as pd

    if category:
        categories, ordered = category
        return pd.Series(pd.Categorical(values, _built_index(*categories), ordered), **options)
    return pd.Series(values, dtype=dtype or None, **options)


def _built_index(form: str, *parts: Any) -> Any:
    import pandas as pd

    if form == "range":
        return pd.RangeIndex(*parts[:3], name=parts[3])
    if form == "multi":
        return pd.MultiIndex.from_tuples(parts[0], names=parts[1])
    column, name, freq = parts
    index = pd.Index(_built_column(*column), name=name)
    if freq is not None:
        index.freq = freq
    return index


def _data_frame(columns: tuple, data: list, index: tuple) -> Any:
    import pandas as pd

    rows = _built_index(*index)
    frame = pd.DataFrame({n: _built_column(*column).array for n, column in enumerate(data)}, index=rows)
    frame.columns = _built_index(*columns)
    return frame


def _series(column: tuple, index: tuple, name: Any) -> Any:
    return _built_column(*column, index=_built_index(*index), name=name)


def _from_pandas(name: str) -> Callable[..., Any]:
    def make(*parts: Any) -> Any:
        import pandas as pd

        found = getattr(pd, name)
        return found(*parts) if parts else found

    return make


BUILDERS: dict[str, Callable[..., Any]] = {
    "range": range,
    "slice": slice,
    "Ellipsis": lambda: Ellipsis,
    "NotImplemented": lambda: NotImplemented,
    "bytearray": bytearray,
    "Fraction": fractions.Fraction,
    "Decimal": decimal.Decimal,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "datetime": datetime.datetime.fromisoformat,
    "timedelta": datetime.timedelta,
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
    "defaultdict": _defaultdict,
    "deque": collections.deque,
    "keys": lambda items: dict.fromkeys(items).keys(),
    "values": lambda items: dict(enumerate(items)).values(),
    "items": lambda items: dict(items).items(),
    "Generator": _generator,
    "RandomState": _random_state,
    "matrix": lambda array: array.view(np.matrix) if array.ndim == 2 else None,
    "dtype": np.dtype,
    "namedtuple": lambda name, fields, values: collections.namedtuple(name, fields)(*values),  # noqa: PYI024
    "objects": _objects,
    "raw": _raw,
    "records": _records,
    "DataFrame": _data_frame,
    "Series": _series,
    "Index": lambda described: _built_index(*described),
    "Interval": _from_pandas("Interval"),
    "Timestamp": _from_pandas("Timestamp"),
    "Timedelta": _from_pandas("Timedelta"),
    "NaT": _from_pandas("NaT"),
    "NA": _from_pandas("NA"),
}
