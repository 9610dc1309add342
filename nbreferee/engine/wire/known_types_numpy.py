"""NumPy's values beyond the codec's own, by copy (see `known_types`).

Nothing here trusts a description: sizes, types and indices are checked before NumPy or SciPy use
them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
POLYNOMIALS = tuple(
    getattr(np.polynomial, name)
    for name in ("Polynomial", "Chebyshev", "Legendre", "Hermite", "HermiteE", "Laguerre")
)
MOST_EMPTY = 1_000_000  # items of an array that take no bytes
SPARSE = (
    "csr_matrix",
    "csc_matrix",
    "bsr_matrix",
    "coo_matrix",
    "csr_array",
    "csc_array",
    "bsr_array",
    "coo_array",
)


def describe_array(value: Any) -> tuple[Any, ...] | None:
    """Return what describes an array or scalar of a kind that the codec does not have."""
    array = np.asarray(value)
    shape = array.shape if type(value) is np.ndarray else None
    if array.dtype.kind == "O":
        return ("objects", array.shape, array.ravel().tolist())
    if array.dtype.kind in "mMS" or (
        array.dtype.kind == "V" and not array.dtype.names and not array.dtype.subdtype
    ):
        return ("raw", array.dtype.str, shape, array.tobytes())
    if array.dtype.kind == "V" and array.dtype.names:
        columns = [np.ascontiguousarray(array[name]) for name in array.dtype.names]
        return ("records", shape, describe_dtype(array.dtype), columns)
    return None


def describe_dtype(dtype: np.dtype) -> Any:
    """Return a type of numbers as text, or its fields with their names, types and shapes."""
    if not dtype.names:
        return dtype.str
    inner = [(name, dtype[name].base, dtype[name].shape) for name in dtype.names]
    return dtype.isalignedstruct, [
        (name, describe_dtype(base), shape) for name, base, shape in inner
    ]


def build_dtype(described: Any) -> np.dtype:
    """Return the type of numbers that `describe_dtype` describes."""
    if type(described) is str:
        return np.dtype(described)
    aligned, fields = described
    return np.dtype(
        [(str(name), build_dtype(inner), tuple(shape)) for name, inner, shape in fields],
        align=bool(aligned),
    )


def _objects(shape: tuple[Any, ...], items: list[Any]) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array.reshape(shape)


def _raw(dtype: str, shape: tuple[Any, ...] | None, data: bytes) -> Any:
    kind = np.dtype(dtype)
    if kind.kind not in "mMSV" or kind.hasobject or kind.names:
        raise ValueError
    if not kind.itemsize and math.prod(shape or ()) <= MOST_EMPTY:  # empty texts
        return np.zeros(shape or (), kind)[()]
    array = np.frombuffer(data, kind).copy() if data else np.empty(0, kind)
    return array[0] if shape is None else array.reshape(shape)


def _records(shape: tuple[Any, ...] | None, described: Any, columns: list[Any]) -> Any:
    dtype = build_dtype(described)
    size = columns[0].shape[: columns[0].ndim - len(dtype[0].shape)]
    array = np.zeros(size, dtype)
    for name, column in zip(dtype.names or (), columns, strict=True):
        array[name] = column
    return array.reshape(())[()] if shape is None else array.reshape(shape)


def _masked(data: np.ndarray, mask: np.ndarray, fill_value: Any, hard: bool) -> Any:
    if (
        not isinstance(data, np.ndarray)
        or not isinstance(mask, np.ndarray)
        or mask.shape not in (data.shape, ())
    ):
        raise ValueError
    masked = np.ma.MaskedArray(
        data, mask if mask.ndim or mask else np.ma.nomask, hard_mask=bool(hard)
    )
    if fill_value is not None:
        masked.fill_value = fill_value
    return masked


def _generator(name: str, state: dict[Any, Any]) -> np.random.Generator:
    if name not in BIT_GENERATORS:
        raise ValueError
    bits = getattr(np.random, name)()
    bits.state = _sound(state)
    return np.random.Generator(bits)


def _random_state(state: dict[Any, Any]) -> np.random.RandomState:
    made = np.random.RandomState()
    made.set_state(_sound(state))
    return made


def _sound(state: dict[Any, Any]) -> dict[Any, Any]:
    """Return the state of a generator, if it points into its own numbers: NumPy does not look."""
    inner = state["state"]
    if not 0 <= inner.get("pos", 0) <= 624 or not 0 <= state.get("buffer_pos", 0) <= 4:
        raise ValueError
    return state


def _polynomial(name: str, coefficients: np.ndarray, domain: Any, window: Any, symbol: str) -> Any:
    return {kind.__name__: kind for kind in POLYNOMIALS}[name](coefficients, domain, window, symbol)


def _vectorized(
    function: Any, otypes: Any, excluded: Any, cache: bool, signature: Any
) -> np.vectorize:
    return np.vectorize(
        function, otypes=otypes, excluded=excluded, cache=cache, signature=signature
    )


def _array_view(kind: type, dimensions: int | None = None) -> Callable[[Any], Any]:
    def view(array: Any) -> Any:
        if type(array) is not np.ndarray or (dimensions is not None and array.ndim != dimensions):
            raise ValueError
        return array.view(kind)

    return view


DESCRIBED: dict[type, tuple[str, Callable[[Any], tuple[Any, ...]]]] = {
    np.random.Generator: (
        "Generator",
        lambda v: (type(v.bit_generator).__name__, v.bit_generator.state),
    ),
    np.random.RandomState: ("RandomState", lambda v: (v.get_state(legacy=False),)),
    np.matrix: ("matrix", lambda v: (np.asarray(v),)),
    np.recarray: ("recarray", lambda v: (v.view(_plain_fields(v.dtype), np.ndarray),)),
    np.record: (
        "record",
        lambda v: (np.asarray(v).view(_plain_fields(v.dtype), np.ndarray).reshape(1),),
    ),
    np.memmap: ("array", lambda v: (np.array(v),)),
    np.ma.MaskedArray: (
        "masked",
        lambda v: (v.data, np.asarray(v.mask), v._fill_value, v.hardmask),
    ),
    type(np.ma.masked): ("masked constant", lambda v: ()),
    np.poly1d: ("poly1d", lambda v: (v.coeffs, v.variable)),
    **{
        kind: ("Polynomial", lambda v: (type(v).__name__, v.coef, v.domain, v.window, v.symbol))
        for kind in POLYNOMIALS
    },
    **{
        type(np.dtype(code)): ("dtype", lambda v: (describe_dtype(v),))
        for code in "?bhilqBHILQefdgFDGSUMmOV"
    },
}


def _plain_fields(dtype: np.dtype) -> np.dtype:
    """Return the type of a record array as that of a structured one."""
    return np.dtype((np.void, dtype))


BUILDERS: dict[str, Callable[..., Any]] = {
    "Generator": _generator,
    "RandomState": _random_state,
    "matrix": _array_view(np.matrix, dimensions=2),
    "recarray": _array_view(np.recarray),
    "record": lambda array: _array_view(np.recarray, dimensions=1)(array)[0],
    "array": lambda array: array,
    "masked": _masked,
    "masked constant": lambda: np.ma.masked,
    "poly1d": lambda coefficients, variable: np.poly1d(coefficients, variable=variable),
    "vectorize": _vectorized,
    "Polynomial": _polynomial,
    "dtype": build_dtype,
    "objects": _objects,
    "raw": _raw,
    "records": _records,
    "sparse": lambda *parts: _sparse(*parts),
    "Image": lambda mode, size, data: sys.modules["PIL.Image"].frombytes(mode, size, data),
}

# -------------------------------- SciPy and Pillow, where the course uses them


def describe_scipy(value: Any) -> tuple[Any, ...] | None:
    """Return what describes a sparse matrix."""
    name = type(value).__name__
    if name not in SPARSE or type(value) is not getattr(
        sys.modules.get("scipy.sparse"), name, None
    ):
        return None
    if name.startswith("coo"):
        return ("sparse", name, value.shape, (value.data, *value.coords))
    return ("sparse", name, value.shape, (value.data, value.indices, value.indptr))


def _sparse(name: str, shape: tuple[Any, ...], parts: tuple[Any, ...]) -> Any:
    from scipy import sparse

    if name not in SPARSE or not all(type(part) is np.ndarray for part in parts):
        raise ValueError
    data, *indices = parts
    if data.dtype.kind not in "biufc" or not all(one.dtype.kind in "iu" for one in indices):
        raise ValueError
    if name.startswith("coo"):
        return getattr(sparse, name)((data, tuple(indices)), shape)
    made = getattr(sparse, name)((data, *indices), shape)
    made.check_format(full_check=True)  # SciPy's own routines believe their indices
    return made


def describe_image(value: Any) -> tuple[Any, ...] | None:
    """Return what describes an image of Pillow's that is in memory."""
    if type(value) is not getattr(sys.modules.get("PIL.Image"), "Image", None) or value.mode == "P":
        return None
    return ("Image", value.mode, value.size, value.tobytes())
