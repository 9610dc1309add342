"""Check gradients: against finite differences, and against a reference.

The only file that a notebook of this course needs beside NumPy and Matplotlib. It holds no answers.

For students, while they work:

    numerical_jacobian(f, x)             central differences
    check_gradient(f, gradient, x)       analytic against numeric, with a picture where they differ

For tests, a table of a function, its reference, the cases, and the mistakes that are known:

    check(softmax, reference, cases=[...], mistakes={"what a tutor would say": wrong_softmax})

`check` says in one AssertionError what went wrong, in this order: the function raised; it returned
nothing, or something that is no array; the shape is wrong; a value is not finite; the values are
wrong; an argument was changed. To that it adds the likely cause: a named mistake that does the same
on every case, or else a pattern (sign, factor, transpose, diagonal, order of the axes).
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import itertools
import linecache
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "any_slope", "any_svd", "cases_for", "check", "check_example", "check_gradient", "numerical_jacobian", "plot_jacobians",
    "random_arrays", "up_to_basis", "up_to_sign",
]  # fmt: skip

ATOL = 1e-12
RTOL = 1e-7
RTOL_FLOAT32 = 1e-4

# The first case is tried in these forms too. Those of the first table cost no points: where one fails,
# a note says so, and what helps.
GIVEN_AS = {
    "lists": ("as lists", "np.asarray(x, dtype=float) turns a list into an array"),
    "integers": ("as integers", "np.asarray(x, dtype=float) makes them floats; np.zeros_like keeps integers"),
    "float32": ("in float32", "np.asarray(x, dtype=float) makes every array float64"),
    "read-only": ("as a read-only array", "work on a copy of what you write into"),
    "strided": ("as every other entry of a larger array", "use the array's shape and indices, not how its numbers lie in memory"),
}
SCALED = {
    "small": ("100,000 times smaller", "it rounds, or takes small numbers for 0"),
    "large": ("100,000 times larger", "it clips, or takes a fixed bound for a relative one"),
}
FORMS = GIVEN_AS | SCALED

Parts = tuple[np.ndarray, ...]


# ---------------------------------------------------------------- finite differences


def numerical_jacobian(f: Callable, x: Any, h: float = 1e-6) -> np.ndarray:
    """Approximate the Jacobian of `f` at `x` by central differences.

    Parameters
    ----------
    f : function of one array of x's shape, returning an array or a number
    x : array_like, copied to float64
    h : step; the error is about h² from the formula and 1e-16 / h from rounding

    Returns
    -------
    array of shape f(x).shape + x.shape: the derivative of every output by every input.

    Examples
    --------
    >>> numerical_jacobian(lambda x: x[0] * x, np.array([2.0, 3.0])).round(6)
    array([[4., 0.],
           [3., 2.]])
    """
    x = np.array(x, dtype=np.float64)
    jacobian = np.empty(_value_of(f, x).shape + x.shape)
    for index in np.ndindex(x.shape):
        forward, backward = x.copy(), x.copy()
        forward[index] += h
        backward[index] -= h
        step = forward[index] - backward[index]  # what floating point made of 2h
        jacobian[(..., *index)] = (_value_of(f, forward) - _value_of(f, backward)) / step
    return jacobian


def check_gradient(
    f: Callable, gradient: Any, x: Any, *, h: float = 1e-6, tolerance: float = 1e-6, figure: bool = True
) -> float:
    """Compare an analytic gradient or Jacobian of `f` at `x` with the numerical one; print both.

    Parameters
    ----------
    f : function of one array, returning an array or a number
    gradient : array of shape f(x).shape + x.shape, or a function that returns it for x
    tolerance : largest relative error accepted, max|analytic - numeric| / max|numeric|
    figure : draw `plot_jacobians` where the two differ

    Returns
    -------
    The relative error.

    Raises
    ------
    AssertionError
        where the shapes differ or the relative error exceeds the tolerance.
    """
    x = np.array(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        numeric = numerical_jacobian(f, x, h)
    analytic = _value_of(gradient, x) if callable(gradient) else _as_array(gradient)[0]
    if analytic.shape != numeric.shape:
        raise _failure(f"The gradient {_shape_fault(analytic, numeric)}.")
    if not np.all(np.isfinite(numeric)):
        raise _failure(f"The numeric gradient is not finite: f has no derivative here, or the step h = {h:g} does not suit x.")
    # What rounding f leaves in a difference of its values is no error of the gradient.
    rounding = 10 * np.finfo(float).eps * np.max(np.abs(_value_of(f, x)), initial=0) / h
    largest = np.max(np.abs(numeric), initial=0)
    difference = np.max(np.abs(analytic - numeric), initial=0)
    error = float(difference / max(largest, rounding, 1e-300))
    with np.printoptions(precision=6, suppress=True, threshold=60):
        print(f"analytic:\n{analytic}\nnumeric:\n{numeric}\nrelative error: {error:.1e}")
    if difference <= tolerance * largest + rounding:
        return error
    if figure:
        plot_jacobians(analytic, numeric, inputs=x.size)
    hint = _pattern(analytic, numeric, rtol=1e-5)
    fault = _finite_fault(analytic, numeric) or _value_fault(analytic, numeric)
    raise _failure(f"The gradient: {fault}.", hint)


def plot_jacobians(analytic: np.ndarray, numeric: np.ndarray, inputs: int | None = None):
    """Draw a Jacobian, its numerical twin beside it and their difference below; return the figure.

    Every array is drawn as a matrix with an output a row and an input a column; `inputs` is the
    number of columns (default: the last axis).
    """
    import matplotlib.pyplot as plt

    columns = inputs or np.shape(np.atleast_1d(numeric))[-1]
    analytic, numeric = (np.reshape(a, (-1, columns)) for a in (analytic, numeric))
    panels = (analytic, numeric, analytic - numeric)
    fig = plt.figure(figsize=(5.6, 4.6), layout="constrained")  # narrow, for a phone
    axes = fig.subplot_mosaic([["analytic", "numeric"], ["difference", "."]])
    for (title, ax), panel in zip(axes.items(), panels, strict=True):
        limit = np.max(np.abs(panel[np.isfinite(panel)]), initial=0) or 1
        image = ax.imshow(panel, cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto")
        ax.set(title=title, xlabel="input", ylabel="output")
        fig.colorbar(image, ax=ax, label="difference" if title == "difference" else "derivative")
    return fig


def random_arrays(seed: int, *shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Return one case: standard normal arrays of the given shapes, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=shape) for shape in shapes)


def cases_for(seed: int, *shapes: str) -> list[tuple[np.ndarray, ...]]:
    """Return cases for arrays whose axes have names: `cases_for(1, "N m", "m n")`; "" is a number.

    In the first all axes are unlike. Then each is 1 in turn, any two are alike in turn, and all are
    long; last come small whole numbers, with zeros, equal rows and equal columns.

    Examples
    --------
    >>> [(D.shape, W.shape) for D, W in cases_for(1, "N m", "m n")][:3]
    [((3, 4), (4, 5)), ((1, 4), (4, 5)), ((3, 1), (1, 5))]
    """
    names = list(dict.fromkeys(name for shape in shapes for name in shape.split()))
    unlike = {name: 3 + n for n, name in enumerate(names)}
    sizes = [unlike, *({**unlike, name: 1} for name in names)]
    sizes += [{**unlike, a: unlike[b]} for a, b in itertools.combinations(names, 2)]
    sizes += [{name: 35 + 2 * n for n, name in enumerate(names)}, unlike]
    cases = [
        random_arrays(seed + n, *(tuple(size[name] for name in shape.split()) for shape in shapes))
        for n, size in enumerate(sizes)
    ]
    whole = tuple(np.rint(x) for x in cases.pop())
    for x in whole:
        for axis in range(np.ndim(x)):
            x[(0,) * np.ndim(x)] = 0
            first, last = ([slice(None)] * axis + [end] for end in (0, -1))
            x[tuple(last)] = x[tuple(first)]
    return [*cases, whole]


# ---------------------------------------------------------------- which answers count as equal
# A comparison takes what the student returned, a right answer, and the case, and returns the right
# answer that is nearest to the student's.


def up_to_sign(got: Parts, right: Parts, case: tuple) -> Parts:
    """Accept every part with either sign."""
    return tuple(-r if np.vdot(g, r).real < 0 else r for g, r in zip(got, right, strict=True))


def up_to_basis(got: Parts, right: Parts, case: tuple) -> Parts:
    """Accept any orthonormal basis of the same space: the columns of each part.

    The basis nearest to the student's has the same projector as the reference (orthogonal
    Procrustes problem: Golub & Van Loan, Matrix Computations, 6.4.1).
    """
    nearest = []
    for g, r in zip(got, right, strict=True):
        u, _, vt = np.linalg.svd(r.T @ g)
        nearest.append(r @ u @ vt)
    return tuple(nearest)


def any_svd(got: Parts, right: Parts, case: tuple) -> Parts:
    """Accept any thin singular value decomposition (U, s, V) of the case's matrix, in any order."""
    U, s, V = got
    B = (right[0] * right[1]) @ right[2].T
    identity = np.eye(s.size)
    valid = np.all(s >= 0) and all(
        _agree(a, b, RTOL_FLOAT32 if a.dtype == np.float32 else RTOL)
        for a, b in ((U.T @ U, identity), (V.T @ V, identity), ((U * s) @ V.T, B))
    )
    if valid:
        return got
    # Not one: show the reference's, in the student's order and with the student's signs.
    order = np.argsort(np.argsort(-s))
    right_U, right_s, right_V = right[0][:, order], right[1][order], right[2][:, order]
    sign = np.where(np.sum(U * right_U, axis=0) < 0, -1.0, 1.0)
    return right_U * sign, right_s, right_V * sign


