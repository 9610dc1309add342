"""Check gradients: against finite differences, and against a reference.

The only file that a notebook of this course imports beside NumPy and Matplotlib. It holds no
answers.

For students, while they work:

    numerical_jacobian(f, x)             central differences
    check_gradient(f, gradient, x)       analytic against numeric, with a picture where they differ

For tests, a table of a function, its reference, the cases, and the mistakes that are known:

    check(softmax, reference, cases=[...], mistakes={"what a tutor would say": wrong_softmax})

`check` says in one AssertionError what went wrong, in this order: the function raised; it returned
nothing, or something that is no array; the shape is wrong; a value is not finite; the values are
wrong; an argument was changed. To that it adds the likely cause: a named mistake that does the
same, or else a pattern (see `gradcheck_causes`), or else what the grader finds (see
`look_further`).
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import itertools
import linecache
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck_causes import (
    RTOL,
    RTOL_FLOAT32,
    SHAPE_CAUSES,
    Result,
    agree,
    differing,
    factor_pattern,
    farthest,
    finite_fault,
    in_other_shape,
    pattern,
    plain_pattern,
    shape_fault,
    tolerance,
    value_fault,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "NotWritten",
    "any_slope",
    "any_svd",
    "cases_for",
    "check",
    "check_example",
    "check_gradient",
    "numerical_jacobian",
    "plot_jacobians",
    "random_arrays",
    "up_to_basis",
    "up_to_sign",
]

# a formula meets this in some case; finite differences, right to 11 digits at best, in none
ANALYTIC_RTOL = 1e-12
ZERO = 1e-10  # what counts as 0, as a part of the largest singular value

# The first case is tried in these forms too. Those of the first table cost no points: where one
# fails, a note says so, and what helps.
GIVEN_AS = {
    "lists": ("as lists", "np.asarray(x, dtype=float) turns a list into an array"),
    "integers": (
        "as integers",
        "np.asarray(x, dtype=float) makes them floats; np.zeros_like keeps integers",
    ),
    "float32": ("in float32", "np.asarray(x, dtype=float) makes every array float64"),
    "read-only": ("as a read-only array", "work on a copy of what you write into"),
    "strided": (
        "as every other entry of a larger array",
        "use the array's shape and indices, not how its numbers lie in memory",
    ),
}
SCALED = {
    "small": ("100,000 times smaller", "it rounds, or takes small numbers for 0"),
    "large": ("100,000 times larger", "it clips, or takes a fixed bound for a relative one"),
}
FORMS = GIVEN_AS | SCALED

Parts = tuple[np.ndarray, ...]

# A grader that knows more than the test, such as the solution, may put a function here. It is
# called where a wrong answer has no known cause, with the student's function's name, the reference,
# and `agrees`, which tells of a wrong function whether it does what the student's did; it returns
# the cause in words, or "".
look_further: (
    Callable[[str, Callable[..., Any], Callable[[Callable[..., Any]], bool]], str] | None
) = None


class NotWritten(NotImplementedError):
    """Raised by a function that is still to be written: says which, in one line.

    Examples
    --------
    >>> def softmax(z):
    ...     raise NotWritten
    >>> softmax(0)
    Traceback (most recent call last):
    ...
    gradcheck.NotWritten: softmax is not written yet.
    """

    def __init__(self, text: str = "") -> None:
        name = sys._getframe(1).f_code.co_name
        super().__init__(
            text or f"{'This cell' if name == '<module>' else name} is not written yet."
        )

    def _render_traceback_(self) -> list[str]:
        """Return what Jupyter shows."""
        return [str(self)]


# ---------------------------------------------------------------- finite differences


def numerical_jacobian(f: Callable[..., Any], x: Any, h: float = 1e-6) -> np.ndarray:
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
    f: Callable[..., Any],
    gradient: Any,
    x: Any,
    *,
    h: float = 1e-6,
    tolerance: float = 1e-6,
    figure: bool = True,
) -> float:
    """Compare an analytic gradient or Jacobian of `f` at `x` with the numerical one; print both.

    Parameters
    ----------
    f : function of one array, returning an array or a number
    gradient : array of shape f(x).shape + x.shape, or a function that returns it for x
    tolerance : largest relative error accepted, in every entry, beyond what the numbers can tell
    figure : draw `plot_jacobians` where the two differ

    Returns
    -------
    The relative error max|analytic - numeric| / max|numeric|.

    Raises
    ------
    AssertionError
        where the shapes differ or the relative error of an entry exceeds the tolerance.
    """
    _require_order(f, gradient, x)
    x = np.array(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        numeric, slopes, doubt = _differences(f, x, h)
    analytic = _value_of(gradient, x) if callable(gradient) else _as_array(gradient)[0]
    if analytic.shape != numeric.shape:
        raise _failure(
            f"The analytic gradient {shape_fault(analytic, numeric, 'the numeric one has')}."
        )
    if not np.all(np.isfinite(numeric)):
        raise _failure(
            f"The numeric gradient is not finite: f has no derivative here, or the step h = {h:g} "
            "does not suit x."
        )
    largest = np.max(np.abs(numeric), initial=0)
    kinks = np.abs(slopes[1] - slopes[0]) > 1e-3 * largest + doubt
    low, high = (np.where(kinks, side(slopes, axis=0), numeric) for side in (np.min, np.max))
    nearest = np.clip(
        analytic, low, high
    )  # at a kink any slope between those of the two sides is right
    difference = np.max(np.abs(analytic - nearest), initial=0)
    error = float(difference / max(largest, np.max(doubt, initial=0), 1e-300))
    with np.printoptions(precision=6, suppress=True, threshold=60):
        print(f"analytic:\n{analytic}\nnumeric:\n{numeric}\nrelative error: {error:.1e}")
    if np.any(kinks):
        print(
            "Note: f has a kink here. Its slope is another on each side, and the numeric gradient "
            "is their mean."
        )
    wrong = ~(np.abs(analytic - nearest) <= tolerance * np.abs(numeric) + doubt)
    if not np.any(wrong):
        return error
    if figure:
        plot_jacobians(analytic, numeric, inputs=x.size)
    worst = farthest(np.where(wrong, analytic, nearest), nearest)
    where = f" at entry {[int(i) for i in worst]}" if worst else ""
    values = differing(analytic[worst], numeric[worst], ", numeric ")
    hint = (
        pattern([Result(analytic, numeric, (x,), 1e-5)], ["x"])
        if np.all(np.isfinite(analytic))
        else ""
    )
    raise _failure(f"The gradient{where}: analytic {values}.", hint)


def _differences(
    f: Callable[..., Any], x: np.ndarray, h: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numeric Jacobian, the slopes on both sides of x, and how far the Jacobian may be
    off.

    It is off by rounding, about 1e-16 max|f| / h, and by the formula's own error, which is about a
    third of the change when the step is doubled. What f cancels on the way, 1e-9 of the largest
    entry stands for.
    """
    numeric = numerical_jacobian(f, x, h)
    center = _value_of(f, x)
    values = center.reshape(center.shape + (1,) * x.ndim)
    sides = []
    for sign in (-1, 1):
        side = np.empty(numeric.shape)
        for index in np.ndindex(x.shape):
            moved = x.copy()
            moved[index] += sign * h
            side[(..., *index)] = (_value_of(f, moved) - center) / (moved[index] - x[index])
        sides.append(side)
    rounding = 20 * np.finfo(float).eps * np.abs(values) / h
    doubled = np.abs(numerical_jacobian(f, x, 2 * h) - numeric)
    doubt = rounding + doubled + 1e-9 * np.max(np.abs(numeric), initial=0)
    return numeric, np.array(sides), np.where(np.isfinite(doubt), doubt, 0)


