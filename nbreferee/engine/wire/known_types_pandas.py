"""Values of pandas by copy, where the course uses it (see `known_types`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def describe(value: Any) -> tuple[Any, ...] | None:
    """Return what describes a value of pandas; None where it has no copy."""
    import pandas as pd

    kind = type(value)
    if kind is pd.DataFrame:
        columns = [_column(value.iloc[:, n]) for n in range(value.shape[1])]
        return (
            "DataFrame",
            _described_index(value.columns),
            columns,
            _described_index(value.index),
            _plain(value.attrs),
        )
    if kind is pd.Series:
        return (
            "Series",
            _column(value),
            _described_index(value.index),
            value.name,
            _plain(value.attrs),
        )
    if isinstance(value, pd.Index):
        return ("Index", _described_index(value))
    if kind is pd.Timestamp:
        zone = value.tz
        return (
            "Timestamp",
            (value.tz_convert(None) if zone is not None else value).isoformat(),
            _zone(zone),
            value.unit,
        )
    if kind is pd.Timedelta:
        return ("Timedelta", value.isoformat(), value.unit)
    if kind is pd.Period:
        return ("Period", value.ordinal, value.freqstr)
    if kind is pd.Interval:
        return ("Interval", value.left, value.right, value.closed)
    if value is pd.NaT or value is pd.NA:
        return ("NaT",) if value is pd.NaT else ("NA",)
    if isinstance(value, pd.api.extensions.ExtensionDtype):
        return _described_dtype(value)
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return ("pandas array", _column(pd.Series(value)))
    if isinstance(value, pd.offsets.BaseOffset):
        return ("offset", value.freqstr)
    return None


def adopt_state(old: Any, new: Any) -> bool:
    """Give a frame or series the content of another in place; tell whether these are such."""
    import pandas as pd

    if type(old) not in (pd.DataFrame, pd.Series):
        return False
    old._update_inplace(new)  # what pandas itself does for inplace=True
    if type(old) is pd.Series:
        old.name = new.name
    return True


def _plain(attributes: dict[Any, Any]) -> dict[Any, Any]:
    return dict(attributes)


def _zone(zone: Any) -> Any:
    """Return a time zone as a value that has a copy, or by the name that pandas has for it."""
    return (
        str(zone)
        if zone is not None and type(zone).__module__.partition(".")[0] in ("pytz", "dateutil")
        else zone
    )


def _column(series: Any) -> tuple[Any, ...]:
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biufcmM":
        return ("", series.to_numpy())
    if str(series.dtype) == "category":
        return (
            "category",
            series.cat.codes.to_numpy(),
            _described_index(series.cat.categories),
            series.cat.ordered,
        )
    return (_described_dtype(series.dtype), series.astype(object).tolist())


def _described_dtype(dtype: Any) -> tuple[Any, ...]:
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        return (
            "CategoricalDtype",
            None if dtype.categories is None else _described_index(dtype.categories),
            dtype.ordered,
        )
    if isinstance(dtype, pd.DatetimeTZDtype):
        return ("DatetimeTZDtype", dtype.unit, _zone(dtype.tz))
    return ("pandas dtype", str(dtype))


def _described_index(index: Any) -> tuple[Any, ...]:
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return ("range", index.start, index.stop, index.step, index.name)
    if isinstance(index, pd.MultiIndex):
        return (
            "multi",
            [_described_index(level) for level in index.levels],
            [np.array(codes) for codes in index.codes],
            list(index.names),
        )
    freq = index.freqstr if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    return ("plain", _column(index.to_series()), index.name, freq)


def _built_column(dtype: Any, values: Any, *category: Any, **options: Any) -> Any:
    import pandas as pd

    if category:
        categories, ordered = category
        return pd.Series(
            pd.Categorical.from_codes(values, _built_index(*categories), bool(ordered)), **options
        )
    return pd.Series(values, dtype=_built_dtype(*dtype) if dtype else None, **options)


def _built_dtype(form: str, *parts: Any) -> Any:
    import pandas as pd

    if form == "CategoricalDtype":
        categories, ordered = parts
        return pd.CategoricalDtype(
            None if categories is None else _built_index(*categories), ordered
        )
    if form == "DatetimeTZDtype":
        return pd.DatetimeTZDtype(*parts)
    (name,) = parts
    return pd.api.types.pandas_dtype(name)


def _built_index(form: str, *parts: Any) -> Any:
    import pandas as pd

    if form == "range":
        return pd.RangeIndex(*parts[:3], name=parts[3])
    if form == "multi":
        levels, codes, names = parts
        return pd.MultiIndex(
            [_built_index(*level) for level in levels], codes, names=names, verify_integrity=True
        )
    column, name, freq = parts
    index = pd.Index(_built_column(*column), name=name)
    if freq is not None:
        index.freq = freq
    return index


def _data_frame(
    columns: tuple[Any, ...], data: list[Any], index: tuple[Any, ...], attributes: dict[Any, Any]
) -> Any:
    import pandas as pd

    rows = _built_index(*index)
    frame = pd.DataFrame(
        {n: _built_column(*column).array for n, column in enumerate(data)}, index=rows
    )
    frame.columns = _built_index(*columns)
    frame.attrs = dict(attributes)
    return frame


def _series(
    column: tuple[Any, ...], index: tuple[Any, ...], name: Any, attributes: dict[Any, Any]
) -> Any:
    series = _built_column(*column, index=_built_index(*index), name=name)
    series.attrs = dict(attributes)
    return series


def _timestamp(text: str, zone: Any, unit: str) -> Any:
    import pandas as pd

    made = pd.Timestamp(text) if zone is None else pd.Timestamp(text, tz="UTC").tz_convert(zone)
    return made.as_unit(unit)


def _timedelta(text: str, unit: str) -> Any:
    import pandas as pd

    return pd.Timedelta(text).as_unit(unit)


def _from_pandas(name: str) -> Callable[..., Any]:
    def make(*parts: Any) -> Any:
        import pandas as pd

        found = getattr(pd, name)
        return found(*parts) if parts else found

    return make


def _period(ordinal: int, frequency: str) -> Any:
    import pandas as pd

    return pd.Period(ordinal=ordinal, freq=frequency)


def _offset(frequency: str) -> Any:
    import pandas as pd

    return pd.tseries.frequencies.to_offset(frequency)


BUILDERS: dict[str, Callable[..., Any]] = {
    "DataFrame": _data_frame,
    "Series": _series,
    "Index": lambda described: _built_index(*described),
    "Interval": _from_pandas("Interval"),
    "Timestamp": _timestamp,
    "Timedelta": _timedelta,
    "Period": _period,
    "NaT": _from_pandas("NaT"),
    "NA": _from_pandas("NA"),
    "CategoricalDtype": lambda *parts: _built_dtype("CategoricalDtype", *parts),
    "DatetimeTZDtype": lambda *parts: _built_dtype("DatetimeTZDtype", *parts),
    "pandas dtype": lambda name: _built_dtype("pandas dtype", name),
    "pandas array": lambda column: _built_column(*column).array,
    "offset": _offset,
}