def any_slope(other_side: Callable) -> Callable[[Parts, Parts, tuple], Parts]:
    """Accept any slope at a kink: all values between the reference's and `other_side`'s.

    The reference takes the derivative from one side of the kink, `other_side` from the other;
    elsewhere they agree.
    """

    def compare(got: Parts, right: Parts, case: tuple) -> Parts:
        others = _call(other_side, case, right).parts
        return tuple(
            np.clip(g, np.minimum(r, o), np.maximum(r, o)) for g, r, o in zip(got, right, others, strict=True)
        )

    return compare


def _equal(got: Parts, right: Parts, case: tuple) -> Parts:
    return right


# ---------------------------------------------------------------- student against reference


@dataclass(frozen=True)
class _Outcome:
    """What one call did: the arrays it returned, or why there are none; its arguments afterwards."""

    parts: Parts = ()
    error: BaseException | None = None
    complaint: str = ""
    notes: tuple[str, ...] = ()
    arguments: tuple = ()


@dataclass(frozen=True)
class _Judged:
    """What is compared, and how: which outputs, by what names, and whether arguments must come back unchanged."""

    compare: Callable[[Parts, Parts, tuple], Parts] = _equal
    outputs: tuple[str, ...] = ()
    only: str = ""

    def judges(self, position: int) -> bool:
        return not self.only or self.outputs.index(self.only) == position

    def prefix(self, position: int, number: int = 0) -> str:
        """Return the output's name, to stand before what is wrong with it."""
        if position < len(self.outputs):
            return f"{self.outputs[position]}: "
        return f"part {position + 1} of {number}: " if number else f"part {position + 1}: "

    @property
    def arguments(self) -> bool:
        return not self.only or self.only == self.outputs[0]