def _require_order(f: Any, gradient: Any, x: Any) -> None:
    """Say in a sentence where the arguments of check_gradient stand in another order."""
    order = "The order is check_gradient(f, gradient, x)"
    if callable(x):
        raise _failure(
            f"x, the third argument, is a function. {order}: x is the array at which the two are "
            "compared."
        )
    if not callable(f):
        raise _failure(
            f"f, the first argument, is no function. {order}: f is the function whose gradient is "
            "meant."
        )
    if (
        callable(gradient)
        and _is_gradient_of(gradient, f, x)
        and not _is_gradient_of(f, gradient, x)
    ):
        raise _failure(
            "f and gradient seem to be swapped: the first has the shape of a gradient of the "
            f"second. {order}."
        )


def _is_gradient_of(f: Callable[..., Any], gradient: Callable[..., Any], x: Any) -> bool:
    """Tell by shapes whether one function may be the gradient of the other."""
    x = np.array(x, dtype=np.float64)
    try:
        return bool(np.shape(gradient(x.copy())) == np.shape(f(x.copy())) + x.shape)
    except Exception:  # what is wrong with them is said later
        return False


def plot_jacobians(analytic: np.ndarray, numeric: np.ndarray, inputs: int | None = None) -> Figure:
    """Draw a Jacobian, its numerical twin beside it and their difference below; return the figure.

    Every array is drawn as a matrix with an output a row and an input a column; `inputs` is the
    number of columns (default: the last axis). Differences below a millionth of the largest
    derivative are rounding errors, and drawn as 0.
    """
    import matplotlib.pyplot as plt

    columns = inputs or np.shape(np.atleast_1d(numeric))[-1]
    analytic, numeric = (np.reshape(a, (-1, columns)) for a in (analytic, numeric))
    difference = analytic - numeric
    largest = np.max(np.abs(numeric[np.isfinite(numeric)]), initial=0)
    panels = (analytic, numeric, np.where(np.abs(difference) < 1e-6 * largest, 0, difference))
    fig = plt.figure(figsize=(6.4, 5.2))  # cropped when shown: narrow, for a phone
    space = {"hspace": 0.5, "wspace": 0.5}  # by hand: a layout engine takes twice as long
    axes = fig.subplot_mosaic([["analytic", "numeric"], ["difference", "."]], gridspec_kw=space)
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