@dataclass(frozen=True, order=True)
class _Fault:
    rank: int  # place in the order in which faults are reported
    sentence: str
    pattern: str = ""


def check(
    student: Callable,
    reference: Callable,
    cases: Iterable[tuple],
    mistakes: Mapping[str, Callable] | None = None,
    *,
    compare: Callable[[Parts, Parts, tuple], Parts] = _equal,
    outputs: tuple[str, ...] = (),
    only: str = "",
    forms: Iterable[str] = tuple(FORMS),
    rtol: float = RTOL,
) -> None:
    """Call a student's function and the reference on every case and compare.

    Parameters
    ----------
    student, reference : functions of the same arguments. A reference that returns a tuple has
        several parts, each compared by itself; one that raises a ValueError wants the same of the student.
    cases : tuples of arguments; each call gets its own copy.
    mistakes : known wrong answers, {what a tutor would say: function}.
    compare : which answers count as equal: `up_to_sign`, `up_to_basis`, `any_svd`, `any_slope(...)`;
        by default only the reference's.
    outputs : names of the parts, for messages.
    only : the name of the one output that is judged; the others may be anything, None too. A changed
        argument is then a fault where `only` is the first output, so that it costs points once.
    forms : in which forms of `FORMS` the first case is tried too.
    rtol : max|got - want| <= 1e-12 + rtol * max|want|; 1e-4 where the student returns float32.

    Raises
    ------
    AssertionError
        with one text that says what is wrong and, where it can be told, why.

    Examples
    --------
    >>> check(lambda x: -2 * x, lambda x: 2 * x, [(np.array([1.0, 3.0]),)])
    Traceback (most recent call last):
    ...
    AssertionError: Your function, called with x = [1. 3.]: entry [1] is -6, expected 6.
    Likely cause: the sign is flipped.
    """
    cases = [tuple(case) for case in cases]
    if not cases or set(forms) - set(FORMS):
        raise ValueError(f"check wants cases, and forms among {', '.join(FORMS)}")
    if only and only not in outputs:
        raise ValueError(f"only={only!r} is none of the outputs {', '.join(outputs) or '(there are none)'}")
    judged = _Judged(compare, tuple(outputs), only)
    name = getattr(student, "__name__", "<lambda>")
    name = "Your function" if name == "<lambda>" else name
    wants = [_call_reference(reference, case) for case in cases]
    gots = [_call(student, case, want.parts, judged) for case, want in zip(cases, wants, strict=True)]
    faults = [_fault(*triple, judged, rtol) for triple in zip(gots, wants, cases, strict=True)]
    form_notes: dict[str, str] = {}  # one for each form
    for n, (fault, want, case) in enumerate(zip(faults, wants, cases, strict=True)):
        for given in _as_float_arrays(case) if fault else ():
            got = _call(student, given, want.parts, judged)
            if _fault(got, want, given, judged, rtol) is None:
                form = "lists" if any(isinstance(x, list) for x in case) else "integers"
                form_notes.setdefault(form, _form_note(fault, form))
                gots[n], faults[n], cases[n] = got, None, given
                break
    found = [(fault, case) for fault, case in zip(faults, cases, strict=True) if fault]
    if found:
        worst, case = min(found, key=lambda pair: pair[0].rank)
        patterns = {fault.pattern for fault, _ in found if fault.rank == worst.rank}
        written = not any(isinstance(got.error, NotImplementedError) for got in gots)
        cause = _named_mistake(mistakes or {}, gots, wants, cases, judged) if written else ""
        cause = cause or (patterns.pop() if len(patterns) == 1 else "")
        where = _describe(student, reference, case)
        raise _failure(f"{name}, {where}: {_ended(worst.sentence)}", cause)

    has_arrays = any(isinstance(x, np.ndarray) and x.ndim for x in cases[0])
    for form in forms if has_arrays else ():
        case = _in_form(cases[0], form)
        want = _call_reference(reference, case)
        if not all(np.all(np.isfinite(part)) for part in want.parts):
            continue  # the exercise has no answer for these numbers
        got = _call(student, case, want.parts, judged, form)
        fault = _fault(got, want, case, judged, max(rtol, RTOL_FLOAT32) if form == "float32" else rtol)
        if fault and form in GIVEN_AS:
            form_notes.setdefault(form, _form_note(fault, form))
        elif fault:
            where = _describe(student, reference, case)
            raise _failure(f"{name}, {where} given {FORMS[form][0]}: {_ended(fault.sentence)}", FORMS[form][1])

    for note in dict.fromkeys([*(note for got in gots for note in got.notes), *form_notes.values()]):
        print(f"Note: {name} {_ended(note)}")
    print(f"{name}: right on {len(cases)} case{'s' if len(cases) > 1 else ''}.")


def check_example(student: Callable, *arguments: Any, gives: Any) -> None:
    """Compare one call of a student's function with what it gives, worked out by hand.

    Examples
    --------
    >>> check_example(np.cumsum, [1, 2, 4], gives=[1, 3, 7])
    cumsum: right on 1 case.
    """
    check(student, lambda *arguments: gives, [arguments], forms=())


_ALL = _Judged()


def _form_note(fault: _Fault, form: str) -> str:
    """Say what fails in a form that costs no points, and what helps."""
    given, help_ = GIVEN_AS[form]
    return f"is right, but not where its arguments are given {given}: it {_ended(fault.sentence)} It costs no points; {help_}"


def _as_float_arrays(case: tuple) -> list[tuple]:
    """Return a case with lists or integers as arrays, first of the numbers' own type, then of floats."""

    def array(x: Any, dtype: type | None) -> Any:
        if isinstance(x, list) or (isinstance(x, np.ndarray) and x.dtype.kind == "i"):
            with contextlib.suppress(ValueError, TypeError):  # a ragged list stays one
                made = np.array(x, dtype=dtype)
                return made if made.dtype.kind in "if" else x
        return x

    others = [tuple(array(x, dtype) for x in case) for dtype in (None, float)]
    return others if any(a is not b for a, b in zip(case, others[0], strict=True)) else []