def up_to_sign(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
    """Accept every part with either sign."""
    return tuple(-r if np.vdot(g, r).real < 0 else r for g, r in zip(got, right, strict=True))


def up_to_basis(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
    """Accept any orthonormal basis of the same space: the columns of each part.

    The basis nearest to the student's has the same projector as the reference (orthogonal
    Procrustes problem: Golub & Van Loan, Matrix Computations, 6.4.1).
    """
    nearest = []
    for g, r in zip(got, right, strict=True):
        u, _, vt = np.linalg.svd(r.T @ g)
        nearest.append(r @ u @ vt)
    return tuple(nearest)


def any_svd(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
    """Accept any thin singular value decomposition (U, s, V) of the case's matrix, in any order.

    Each part can be judged by itself: U alone; s in the order of the student's U, where that is
    right; V with the student's U, where that is right.
    """
    (U, s, V), (right_U, right_s, right_V) = got, right
    B = (right_U * right_s) @ right_V.T
    left, values, right_vectors = np.linalg.svd(B)
    nearest_U = _nearest_vectors(U, right_U, left, values)
    nearest_V = _nearest_vectors(V, right_V, right_vectors.T, values)
    # A part that is not judged may be the reference's own: then it says nothing of the student's
    # order.
    if U is right_U or not agree(U, nearest_U, tolerance(U)):
        return nearest_U, right_s[np.argsort(np.argsort(-s))], nearest_V
    images = B.T @ nearest_U
    lengths = np.linalg.norm(images, axis=0)
    zero = lengths <= ZERO * values[0]
    return (
        nearest_U,
        np.where(zero, 0, lengths),
        np.where(zero, nearest_V, images / np.where(zero, 1, lengths)),
    )


def _nearest_vectors(
    vectors: np.ndarray, right: np.ndarray, basis: np.ndarray, values: np.ndarray
) -> np.ndarray:
    """Return the singular vectors nearest to the student's: any order and signs, any basis for
    equal values.

    `basis` holds all of them as columns, `values` the singular values in the same, descending
    order.
    """
    padded = np.append(values, np.zeros(len(basis)))[: len(basis)]
    starts = np.flatnonzero(np.append(True, padded[:-1] - padded[1:] > ZERO * padded[0]))
    groups = np.split(np.arange(len(basis)), starts[1:])
    shares = np.array([np.sum((basis[:, group].T @ vectors) ** 2, axis=0) for group in groups])
    chosen = shares.argmax(axis=0)
    answer = np.zeros(vectors.shape)
    for n, group in enumerate(groups):
        own = np.flatnonzero(chosen == n)
        wanted = np.sum(group < len(values))  # how many a thin decomposition has
        if len(own) != wanted:
            return right  # one is missing, or there twice
        turn, _, turn_back = np.linalg.svd(basis[:, group].T @ vectors[:, own], full_matrices=False)
        answer[:, own] = basis[:, group] @ turn @ turn_back
    return answer


def any_slope(other_side: Callable[..., Any]) -> Callable[[Parts, Parts, tuple[Any, ...]], Parts]:
    """Accept any slope at a kink: all values between the reference's and `other_side`'s.

    The reference takes the derivative from one side of the kink, `other_side` from the other;
    elsewhere they agree.
    """

    def compare(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
        others = _call(other_side, case, right).parts
        return tuple(
            np.clip(g, np.minimum(r, o), np.maximum(r, o))
            for g, r, o in zip(got, right, others, strict=True)
        )

    return compare


def _equal(got: Parts, right: Parts, case: tuple[Any, ...]) -> Parts:
    return right


# ---------------------------------------------------------------- student against reference


@dataclass(frozen=True)
class _Outcome:
    """What one call did: the arrays it returned, or why there are none; its arguments
    afterwards.
    """

    parts: Parts = ()
    error: BaseException | None = None
    complaint: str = ""
    notes: tuple[str, ...] = ()
    arguments: tuple[Any, ...] = ()
    returned: tuple[np.ndarray | None, ...] = ()  # all parts as they came, judged or not


@dataclass(frozen=True)
class _Judged:
    """What is compared, and how: which outputs, by what names, and whether arguments must come back
    unchanged.
    """

    compare: Callable[[Parts, Parts, tuple[Any, ...]], Parts] = _equal
    outputs: tuple[str, ...] = ()
    only: str = ""
    rtol: float = RTOL

    def judges(self, position: int) -> bool:
        return not self.only or self.outputs.index(self.only) == position

    def places(self, number: int) -> list[int]:
        """Return which of so many outputs are judged."""
        return [n for n in range(number) if number == 1 or self.judges(n)]

    def prefix(self, position: int, number: int = 0) -> str:
        """Return the output's name, to stand before what is wrong with it."""
        if position < len(self.outputs):
            return f"{self.outputs[position]}: "
        return f"part {position + 1} of {number}: " if number else f"part {position + 1}: "

    @property
    def arguments(self) -> bool:
        return not self.only or self.only == self.outputs[0]


@dataclass(frozen=True)
class _Fault:
    rank: int  # place in the order in which faults are reported
    sentence: str
    output: int = 0  # the number of the output that is wrong


SEARCH_S = 1.0  # of processor time, to look for changed mistakes
MOST_KEPT = 1000  # entries of an outcome that is kept for comparisons
RAISED, NO_ARRAY, SHAPE, NOT_FINITE, VALUES, ARGUMENTS = range(6)


@dataclass(frozen=True)
class _Trial:
    """What the student's function did on every case, beside the reference."""

    cases: list[tuple[Any, ...]]
    wants: list[_Outcome]
    gots: list[_Outcome]
    faults: list[_Fault | None]
    judged: _Judged
    name: str = ""
    memory: dict[tuple[Callable[..., Any], int], _Outcome] = field(default_factory=dict)

    def outcome_of(self, wrong: Callable[..., Any], n: int) -> _Outcome:
        """Return what a wrong function does on a case; small outcomes are kept."""
        if (wrong, n) in self.memory:
            return self.memory[wrong, n]
        outcome = _call(wrong, self.cases[n], self.wants[n].parts, self.judged)
        if sum(part.size for part in outcome.parts) < MOST_KEPT:
            self.memory[wrong, n] = outcome
        return outcome

    @property
    def worst(self) -> int:
        """Return the number of the case with the fault to report: of the first kind, and there the
        first.
        """
        return min((fault.rank, n) for n, fault in enumerate(self.faults) if fault)[1]

    @property
    def fault(self) -> _Fault:
        """Return the fault to report."""
        fault = self.faults[self.worst]
        assert fault is not None, "no case has a fault"
        return fault

    def in_order(self) -> list[int]:
        """Return the numbers of all cases, those with faults first."""
        return sorted(range(len(self.cases)), key=lambda n: (self.faults[n] is None, n))


def check(
    student: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Iterable[tuple[Any, ...]],
    mistakes: Mapping[str, Callable[..., Any]] | None = None,
    *,
    compare: Callable[[Parts, Parts, tuple[Any, ...]], Parts] = _equal,
    outputs: tuple[str, ...] = (),
    only: str = "",
    forms: Iterable[str] = tuple(FORMS),
    rtol: float = RTOL,
    analytic: bool = False,
) -> None:
    """Call a student's function and the reference on every case and compare.

    Parameters
    ----------
    student, reference : functions of the same arguments. A reference that returns a tuple has
        several parts, each compared by itself; one that raises a ValueError wants the same of the
        student.
    cases : tuples of arguments; each call gets its own copy.
    mistakes : known wrong answers, {what a tutor would say: function}. compare : which answers
    count as equal: `up_to_sign`, `up_to_basis`, `any_svd`, `any_slope(...)`;
        by default only the reference's.
    outputs : names of the parts, for messages.
    only : the name of the one output that is judged; the others may be anything, None too. A
    changed
        argument is then a fault where `only` is the first output, so that it costs points once.
    forms : in which forms of `FORMS` the first case is tried too.
    rtol : max|got - want| <= 1e-12 + rtol * max|want|; 1e-4 where the student returns float32.
    analytic : whether finite differences, which are right to 7 to 11 digits in every case, are a
    fault.

    Raises
    ------
    AssertionError
        with one text that says what is wrong and, where it can be told, why.

    Examples
    --------
    >>> check(lambda x: -2 * x, lambda x: 2 * x, [(np.array([1.0, 3.0]),)])
    Traceback (most recent call last):
    ...
    AssertionError: Your function, called with x = [1, 3]: entry [1] is -6, expected 6.
    Likely cause: the sign is flipped.
    """
    _check(student, reference, cases, mistakes or {}, compare, outputs, only, forms, rtol, analytic)


def _check(
    student: Callable[..., Any],
    reference: Callable[..., Any],
    cases: Iterable[tuple[Any, ...]],
    mistakes: Mapping[str, Callable[..., Any]],
    compare: Callable[[Parts, Parts, tuple[Any, ...]], Parts] = _equal,
    outputs: tuple[str, ...] = (),
    only: str = "",
    forms: Iterable[str] = (),
    rtol: float = RTOL,
    analytic: bool = False,
    is_example: bool = False,
) -> None:
    cases = list(cases)
    if not cases or set(forms) - set(FORMS):
        raise ValueError(f"check wants cases, and forms among {', '.join(FORMS)}")
    if others := [case for case in cases if not isinstance(case, tuple)]:
        raise ValueError(
            f"a case is a tuple of arguments, such as (x,) for one; this one is {_kind(others[0])}"
        )
    if only and only not in outputs:
        raise ValueError(
            f"only={only!r} is none of the outputs {', '.join(outputs) or '(there are none)'}"
        )
    name = _name(student)
    judged = _Judged(compare, tuple(outputs), only, rtol)
    form_notes: dict[str, str] = {}  # one for each form
    trial = _tried(student, reference, cases, judged, form_notes)
    _require_written(trial, name)
    if any(trial.faults):
        n = trial.worst
        where = _describe(student, reference, trial.cases[n])
        right = trial.faults.count(None)
        some = f" It is right for {right} of {len(cases)} sets of arguments." if right else ""
        if is_example or (
            len(cases) == 1 and not mistakes and not forms
        ):  # one small example fits too many causes
            names = _parameter_names(student)
            cause = plain_pattern(_results(trial, trial.gots, trial.wants), names)
        else:
            cause = _cause(trial, mistakes, student, reference)
        raise _failure(f"{name}, {where}: {_ended(trial.fault.sentence)}{some}", cause)
    if analytic:
        _require_formula(trial, name)
    has_arrays = any(isinstance(x, np.ndarray) and x.ndim for x in trial.cases[0])
    for form in forms if has_arrays else ():
        _try_form(form, student, reference, trial, form_notes)
    for note in dict.fromkeys(
        [*(note for got in trial.gots for note in got.notes), *form_notes.values()]
    ):
        print(f"Note: {name} {_ended(note)}")
    print(f"{name}: right on {len(cases)} case{'s' if len(cases) > 1 else ''}.")


def check_example(student: Callable[..., Any], *arguments: Any, gives: Any) -> None:
    """Compare one call of a student's function with what it gives, worked out by hand.

    Examples
    --------
    >>> check_example(np.cumsum, [1, 2, 4], gives=[1, 3, 7])
    cumsum: right on 1 case.
    """
    _check(student, lambda *arguments: gives, [arguments], {}, is_example=True)


def _name(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "<lambda>")
    return "Your function" if name == "<lambda>" else name


def _tried(
    student: Callable[..., Any],
    reference: Callable[..., Any],
    cases: list[tuple[Any, ...]],
    judged: _Judged,
    notes: dict[str, str],
) -> _Trial:
    """Call both functions on every case.

    Where lists or integers alone are what fails, arrays of floats count.
    """
    cases, gots, faults = list(cases), [], []
    wants = [_call_reference(reference, case) for case in cases]
    for n, want in enumerate(wants):
        try:
            got = _call(student, cases[n], want.parts, judged)
        except BaseException as error:  # a grader's limit on the time
            error.add_note(f"{_name(student)} was {_describe(student, reference, cases[n])}")
            raise
        fault = _fault(got, want, cases[n], judged)
        for given in _as_float_arrays(cases[n]) if fault else ():
            other = _call(student, given, want.parts, judged)
            if fault and _fault(other, want, given, judged) is None:
                form = "lists" if any(isinstance(x, list) for x in cases[n]) else "integers"
                notes.setdefault(form, _form_note(fault, form))
                cases[n], got, fault = given, other, None
                break
        gots.append(got)
        faults.append(fault)
    return _Trial(cases, wants, gots, faults, judged, getattr(student, "__name__", ""))


def _try_form(
    form: str,
    student: Callable[..., Any],
    reference: Callable[..., Any],
    trial: _Trial,
    notes: dict[str, str],
) -> None:
    """Try the first case in another form: a fault in small or large numbers costs points, others
    give a note.
    """
    case, judged = _in_form(trial.cases[0], form), trial.judged
    want = _call_reference(reference, case)
    if want.error is not None or not all(np.all(np.isfinite(part)) for part in want.parts):
        return  # the exercise has no answer for these numbers
    if form == "float32":
        judged = replace(judged, rtol=max(judged.rtol, RTOL_FLOAT32))
    got = _call(student, case, want.parts, judged, form)
    fault = _fault(got, want, case, judged)
    if fault and form in GIVEN_AS:
        notes.setdefault(form, _form_note(fault, form))
    elif fault:
        given, cause = SCALED[form]
        where = _describe(student, reference, case)
        if fault.rank == VALUES:
            result = Result(got.parts[fault.output], want.parts[fault.output], case)
            lost = np.count_nonzero((result.got == 0) & (result.want != 0))
            smaller = np.max(np.abs(result.got)) < np.max(np.abs(result.want))
            cause = (
                cause
                if (lost if form == "small" else smaller)
                else pattern([result], _parameter_names(reference))
            )
        elif fault.rank == NOT_FINITE:
            cause = (
                "a step on the way overflows for such numbers"
                if form == "large"
                else "a step on the way vanishes for such numbers"
            )
        else:
            cause = ""
        raise _failure(f"{_name(student)}, {where} given {given}: {_ended(fault.sentence)}", cause)


def _form_note(fault: _Fault, form: str) -> str:
    """Say what fails in a form that costs no points, and what helps."""
    given, help_ = GIVEN_AS[form]
    return (
        f"is right, but not where its arguments are given {given}: it {_ended(fault.sentence)} It "
        f"costs no points; {help_}"
    )


def _as_float_arrays(case: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Return a case with lists or integers as arrays, first of the numbers' own type, then of
    floats.
    """

    def array(x: Any, dtype: type | None) -> Any:
        if isinstance(x, list) or (isinstance(x, np.ndarray) and x.dtype.kind == "i"):
            with contextlib.suppress(ValueError, TypeError):  # a ragged list stays one
                made = np.array(x, dtype=dtype)
                return made if made.dtype.kind in "if" else x
        return x

    others = [tuple(array(x, dtype) for x in case) for dtype in (None, float)]
    return others if any(a is not b for a, b in zip(case, others[0], strict=True)) else []


def _require_formula(trial: _Trial, name: str) -> None:
    """Raise where every case is right to the digits of finite differences and no more."""
    errors = []
    for got, want in zip(trial.gots, trial.wants, strict=True):
        for n in trial.judged.places(len(want.parts)):
            g, w = got.parts[n], want.parts[n]
            if g.dtype != np.float32 and (largest := np.max(np.abs(w), initial=0)) > 0:
                errors.append(np.max(np.abs(g - w)) / largest)
    if len(errors) > 1 and min(errors) > ANALYTIC_RTOL:
        digits = int(-np.log10(max(errors)))
        raise _failure(
            f"{name}: right to {digits} digits only, as finite differences are. Derive a formula, "
            "and compute that."
        )


_ALL = _Judged()


def _call(
    function: Callable[..., Any],
    case: tuple[Any, ...],
    like: Parts = (),
    judged: _Judged = _ALL,
    form: str = "",
) -> _Outcome:
    """Call `function` on a copy of `case`; read what it returns as arrays, `like` the
    reference's.
    """
    arguments = tuple(_give(argument, form) for argument in case)
    try:
        # A warning on the way to a right value is no mistake, and nbgrader takes stderr for one.
        with (
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            value = function(*arguments)
    except (Exception, SystemExit) as error:
        return _Outcome(error=error, arguments=arguments)
    several = len(like) > 1 if like else isinstance(value, tuple)
    if several and (not isinstance(value, (tuple, list)) or (like and len(value) != len(like))):
        returned = _kind(value)
        if isinstance(value, (tuple, list)):
            returned = f"{len(value)} thing{'s' * (len(value) != 1)}"
        wanted = f"{len(like)} arrays" + (
            f" ({', '.join(judged.outputs)})" if judged.outputs else ""
        )
        return _Outcome(complaint=f"returned {returned}, expected {wanted}", arguments=arguments)
    parts, notes = [], []
    came: list[np.ndarray | None] = []
    for position, item in enumerate(value if several else (value,)):
        try:
            array, note = _as_array(item, like[position] if like else None)
            came.append(array)
        except ValueError as error:
            came.append(None)
            if like and not judged.judges(position):
                parts.append(like[position])
                continue
            return _Outcome(
                complaint=(judged.prefix(position) if several else "") + str(error),
                arguments=arguments,
            )
        if like and not judged.judges(position):
            usable = array.shape == like[position].shape and np.all(np.isfinite(array))
            parts.append(array if usable else like[position])
            continue
        parts.append(array)
        notes += [note] if note else []
    return _Outcome(tuple(parts), notes=tuple(notes), arguments=arguments, returned=tuple(came))


def _call_reference(reference: Callable[..., Any], case: tuple[Any, ...]) -> _Outcome:
    want = _call(reference, case)
    if want.complaint:
        raise TypeError(f"The reference {want.complaint}.")
    if want.error is not None and not isinstance(want.error, ValueError):
        raise want.error
    return want


def _as_array(value: Any, like: np.ndarray | None = None) -> tuple[np.ndarray, str]:
    """Read a returned value as an array of numbers; ValueError says in a sentence why it is
    none.
    """
    note = ""
    if value is None:
        raise ValueError("returned None; is a return missing?")
    if type(value) in (list, tuple):
        note = f"returned a {type(value).__name__}; it is read as an array"
        try:
            value = np.array(value)
        except ValueError:
            raise ValueError(
                "returned a list that is no array: its rows differ in length"
            ) from None
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
def _fault(got: _Outcome, want: _Outcome, case: tuple[Any, ...], judged: _Judged) -> _Fault | None:
    """Return the first thing that is wrong with an outcome, or None."""
    if want.error is not None:
        if isinstance(got.error, type(want.error)):
            return None
        instead = f"raised {type(got.error).__name__}" if got.error else "returned a value"
        return _Fault(RAISED, f"{instead}, expected a {type(want.error).__name__}")
    if got.error is not None:
        return _Fault(RAISED, _error_sentence(got.error))
    if got.complaint:
        return _Fault(NO_ARRAY, got.complaint)
    places = judged.places(len(want.parts))
    prefixes = {n: judged.prefix(n, len(want.parts)) if len(want.parts) > 1 else "" for n in places}
    for n in places:
        if got.parts[n].shape != want.parts[n].shape:
            return _Fault(SHAPE, prefixes[n] + shape_fault(got.parts[n], want.parts[n]), n)
    for n in places:
        if sentence := finite_fault(got.parts[n], want.parts[n]):
            return _Fault(NOT_FINITE, prefixes[n] + sentence, n)
    right = judged.compare(got.parts, want.parts, case)
    for n in places:
        if not agree(got.parts[n], right[n], tolerance(got.parts[n], judged.rtol)):
            return _Fault(VALUES, prefixes[n] + value_fault(got.parts[n], right[n]), n)
    if judged.arguments:
        for before, after in zip(case, got.arguments, strict=True):
            if not _same_argument(before, after):
                return _Fault(
                    ARGUMENTS, "changed its argument; work on a copy (x = x - 1, not x -= 1)"
                )
    return None


# ---------------------------------------------------------------- causes


def _cause(
    trial: _Trial,
    mistakes: Mapping[str, Callable[..., Any]],
    student: Callable[..., Any],
    reference: Callable[..., Any],
) -> str:
    """Return the likely cause of a wrong answer, or ''."""
    names = _parameter_names(reference) or _parameter_names(student)
    if found := _known_cause(trial, mistakes, names):
        return found
    equal = _on_equal_lengths(trial, student, reference)
    if equal and not any(equal.faults):
        return (
            "it is right where all lengths are equal: the length of one axis stands where that of "
            "another belongs"
        )
    if found := _changed_mistake(trial, mistakes, reference, names):
        return found
    fault = trial.fault
    shapes_fail = fault.rank in (RAISED, SHAPE)
    if equal and shapes_fail and all(f and f.rank == VALUES for f in equal.faults):
        if found := _known_cause(equal, mistakes, names) or _changed_mistake(
            equal, mistakes, reference, names
        ):
            return found
        if fault.rank == RAISED:
            trial, fault = equal, equal.fault
    elif found := _named_mistake(trial, mistakes, needs_values=False):
        return found
    if look_further is None or (fault.rank == SHAPE and fault.sentence.endswith(SHAPE_CAUSES)):
        return ""
    return look_further(
        getattr(student, "__name__", ""),
        reference,
        lambda wrong: _is_surely(_agreement(replace(trial, memory={}), wrong)),
    )


def _known_cause(
    trial: _Trial, mistakes: Mapping[str, Callable[..., Any]], names: list[str]
) -> str:
    """Return exchanged outputs, a named mistake, or what all results have in common; else ''."""
    exchanged = _exchanged_outputs(trial, names)
    if "Besides" in exchanged:  # two mistakes, which one that is named cannot tell
        return exchanged
    if found := _memory_of_another(trial) or _named_mistake(trial, mistakes) or exchanged:
        return found
    results = _results(trial, trial.gots, trial.wants)
    if found := pattern(results, names):
        return found
    if found := _another_output(trial):
        return found
    if digits := _digits_right(results):
        return f"it is right to {digits} digits only, as finite differences and rounded numbers are"
    for sentence, wrong in mistakes.items():
        others = [
            _call(wrong, case, want.parts, trial.judged)
            for case, want in zip(trial.cases, trial.wants, strict=True)
        ]
        if found := factor_pattern(
            _results(trial, trial.gots, others), _results(trial, others, trial.wants), names
        ):
            return f"{_ended(sentence)} Besides, {found}"
    return ""


def _named_mistake(
    trial: _Trial, mistakes: Mapping[str, Callable[..., Any]], needs_values: bool = True
) -> str:
    """Return the sentence of the mistake that agrees best, or ''. One that raises the same
    exceptions and gives no value to compare counts only where no values are needed.
    """
    agreements = {
        sentence: agreement
        for sentence, wrong in mistakes.items()
        if (agreement := _agreement(trial, wrong)) and (agreement.values or not needs_values)
    }
    return min(agreements, key=lambda one: agreements[one].excused) if agreements else ""


def _exchanged_outputs(trial: _Trial, names: list[str]) -> str:
    """Say that two outputs stand in each other's place, and by what factor one of them is off."""
    n = trial.fault.output
    number = len(trial.wants[trial.worst].parts)
    pairs = [
        (got, want, case)
        for got, want, case in zip(trial.gots, trial.wants, trial.cases, strict=True)
        if want.error is None
    ]
    size = np.asarray if trial.judged.compare is _equal else np.abs  # or else signs are free
    if not trial.judged.outputs or any(len(got.returned) != number for got, _, _ in pairs):
        return ""
    for m in (m for m in range(number) if m != n):
        factors = []
        for place, other in ((n, m), (m, n)):
            results = [
                Result(size(_like(came, w.parts[other])), size(w.parts[other]), c)
                for g, w, c in pairs
                if (came := g.returned[place]) is not None
            ]
            if len(results) < len(pairs):
                break
            if all(result.is_right for result in results):
                factors.append("")
            elif found := factor_pattern(results, results, names):
                factors.append(f" Besides, in {trial.judged.outputs[other]} {found}.")
            elif found := in_other_shape(results, names):
                factors.append(f" Besides, of {trial.judged.outputs[other]} {found}.")
            else:
                break
        if len(factors) == 2 and ("" in factors or all("permuted" in x for x in factors)):
            first, second = (trial.judged.outputs[place] for place in sorted((n, m)))
            return f"{first} and {second} stand in each other's place.{''.join(factors)}"
    return ""


def _another_output(trial: _Trial) -> str:
    """Say that an output is what another should be."""
    n, outputs = trial.fault.output, trial.judged.outputs
    if trial.judged.compare is any_svd or any(want.error is not None for want in trial.wants):
        return ""
    for m in (m for m in range(len(outputs)) if m != n):
        if all(
            len(g.parts) == len(outputs)
            and agree(_like(g.parts[n], w.parts[m]), w.parts[m], tolerance(g.parts[n]))
            for g, w in zip(trial.gots, trial.wants, strict=True)
        ):
            return f"here stands what belongs in another output, {outputs[m]}"
    return ""


def _like(array: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return an array in the other's shape, where they differ in axes of length 1 only."""
    return array.reshape(other.shape) if _without_ones(array) == _without_ones(other) else array


def _memory_of_another(trial: _Trial) -> str:
    """Say that the memory ran out in another function than the one under test."""
    error = trial.gots[trial.worst].error
    inner = [f.name for f in _own_frames(error) if f.name.isidentifier()] if error else []
    if not isinstance(error, MemoryError) or not inner or inner[-1] == trial.name:
        return ""
    if not trial.name.isidentifier():  # a lambda, which may call whatever it is
        return ""
    return (
        f"the memory runs out in {inner[-1]}, which {trial.name} calls: how many entries has the "
        "largest array there?"
    )


Change = Callable[[np.ndarray], np.ndarray]
CHANGES: list[tuple[str, Change]] = [
    ("the sign is flipped", np.negative),
    ("it is the transpose", lambda x: _transposed(x, (1, 0))),
    ("it is the transpose, and the sign is flipped", lambda x: -_transposed(x, (1, 0))),
    ("it is cut to whole numbers, as in an array of integers", np.trunc),
    ("it is flattened", lambda x: x.ravel() if x.ndim > 1 else _transposed(x, ())),
    *(
        (f"the axes are permuted{sign}", lambda x, o=order, f=factor: f * _transposed(x, o))
        for sign, factor in (("", 1), (", and the sign is flipped", -1))
        for n in (3, 4)
        for order in itertools.permutations(range(n))
        if order != tuple(range(n))
    ),
]


def _transposed(x: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    if x.ndim != len(order):
        raise ValueError("an array of other axes")
    return x.transpose(order)


@np.errstate(all="ignore")
def _changed_mistake(
    trial: _Trial,
    mistakes: Mapping[str, Callable[..., Any]],
    reference: Callable[..., Any],
    names: list[str],
) -> str:
    """Find a named mistake whose result is negated or transposed besides, or the reference of other
    arguments; '' where there is none.
    """
    if found := in_other_shape(_results(trial, trial.gots, trial.wants), names):
        return found
    if sum(part.size for part in trial.wants[trial.in_order()[0]].parts) >= MOST_KEPT:
        return ""  # each attempt would compute it again
    end = time.process_time() + SEARCH_S
    others = _with_other_arguments(reference, trial.cases[0], names)
    for words, wrong in others:
        if time.process_time() > end:
            return ""
        if _is_surely(_agreement(trial, wrong)):
            return f"the result comes out as if {words}"
    for sentence, wrong in mistakes.items():
        if time.process_time() > end:
            return ""
        for words, change in CHANGES:
            if _is_surely(_agreement(trial, wrong, change)):
                return f"{_ended(sentence)} Besides, {words}"
    for words, wrong in others:
        if time.process_time() > end:
            return ""
        if _is_surely(_agreement(trial, wrong, np.negative)):
            return f"the result comes out as if {words}; besides, the sign is flipped"
    return ""


def _with_other_arguments(
    reference: Callable[..., Any], case: tuple[Any, ...], names: list[str]
) -> list[tuple[str, Callable[..., Any]]]:
    """Return the reference of changed arguments, each with a clause that names the change."""

    def changed(position: int, change: Change) -> Callable[..., Any]:
        def wrong(*arguments: Any) -> Any:
            made = list(arguments)
            made[position] = change(np.asarray(made[position], dtype=float))
            return reference(*made)

        return wrong

    def exchanged(i: int, j: int) -> Callable[..., Any]:
        def wrong(*arguments: Any) -> Any:
            made = list(arguments)
            made[i], made[j] = made[j], made[i]
            return reference(*made)

        return wrong

    arrays = [
        n
        for n, value in enumerate(case[: len(names)])
        if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind == "f"
    ]
    found = [
        (f"{names[i]} and {names[j]} were exchanged", exchanged(i, j))
        for i, j in itertools.combinations(arrays, 2)
        if case[i].ndim == case[j].ndim
    ]
    for n in arrays:
        for words, change in ARGUMENT_CHANGES.items():
            of_row = "entry" if case[n].ndim == 1 else "row"
            clause = words.format(names[n]).replace("entry or row", of_row)
            found.append((clause, changed(n, change)))
    return found


def _emptied(end: int, axis: int) -> Change:
    """Return a change that puts 0 into the first or last slice along an axis."""

    def change(x: np.ndarray) -> np.ndarray:
        made = x.copy()
        np.moveaxis(made, axis, 0)[end] = 0  # a ValueError where there are fewer axes
        return made

    return change


def _only_vector(x: np.ndarray, number: float) -> np.ndarray:
    if x.ndim != 1:
        raise ValueError("no vector")
    return np.full(x.shape, number)


ARGUMENT_CHANGES: dict[str, Change] = {
    "{0} had the opposite sign": np.negative,
    "{0} stood where its transpose belongs": lambda x: _transposed(x, (1, 0)),
    "{0} were reshaped where a transpose belongs": lambda x: x.reshape(x.T.shape).T,
    "every entry of {0} were the sum of them all": lambda x: _only_vector(x, float(np.sum(x))),
    "every entry of {0} were the mean of them all": lambda x: _only_vector(x, float(np.mean(x))),
    **{
        f"the {where} {of} {{0}} were 0: is it left out of a loop, or of a slice?": _emptied(
            end, axis
        )
        for end, where in ((0, "first"), (-1, "last"))
        for axis, of in ((0, "entry or row of"), (1, "column of"))
    },
}


# ---------------------------------------------------------------- arguments of equal lengths


def _on_equal_lengths(
    trial: _Trial, student: Callable[..., Any], reference: Callable[..., Any]
) -> _Trial | None:
    """Try the functions on random arguments whose lengths are all equal, so that no product or
    index fails; None where the lengths are not what makes the answer fail, or make no sense there.
    """
    case = trial.cases[trial.worst]
    if trial.judged.compare is not _equal or not _equal_lengths(case, 3, 0):
        return None
    cases = [_equal_lengths(case, length, seed) for seed, length in enumerate((0, 3, 4, 5))]
    with contextlib.suppress(Exception):  # of the reference
        unlike = _tried(student, reference, cases[:1], trial.judged, {})
        if any(unlike.faults):
            return _tried(student, reference, cases[1:], trial.judged, {})
    return None


def _equal_lengths(case: tuple[Any, ...], length: int, seed: int) -> tuple[Any, ...]:
    """Return random arguments of the same kinds, with all lengths equal to one, or with those they
    have where it is 0; () where that makes no difference, or no sense.
    """
    rng = np.random.default_rng(seed)
    lengths = {n for x in case if isinstance(x, np.ndarray) for n in x.shape}
    if len(lengths) + sum(isinstance(x, int) for x in case) < 2 or not lengths:
        return ()
    made: list[Any] = []
    for x in case:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            positive = bool(np.all(x > 0) and np.all(x < 1))
            shape = (length,) * x.ndim if length else x.shape
            made.append(rng.uniform(size=shape) if positive else rng.normal(size=shape))
        elif isinstance(x, int) and not isinstance(x, bool):
            # an index stays one, and a number of blocks becomes the length
            is_index = x < max(lengths) and not made
            made.append((x % length if is_index else length) if length else x)
        else:
            return ()  # labels, functions, generators: the lengths are not all there is
    return tuple(made)


@np.errstate(all="ignore")
def _digits_right(results: list[Result]) -> int:
    """Return to how many digits all results are right, where most entries are a little off;
    else 0.
    """
    if not all(result.is_plain and result.want.any() for result in results):
        return 0
    errors = np.concatenate(
        [np.ravel(r.got - r.want) / np.max(np.abs(r.want)) for r in results] or [[0]]
    )
    largest = np.max(np.abs(errors))
    return int(-np.log10(largest)) if 0 < largest < 1e-5 and np.mean(errors != 0) > 0.5 else 0


def _results(trial: _Trial, gots: list[_Outcome], wants: list[_Outcome]) -> list[Result]:
    """Return the outputs that show the fault beside what they are compared with; none where one
    raised something.
    """
    fault = trial.fault
    if fault.rank not in (SHAPE, NOT_FINITE, VALUES):
        return []
    results = []
    for got, want, case in zip(gots, wants, trial.cases, strict=True):
        if not got.parts or not want.parts:
            if want.error is None or got.error is None:
                return []
            continue  # both raise, as they should
        right = want.parts
        if [g.shape for g in got.parts] == [w.shape for w in want.parts]:
            with contextlib.suppress(Exception):  # one that wants finite numbers, for example
                right = trial.judged.compare(got.parts, want.parts, case)
        results.append(Result(got.parts[fault.output], right[fault.output], case))
    return results


@dataclass(frozen=True)
class _Agreement:
    """How a wrong function does what the student's did.

    Cases that tell are those where the student's answer is wrong in the very same way: one at least
    is needed. The two may differ in a case where one of them overflows or runs out of memory: that
    depends on details of how they compute, and not on the mistake. Any other difference speaks
    against the function.
    """

    telling: int  # cases that tell
    values: int  # those of them in which there are values to compare, and no exception
    finite: int  # those of them in which all values are finite
    entries: int  # wrong entries in these
    excused: int  # cases that differ


def _agreement(
    trial: _Trial, wrong: Callable[..., Any], change: Change | None = None
) -> _Agreement | None:
    """Compare a student's function with a wrong one, whose judged output is changed first."""
    telling = values = finite = entries = excused = unlike = 0
    changed = trial.fault.rank == ARGUMENTS
    same_text = False
    answers = {
        type(want.error) for want in trial.wants if want.error is not None
    }  # an exception may be a right answer
    for n in trial.in_order():
        got, want, case, fault = trial.gots[n], trial.wants[n], trial.cases[n], trial.faults[n]
        other = trial.outcome_of(wrong, n)
        if change is not None:
            changed_outcome = _changed(other, change, trial.fault.output)
            if changed_outcome is None:
                return None
            other = changed_outcome
        if other.error is None and not changed and _changes_alone(other, got, case):
            return None
        if _same_outcome(got, other, case, trial.judged, changed):
            telling += fault is not None
            if fault is not None and other.error is None:
                values += not other.complaint
                if not _overflows(other):
                    finite += not other.complaint
                    entries += _wrong_entries(got, want, fault)
            alike = str(other.error) == str(got.error) or isinstance(
                got.error, (MemoryError, *answers)
            )
            same_text = same_text or (fault is not None and alike)
        elif want.error is None and (_overflows(got) or _overflows(other)):
            excused += 1
            unlike += fault is None  # the mistake overflows where the student's answer is right
        else:
            return None
    if unlike and not finite:
        return None
    # With no value to compare, the type of the exceptions alone says too little.
    return (
        _Agreement(telling, values, finite, entries, excused)
        if telling and (values or same_text)
        else None
    )


def _changed(outcome: _Outcome, change: Change, place: int) -> _Outcome | None:
    """Return an outcome with one part changed; None where it has no such part, or cannot be."""
    if len(outcome.parts) <= place:
        return None
    try:
        part = change(outcome.parts[place])
    except (ValueError, IndexError, TypeError):
        return None
    return replace(outcome, parts=(*outcome.parts[:place], part, *outcome.parts[place + 1 :]))


def _changes_alone(other: _Outcome, got: _Outcome, case: tuple[Any, ...]) -> bool:
    """Tell whether a wrong function changed an argument that the student's left as it was."""
    return any(
        not _same_argument(before, after) and _same_argument(before, left)
        for before, after, left in zip(case, other.arguments, got.arguments, strict=True)
    )


def _wrong_entries(got: _Outcome, want: _Outcome, fault: _Fault) -> int:
    if fault.rank == VALUES:
        return int(np.count_nonzero(got.parts[fault.output] != want.parts[fault.output]))
    return got.parts[fault.output].size if fault.rank == SHAPE else 0


def _is_surely(agreement: _Agreement | None) -> bool:
    """Tell whether an agreement can be no coincidence."""
    return agreement is not None and (agreement.finite > 1 or agreement.entries > 3)


def _overflows(outcome: _Outcome) -> bool:
    if isinstance(outcome.error, (ArithmeticError, MemoryError, RecursionError)):
        return True
    return any(not np.all(np.isfinite(part)) for part in outcome.parts)


def _same_outcome(
    got: _Outcome, other: _Outcome, case: tuple[Any, ...], judged: _Judged, arguments: bool
) -> bool:
    if got.error is not None or other.error is not None:
        kinds = type(got.error), type(other.error)  # NumPy's own MemoryError is a MemoryError
        return issubclass(*kinds) or issubclass(*kinds[::-1])
    if got.complaint or other.complaint:
        return got.complaint == other.complaint
    places = judged.places(len(other.parts))
    if any(got.parts[n].shape != other.parts[n].shape for n in places):
        return False
    parts = other.parts
    if judged.compare in (up_to_sign, up_to_basis) and all(
        np.all(np.isfinite(a)) for a in got.parts + other.parts
    ):
        parts = judged.compare(got.parts, other.parts, case)
    if not all(agree(got.parts[n], parts[n], tolerance(got.parts[n])) for n in places):
        return False
    return not arguments or all(map(_same_argument, got.arguments, other.arguments))


def _same_argument(before: Any, after: Any) -> bool:
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(_same_argument, before, after))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(
            _same_argument(before[key], after[key]) for key in before
        )
    if isinstance(before, (np.ndarray, int, float, complex)):
        return np.array_equal(before, after, equal_nan=np.asarray(before).dtype.kind in "fc")
    return True  # a function or a random generator


def _in_form(case: tuple[Any, ...], form: str) -> tuple[Any, ...]:
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
    """Return the error to raise: Jupyter shows its text alone, without the lines of a hidden
    test.
    """
    text = fault + (f"\nLikely cause: {_ended(cause)}" if cause else "")
    error = AssertionError(text)
    shown = f"AssertionError: {text}".split("\n")
    error._render_traceback_ = lambda: shown  # type: ignore[attr-defined]  # for IPython
    return error


def _value_of(f: Callable[..., Any], x: np.ndarray) -> np.ndarray:
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


def _require_written(trial: _Trial, name: str) -> None:
    """Say which function is not written yet, if that is why a case fails."""
    for got in trial.gots:
        if isinstance(got.error, NotImplementedError):
            frames = traceback.extract_tb(got.error.__traceback__)[1:]
            unwritten, said, _ = str(got.error).partition(" is not written yet.")
            if not said:  # a stub of another kind
                unwritten = frames[-1].name if frames and frames[-1].name.isidentifier() else name
            calls = "" if unwritten == name else f"{name} calls {unwritten}, and "
            raise _failure(f"{calls}{unwritten} is not written yet.")


def _error_sentence(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "called exit(), which would end the notebook"
    try:
        text = " ".join(str(error).split())
    except Exception:  # it may be the student's own class
        text = ""
    own = _own_frames(error)
    line = (
        (own[-1].line or linecache.getline(own[-1].filename, own[-1].lineno or 0)).strip()
        if own
        else ""
    )
    return f"raised {type(error).__name__}: {text}"[:300] + (f" (at: {line})" if line else "")


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of an exception that are no library's."""
    return [
        f
        for f in traceback.extract_tb(error.__traceback__)[1:]
        if "site-packages" not in f.filename and not f.filename.startswith("<__array")
    ]


def _parameter_names(function: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a built-in function
        return []
    return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _describe(
    student: Callable[..., Any], reference: Callable[..., Any], case: tuple[Any, ...]
) -> str:
    """Say with which arguments: small ones by value, others by shape."""
    names = _parameter_names(reference) or _parameter_names(student)
    words = []
    for name, value in itertools.zip_longest(names[: len(case)], case, fillvalue="argument"):
        shown = _shown(value)
        words.append(f"{name} of {shown}" if shown.startswith("shape ") else f"{name} = {shown}")
    return "called with " + ", ".join(words) if words else "called"


def _shown(value: Any) -> str:
    """Write an argument as it was given, if it is small."""
    if isinstance(value, (float, np.floating)):
        return f"{value + 0.0:.6g}"  # -0 becomes 0
    if isinstance(value, (list, tuple)) and not any(isinstance(x, np.ndarray) for x in value):
        text = (
            repr(value) if isinstance(value, tuple) else "[" + ", ".join(map(_shown, value)) + "]"
        )
        return text if len(text) <= 200 else f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, np.ndarray):
        if value.ndim > 2 or value.size > 16 or any(n > 8 for n in value.shape) or not value.size:
            return f"shape {value.shape}"
        if value.ndim == 2 and value.shape[0] > 4:
            return f"shape {value.shape}"
        return _shown(value.tolist()) if value.ndim else _shown(value.item())
    if isinstance(value, (int, str, np.integer)) or value is None:
        return repr(value)
    return getattr(value, "__name__", type(value).__name__)