def _call(function: Callable, case: tuple, like: Parts = (), judged: _Judged = _ALL, form: str = "") -> _Outcome:
    """Call `function` on a copy of `case`; read what it returns as arrays, `like` the reference's."""
    arguments = tuple(_give(argument, form) for argument in case)
    try:
        # A warning on the way to a right value is no mistake, and nbgrader takes stderr for one.
        with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            value = function(*arguments)
    except (Exception, SystemExit) as error:
        return _Outcome(error=error, arguments=arguments)
    several = len(like) > 1 if like else isinstance(value, tuple)
    if several and (not isinstance(value, (tuple, list)) or (like and len(value) != len(like))):
        returned = _kind(value)
        if isinstance(value, (tuple, list)):
            returned = f"{len(value)} thing{'s' * (len(value) != 1)}"
        wanted = f"{len(like)} arrays" + (f" ({', '.join(judged.outputs)})" if judged.outputs else "")
        return _Outcome(complaint=f"returned {returned}, expected {wanted}", arguments=arguments)
    parts, notes = [], []
    for position, item in enumerate(value if several else (value,)):
        try:
            array, note = _as_array(item, like[position] if like else None)
        except ValueError as error:
            if like and not judged.judges(position):
                parts.append(like[position])
                continue
            return _Outcome(complaint=(judged.prefix(position) if several else "") + str(error), arguments=arguments)
        if like and not judged.judges(position):
            usable = array.shape == like[position].shape and np.all(np.isfinite(array))
            parts.append(array if usable else like[position])
            continue
        parts.append(array)
        notes += [note] if note else []
    return _Outcome(tuple(parts), notes=tuple(notes), arguments=arguments)


def _call_reference(reference: Callable, case: tuple) -> _Outcome:
    want = _call(reference, case)
    if want.complaint:
        raise TypeError(f"The reference {want.complaint}.")
    if want.error is not None and not isinstance(want.error, ValueError):
        raise want.error
    return want


def _as_array(value: Any, like: np.ndarray | None = None) -> tuple[np.ndarray, str]:
    """Read a returned value as an array of numbers; ValueError says in a sentence why it is none."""
    note = ""
    if value is None:
        raise ValueError("returned None; is a return missing?")
    if type(value) in (list, tuple):
        note = f"returned a {type(value).__name__}; it is read as an array"
        try:
            value = np.array(value)
        except ValueError:
            raise ValueError("returned a list that is no array: its rows differ in length") from None
    plain = type(value) is np.ndarray or isinstance(value, (bool, int, float, complex, np.generic))
    array = np.asarray(value) if plain else None
    if array is None or array.dtype.kind not in "biufc":
        raise ValueError(f"returned {_kind(value)}, expected a plain array of numbers")
    if array.dtype.kind == "c" and (like is None or like.dtype.kind != "c"):
        raise ValueError("returned complex numbers, expected real ones")
    if array.dtype.kind in "biu":
        array = array.astype(np.float64)
    if like is not None and array.ndim != like.ndim and _without_ones(array) == _without_ones(like):
        note = f"returned shape {array.shape}; it is read as {like.shape}"
        array = array.reshape(like.shape)
    return array, note


@np.errstate(all="ignore")
def _fault(got: _Outcome, want: _Outcome, case: tuple, judged: _Judged, rtol: float) -> _Fault | None:
    """Return the first thing that is wrong with an outcome, or None."""
    if want.error is not None:
        if isinstance(got.error, type(want.error)):
            return None
        instead = f"raised {type(got.error).__name__}" if got.error else "returned a value"
        return _Fault(0, f"{instead}, expected a {type(want.error).__name__}")
    if got.error is not None:
        return _Fault(0, _error_sentence(got.error))
    if got.complaint:
        return _Fault(1, got.complaint)
    several = len(want.parts) > 1
    places = [n for n in range(len(want.parts)) if not several or judged.judges(n)]
    prefixes = {n: judged.prefix(n, len(want.parts)) if several else "" for n in places}
    for n in places:
        if got.parts[n].shape != want.parts[n].shape:
            return _Fault(2, prefixes[n] + _shape_fault(got.parts[n], want.parts[n]))
    for n in places:
        if sentence := _finite_fault(got.parts[n], want.parts[n]):
            return _Fault(3, prefixes[n] + sentence)
    right = judged.compare(got.parts, want.parts, case)
    for n in places:
        g, r = got.parts[n], right[n]
        if not _agree(g, r, _tolerance(g, rtol)):
            return _Fault(4, prefixes[n] + _value_fault(g, r), _pattern(g, r, _tolerance(g, rtol)))
    if judged.arguments:
        for before, after in zip(case, got.arguments, strict=True):
            if not _same_argument(before, after):
                return _Fault(5, "changed its argument; work on a copy (x = x - 1, not x -= 1)")
    return None


def _named_mistake(
    mistakes: Mapping[str, Callable], gots: list[_Outcome], wants: list[_Outcome], cases: list[tuple], judged: _Judged
) -> str:
    """Return what a tutor says to the mistake that does on every case what the student did, or ''."""
    for sentence, wrong in mistakes.items():
        outcomes = []
        for case, got, want in zip(cases, gots, wants, strict=True):
            outcomes.append(_call(wrong, case, want.parts, judged))
            if not _same_outcome(got, outcomes[-1], case, judged):
                break
        else:
            # With no value to compare, the type of the exceptions alone says too little.
            if any(o.error is None for o in outcomes) or str(outcomes[0].error) == str(gots[0].error):
                return sentence
    return ""


def _same_outcome(got: _Outcome, other: _Outcome, case: tuple, judged: _Judged) -> bool:
    if got.error is not None or other.error is not None:
        kinds = type(got.error), type(other.error)  # NumPy's own MemoryError is a MemoryError
        return issubclass(*kinds) or issubclass(*kinds[::-1])
    if got.complaint or other.complaint:
        return got.complaint == other.complaint
    places = [n for n in range(len(other.parts)) if len(other.parts) == 1 or judged.judges(n)]
    if any(got.parts[n].shape != other.parts[n].shape for n in places):
        return False
    parts = other.parts
    if judged.compare in (up_to_sign, up_to_basis) and all(np.all(np.isfinite(a)) for a in got.parts + other.parts):
        parts = judged.compare(got.parts, other.parts, case)
    if not all(_agree(got.parts[n], parts[n], _tolerance(got.parts[n], RTOL)) for n in places):
        return False
    return not judged.arguments or all(map(_same_argument, got.arguments, other.arguments))


def _agree(got: np.ndarray, want: np.ndarray, rtol: float) -> bool:
    """max|got - want| <= ATOL + rtol * max|want|, with inf and NaN in the same places."""
    finite = np.isfinite(want)
    if got.shape != want.shape or not np.array_equal(got[~finite], want[~finite], equal_nan=True):
        return False
    scale = np.max(np.abs(want[finite]), initial=0)
    return bool(np.all(np.abs(got[finite] - want[finite]) <= ATOL + rtol * scale))


def _tolerance(got: np.ndarray, rtol: float) -> float:
    return max(rtol, RTOL_FLOAT32) if got.dtype == np.float32 else rtol


def _same_argument(before: Any, after: Any) -> bool:
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(_same_argument, before, after))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_same_argument(before[key], after[key]) for key in before)
    if isinstance(before, (np.ndarray, int, float, complex)):
        return np.array_equal(before, after, equal_nan=np.asarray(before).dtype.kind in "fc")
    return True  # a function or a random generator


def _in_form(case: tuple, form: str) -> tuple:
    """Return the case with numbers that the form can hold, in float64."""

    def adapted(x: Any) -> Any:
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return x
        if form == "integers":
            return np.rint(4 * x)
        if form == "float32":
            return x.astype(np.float32).astype(np.float64)
        return x * {"small": 1e-5, "large": 1e5}.get(form, 1)

    return tuple(adapted(x) for x in case)


def _give(argument: Any, form: str) -> Any:
    """Return a copy of an argument, an array of at least one axis in the form asked for."""
    x = copy.deepcopy(argument)
    if not isinstance(x, np.ndarray) or x.ndim == 0:
        return x
    if form == "lists":
        return x.tolist()
    if form == "integers":
        return x.astype(int)
    if form == "float32" and x.dtype.kind == "f":
        return x.astype(np.float32)
    if form == "strided":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if form == "read-only":
        x.setflags(write=False)
    return x


# ---------------------------------------------------------------- sentences


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else sentence + "."


def _failure(fault: str, cause: str = "") -> AssertionError:
    """Return the error to raise: Jupyter shows its text alone, without the lines of a hidden test."""
    text = fault + (f"\nLikely cause: {_ended(cause)}" if cause else "")
    error = AssertionError(text)
    shown = f"AssertionError: {text}".split("\n")
    error._render_traceback_ = lambda: [row for line in shown for row in textwrap.wrap(line, 90)]
    return error


def _value_of(f: Callable, x: np.ndarray) -> np.ndarray:
    try:
        return _as_array(f(x.copy()))[0]
    except ValueError as error:
        raise ValueError(f"{getattr(f, '__name__', 'f')}: {error}") from None


def _kind(value: Any) -> str:
    if isinstance(value, np.ma.MaskedArray):
        return "a masked array"
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return "an array of objects"
    if isinstance(value, str) or (isinstance(value, np.ndarray) and value.dtype.kind in "US"):
        return "text"
    return f"an object of type {type(value).__name__}"


def _without_ones(array: np.ndarray) -> tuple[int, ...]:
    return tuple(n for n in array.shape if n != 1)


def _at(index: Iterable[np.integer]) -> str:
    index = [int(i) for i in index]
    return f"entry {index} is" if index else "the value is"


def _shape_fault(got: np.ndarray, want: np.ndarray) -> str:
    if got.size == 0 and want.size > 0:
        return f"is empty, of shape {got.shape}, expected {want.shape}"
    fault = f"has shape {got.shape}, expected {want.shape}"
    if got.ndim == want.ndim == 2 and got.T.shape == want.shape:
        return fault + (": it is the transpose" if _agree(got.T, want, RTOL_FLOAT32) else ", that of the transpose")
    if got.size == want.size and _agree(got.ravel(), want.ravel(), RTOL_FLOAT32):
        return fault + (": it is flattened" if got.ndim < want.ndim else ": the numbers are right, reshape them")
    if got.ndim == want.ndim and sorted(got.shape) == sorted(want.shape):
        return fault + ": the axes are permuted"
    return fault


def _finite_fault(got: np.ndarray, want: np.ndarray) -> str:
    bad = np.argwhere(~np.isfinite(got) & np.isfinite(want))
    return f"{_at(bad[0])} {got[tuple(bad[0])]:g}, expected finite numbers" if len(bad) else ""


def _value_fault(got: np.ndarray, want: np.ndarray) -> str:
    worst = np.unravel_index(np.argmax(np.abs(got - want)), got.shape)
    g, w = got[worst], want[worst]
    digits = next((n + 1 for n in range(3, 16) if f"{g:.{n}g}" != f"{w:.{n}g}"), 17)
    return f"{_at(worst)} {g:.{digits}g}, expected {w:.{digits}g}"


def _pattern(got: np.ndarray, want: np.ndarray, rtol: float) -> str:
    """Say in what simple way all of `got` differs from `want`, or ''."""
    if not np.all(np.isfinite(got)) or not want.any():
        return ""
    if not got.any():
        return "every entry is 0" if got.size > 1 else ""
    unit = want / np.max(np.abs(want))  # so that the squares of small numbers do not vanish
    factor = np.vdot(unit, got).real / np.vdot(unit, want).real
    if _agree(got, factor * want, rtol) and got.size > 1:
        return "the sign is flipped" if abs(factor + 1) < rtol else f"every entry is {factor:.6g} times the right one"
    if got.ndim == 2 and got.shape[0] == got.shape[1]:
        if _agree(got.T, want, rtol):
            return "it is the transpose"
        if got.size > 1 and _agree(np.diag(got), np.diag(want), rtol):
            return "only the diagonal is right"
    for order in itertools.permutations(range(got.ndim)) if got.ndim <= 4 else ():
        if _agree(got.transpose(order), want, rtol):
            return f"the axes are permuted: np.transpose(result, {order}) would be right"
    return ""


def _error_sentence(error: BaseException) -> str:
    if isinstance(error, NotImplementedError):
        return "is not written yet (it raises NotImplementedError)"
    if isinstance(error, SystemExit):
        return "called exit(), which would end the notebook"
    try:
        text = " ".join(str(error).split())
    except Exception:  # it may be the student's own class
        text = ""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    own = [f for f in frames if "site-packages" not in f.filename and not f.filename.startswith("<__array")]
    line = (own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno or 0)).strip() if own else ""
    return f"raised {type(error).__name__}: {text}"[:300] + (f" (at: {line})" if line else "")


def _parameter_names(function: Callable) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a built-in function
        return []
    return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _describe(student: Callable, reference: Callable, case: tuple) -> str:
    """Say with which arguments: small ones by value, others by shape."""
    names = _parameter_names(reference) or _parameter_names(student)
    words = []
    for name, value in itertools.zip_longest(names[: len(case)], case, fillvalue="argument"):
        if isinstance(value, (int, float, str)) or (isinstance(value, np.ndarray) and value.ndim < 2 and value.size < 5):
            with np.printoptions(precision=4, suppress=True):
                words.append(f"{name} = {value}")
        elif isinstance(value, np.ndarray):
            words.append(f"{name} {value.shape}")
        else:
            words.append(f"{name} = {getattr(value, '__name__', type(value).__name__)}")
    return "called with " + ", ".join(words) if words else "called"
