"""The likely cause that `gradtests` names: what holds for every case, in words, and nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pytest

import gradtests.causes
from gradcheck import check_example, numerical_jacobian
from gradtests import cases_for, check, random_arrays
from gradtests.faults import differing


def message(
    student: Callable[..., object],
    reference: Callable[..., object],
    cases: Iterable[tuple[Any, ...]],
    mistakes: Mapping[str, Callable[..., object]] | None = None,
    **options: Any,
) -> str:
    """What check() raises; '' where it raises nothing."""
    try:
        check(student, reference, cases, mistakes, **options)
    except AssertionError as error:
        return str(error)
    return ""


def cause(*arguments: Any, **options: Any) -> str:
    return message(*arguments, **options).partition("\nLikely cause: ")[2]


MATRICES = cases_for(3, "N k")
VECTORS = [random_arrays(n, (n + 3,)) for n in range(4)]


def mean_square(X: np.ndarray) -> np.ndarray:
    return np.mean(np.asarray(X) ** 2)


def gradient(X: np.ndarray) -> np.ndarray:
    return 2 * X / X.shape[1]


FACTORS = {
    "the sign is flipped.": (lambda X: -gradient(X), gradient),
    "every entry is twice the right one.": (lambda X: 2 * gradient(X), gradient),
    "every entry is half the right one.": (lambda X: gradient(X) / 2, gradient),
    "every entry is too large by the number of columns of X": (lambda X: 2 * X, gradient),
    "every entry is too small by the number of columns of X": (
        lambda X: 2 * X / X.shape[1] ** 2,
        gradient,
    ),
    "every entry is too large by the number of columns of X, and the sign is flipped": (
        lambda X: -2 * X,
        gradient,
    ),
    "every entry is too small by the number of rows of X": (
        lambda X: gradient(X) / len(X),
        gradient,
    ),
    "the value is too large by the number of entries of X": (lambda X: np.sum(X**2), mean_square),
    "the value is too small by the root of the number of entries of X": (
        lambda X: np.sqrt(np.sum(X**2)) / X.size,
        lambda X: np.sqrt(np.mean(X**2)),
    ),
    "a logarithm is to base 2 instead of e": (
        lambda X: np.log2(np.sum(X**2) + 1),
        lambda X: np.log(np.sum(X**2) + 1),
    ),
    "a logarithm is to base 10 instead of e": (
        lambda X: np.log10(X**2 + 1),
        lambda X: np.log(X**2 + 1),
    ),
    "it is in degrees instead of radians": (lambda X: np.degrees(X), lambda X: X),
    "every entry is 3 times the right one.": (lambda X: 3 * X, lambda X: X),
}


@pytest.mark.parametrize("words", FACTORS)
def test_factor_is_named_by_the_size_that_it_depends_on(words: str) -> None:
    assert words in cause(*FACTORS[words], MATRICES)


def test_factor_that_is_1_to_all_digits_shown_is_not_told() -> None:
    assert "times" not in cause(lambda X: X * 1.000003, lambda X: X, MATRICES)


def test_factor_that_follows_no_size_is_not_told() -> None:
    assert cause(lambda X: X * (1 + X.shape[0] % 3), lambda X: X, MATRICES) == ""


def no_mean(x: np.ndarray) -> np.ndarray:
    return np.sum(x) + 0 * len(x)


def test_factor_of_a_number_wants_more_than_one_case() -> None:
    assert cause(no_mean, np.mean, VECTORS[:1]) == ""
    assert "too large by the length of a" in cause(lambda a: np.sum(a), np.mean, VECTORS)


PATTERNS = {
    "every entry is 0, whatever the arguments.": lambda X: 0 * X,
    "every entry is 0.25, whatever the arguments.": lambda X: 0 * X + 0.25,
    "every entry is the logarithm of the right one.": lambda X: np.log(X**2 + 1),
    "every entry is the square of the right one.": lambda X: (X**2 + 1) ** 2,
    "every entry is rounded to 4 decimals.": lambda X: np.round(X**2 + 1, 4),
    "every entry is too small by 1.": lambda X: X**2,
    "it is X as it was given.": lambda X: X.copy(),
    "every entry is off by full turns (2π).": lambda X: X**2 + 1 + 2 * np.pi * np.sign(X),
    "some entries are 0 that should not be; all others are right.": lambda X: np.where(
        X > 0, X**2 + 1, 0
    ),
    "only the last row is wrong; there it is X as it was given": lambda X: np.vstack(
        [X[:-1] ** 2 + 1, X[-1:]]
    ),
    "the last row is 0, all else is right: look at the range of the loop.": lambda X: np.vstack(
        [X[:-1] ** 2 + 1, 0 * X[-1:]]
    ),
    "the first column is 0, all else is right": lambda X: np.hstack(
        [0 * X[:, :1], X[:, 1:] ** 2 + 1]
    ),
    "only the first row is right, the rest is 0: does the loop return, or end, too early?": lambda X: (
        np.vstack([X[:1] ** 2 + 1, 0 * X[1:]])
    ),
    "the last columns are 0, all others are right": lambda X: np.where(
        np.arange(X.shape[1]) < 2, X**2 + 1, 0
    ),
    "the last row and the last column are 0": lambda X: np.pad(
        X[:-1, :-1] ** 2 + 1, ((0, 1), (0, 1))
    ),
    "every row is the right one for the first row: the index of the loop is not used.": lambda X: (
        0 * X + X[:1] ** 2 + 1
    ),
    "every column is the right one for the last column": lambda X: 0 * X + X[:, -1:] ** 2 + 1,
    "as after a reshape: a reshape moves no axis, a transpose does.": lambda X: (
        X.T**2 + 1
    ).reshape(X.shape),
    "every entry is 0 but for rounding.": lambda X: 1e-17 * X,
    "only the first column is wrong; there it is X as it was given": lambda X: np.hstack(
        [X[:, :1], X[:, 1:] ** 2 + 1]
    ),
    "the order is reversed along axis 1.": lambda X: X[:, ::-1] ** 2 + 1,
    "all entries are wrong by the same amount": lambda X: X**2 + 1 + X.sum(),
    "the right numbers stand in other places.": lambda X: np.sort(X**2 + 1),
}


@pytest.mark.parametrize("words", PATTERNS)
def test_pattern_is_told(words: str) -> None:
    assert words in cause(PATTERNS[words], lambda X: X**2 + 1, MATRICES[:-1])


SQUARES = [random_arrays(n, (n + 3, n + 3)) for n in range(3)]
DIAGONALS = {
    "only the diagonal is right.": lambda X: X**2 + 1 + X * (1 - np.eye(len(X))),
    "all is right but the diagonal.": lambda X: X**2 + 1 + X * np.eye(len(X)),
    "only the entries below the diagonal are 0; all others are right.": lambda X: np.triu(X**2 + 1),
    "only the entries above the diagonal are wrong; all others are right.": lambda X: (
        X**2 + 1 + np.triu(X, 1)
    ),
}


@pytest.mark.parametrize("words", DIAGONALS)
def test_diagonal_and_triangles_are_told_apart(words: str) -> None:
    assert cause(DIAGONALS[words], lambda X: X**2 + 1, SQUARES) == words


CHANCE = {
    "sign": (lambda X: np.sign(X), np.array([[1.0, 2.0], [3.0, 1.0]])),
    "diagonal": (
        lambda X: X * np.eye(len(X)) + X**2 * (1 - np.eye(len(X))),
        np.array([[1.0, 2.0], [3.0, 1.0]]),
    ),
    "turns": (lambda X: X - 1.001e15, np.array([0.25, 0.5, 0.7, 0.9])),
    "turns of some": (lambda X: X + 1e12 * np.arange(len(X)) ** 2, np.array([0.25, 0.5, 0.7, 0.9])),
}


@pytest.mark.parametrize("name", CHANCE)
def test_pattern_that_a_small_example_shows_by_chance_is_not_told(name: str) -> None:
    student, x = CHANCE[name]
    told = cause(student, lambda X: X, [(x,)])
    assert not any(words in told for words in ("sign of", "diagonal", "turns"))


def test_zeros_where_one_number_belongs_are_not_told_by_their_place() -> None:
    told = cause(
        lambda X: np.where(X > 9, 0, X),
        lambda X: X,
        [(np.array([[10.0, 1.5, 2.5], [10.0, 3.5, 4.5]]),)],
    )
    assert "loop" not in told
    assert (
        cause(lambda X: -0.0 * np.abs(X), lambda X: X + 5, MATRICES)
        == "every entry is 0, whatever the arguments."
    )


def test_axes_are_called_permuted_only_where_the_values_are() -> None:
    x = np.arange(12.0).reshape(2, 2, 3)
    assert "axes are permuted" in message(lambda X: X.transpose(0, 2, 1), lambda X: X, [(x,)])
    assert "axes are permuted" not in message(
        lambda X: np.exp(X.transpose(0, 2, 1)), lambda X: X, [(x,)]
    )


def test_flipped_sign_is_added_to_a_mistake() -> None:
    mistakes = {"You forget the sum.": lambda X: X**3}
    text = cause(lambda X: -(X**3), lambda X: X + X.sum(), MATRICES, mistakes)
    assert text == "You forget the sum. Besides, the sign is flipped."


def test_entries_that_should_be_0_are_told_where_they_alone_are_wrong() -> None:
    told = cause(lambda X: np.where(X > 0, X, 1), lambda X: np.maximum(X, 0), MATRICES[:-1])
    assert told == "only entries that should be 0 are wrong."


def test_sum_that_is_missing_or_taken_too_often_is_told_by_its_axis() -> None:
    columns = MATRICES[:-1]
    assert cause(lambda X: X, lambda X: X.sum(axis=0), columns) == "the sum over axis 0 is missing."
    assert (
        cause(lambda X: X, lambda X: X.mean(axis=1), columns) == "the mean over axis 1 is missing."
    )
    taken = cause(lambda X: X.sum(), lambda X: X.sum(axis=0), columns)
    assert taken == "it is the sum over axis 0 of the right result, which keeps every entry."


def stable(z: np.ndarray) -> np.ndarray:
    return np.exp(z - z.max()) / np.exp(z - z.max()).sum()


def naive(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum()


EXTREME = [*VECTORS, (np.array([1000.0, 0.0, -1000.0]),)]


def test_extreme_case_hides_neither_pattern_nor_mistake() -> None:
    assert cause(lambda z: -naive(z), stable, EXTREME) == "the sign is flipped."
    mistakes = {"You take the square.": lambda z: naive(z) ** 2}
    assert cause(lambda z: stable(z) ** 2, stable, EXTREME, mistakes) == "You take the square."
    mistakes = {"You take the square.": lambda z: stable(z) ** 2}
    assert cause(lambda z: naive(z) ** 2, stable, EXTREME, mistakes) == "You take the square."


def test_overflow_alone_is_told_as_such() -> None:
    assert "a step on the way overflows" in cause(naive, stable, EXTREME)


def test_mistake_that_the_student_does_not_make_is_not_excused_by_an_overflow() -> None:
    mistakes = {"You take the square.": lambda z: stable(z) ** 2}
    assert "square" not in cause(naive, stable, EXTREME, mistakes)


def test_mistake_without_a_conflict_is_named_before_one_that_is_excused() -> None:
    mistakes = {
        "You square a stable one.": lambda z: stable(z) ** 2,
        "You square a naive one.": lambda z: naive(z) ** 2,
    }
    assert (
        cause(mistakes["You square a naive one."], stable, EXTREME, mistakes)
        == "You square a naive one."
    )


def test_mistake_and_a_factor_are_told_together() -> None:
    mistakes = {"You forget the sum.": lambda X: X**3}
    told = cause(lambda X: -(X**3) * len(X), lambda X: X + X.sum(), MATRICES, mistakes)
    assert told.startswith(
        "You forget the sum. Besides, every entry is too large by the number of rows of X, and "
        "the sign is flipped"
    )


def test_mistake_is_named_where_the_argument_is_changed_as_well() -> None:
    def student(z: np.ndarray) -> np.ndarray:
        z -= z.max()
        return 3 * np.exp(z)

    assert (
        cause(student, stable, VECTORS, {"You do not divide.": lambda z: 3 * np.exp(z - z.max())})
        == "You do not divide."
    )


def test_grader_is_asked_where_no_cause_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def look_further(
        name: str, reference: Callable[..., object], agrees: Callable[[Callable[..., object]], bool]
    ) -> str:
        asked.append((name, agrees(lambda X: np.exp(X)), agrees(lambda X: X**2 + 3)))
        return "the grader knows"

    def student(X: np.ndarray) -> np.ndarray:
        return np.exp(X)

    monkeypatch.setattr(gradtests.causes, "look_further", look_further)
    assert cause(student, lambda X: np.cos(X), MATRICES) == "the grader knows."
    assert asked == [("student", True, False)]
    assert cause(lambda X: -X, lambda X: X, MATRICES) == "the sign is flipped."
    assert len(asked) == 1


def test_numbers_are_shown_with_digits_in_which_they_differ() -> None:
    assert differing(-0.0, 1.5) == "0, expected 1.5"
    for got, want in (
        (0.2095, 0.20949),
        (1.0, 1.0 + 1e-7),
        (2.0, 3.0),
        (1e-9, 1.1e-9),
        (0.1 + 0.2, 0.3),
    ):
        one, other = differing(got, want).split(", expected ")
        assert one != other


def test_small_arguments_are_shown_by_value_and_others_by_shape() -> None:
    def fault(*case: Any) -> str:
        return message(lambda *a: np.zeros(3), lambda X, y=0: np.ones(3), [case]).split(": ")[0]

    assert (
        fault(np.array([[1.0, 2], [3, 4.5]]), [1, 0])
        == "Your function, called with X = [[1, 2], [3, 4.5]], y = [1, 0]"
    )
    assert fault(np.ones((20, 3)), 2) == "Your function, called with X of shape (20, 3), y = 2"
    assert (
        fault([[1.0, 2.0], [3.0, 4.0]], [0.5])
        == "Your function, called with X = [[1, 2], [3, 4]], y = [0.5]"
    )


def test_how_many_cases_are_right_is_told() -> None:
    assert "It is right for 1 of 4 sets of arguments." in message(
        lambda z: z[:3].sum(), lambda z: z.sum(), VECTORS
    )


def test_finite_differences_are_told_from_a_formula() -> None:
    def numeric(z: np.ndarray) -> np.ndarray:
        return numerical_jacobian(stable, z)

    def formula(z: np.ndarray) -> np.ndarray:
        return np.diag(stable(z)) - np.outer(stable(z), stable(z))

    assert message(numeric, formula, VECTORS) == ""
    assert "digits only, as finite differences are" in message(
        numeric, formula, VECTORS, analytic=True
    )
    for right in (
        formula,
        lambda z: np.array([y * (np.eye(z.size)[i] - stable(z)) for i, y in enumerate(stable(z))]),
    ):
        assert message(right, formula, VECTORS, analytic=True) == ""
    assert message(lambda z: formula(z).astype(np.float32), formula, VECTORS, analytic=True) == ""


# ---------------------------------------------------------------- two mistakes told as two

PAIRS = cases_for(5, "m n", "n b")


def product(W: np.ndarray, X: np.ndarray) -> np.ndarray:
    return W @ X


def tiled(W: np.ndarray, X: np.ndarray) -> np.ndarray:
    return np.tile(W.sum(axis=1)[:, None], X.shape[1])


TOGETHER = {
    "You forget X. Besides, the sign is flipped.": lambda W, X: -tiled(W, X),
    "You forget X. Besides, it is the transpose.": lambda W, X: tiled(W, X).T,
    "You forget X. Besides, it is the transpose, and the sign is flipped.": (
        lambda W, X: -tiled(W, X).T
    ),
    "You forget X. Besides, it is cut to whole numbers": lambda W, X: tiled(W, X).astype(int),
    "it is the transpose; besides, the sign is flipped.": lambda W, X: -product(W, X).T,
    "it is flattened; besides, every entry is too small by the number of columns of X": (
        lambda W, X: (product(W, X) / X.shape[1]).ravel()
    ),
    "the result comes out as if the first column of W were 0": lambda W, X: W[:, 1:] @ X[1:],
}


@pytest.mark.parametrize("words", TOGETHER)
def test_known_mistake_is_told_with_what_comes_besides(words: str) -> None:
    text = cause(TOGETHER[words], product, PAIRS[:-1], {"You forget X.": tiled})
    assert text.startswith(words)


def test_arguments_exchanged_are_named() -> None:
    pairs = [random_arrays(n, (n,), (n,)) for n in (3, 4, 6)]
    text = cause(lambda x, y: np.exp(y) * x, lambda x, y: np.exp(x) * y, pairs)
    assert text == "the result comes out as if x and y were exchanged."


def both(X: np.ndarray) -> tuple[np.ndarray, ...]:
    return X**2, X.sum(axis=0)


EXCHANGED = {
    "a and b stand in each other's place.": (lambda X: both(X)[::-1]),
    "a and b stand in each other's place. Besides, in b "
    "every entry is too small by the number of rows of X": (lambda X: (X.mean(axis=0), X**2)),
}


@pytest.mark.parametrize("words", EXCHANGED)
@pytest.mark.parametrize("only", ["a", "b"])
def test_exchanged_outputs_are_told_unless_a_mistake_is_named_that_says_all(
    words: str, only: str
) -> None:
    mistakes = {"You square.": lambda X: (X.sum(axis=0), X**2)}
    options = {"outputs": ("a", "b"), "only": only}
    assert cause(EXCHANGED[words], both, MATRICES[:4], {}, **options).startswith(words)
    told = cause(EXCHANGED[words], both, MATRICES[:4], mistakes, **options)
    assert told.startswith(words if "Besides" in words else "You square.")


def test_output_that_equals_another_is_not_exchanged_where_the_other_is_right() -> None:
    options = {"outputs": ("a", "b"), "only": "b"}
    text = cause(lambda X: (X**2, X**2), both, MATRICES[:4], **options)
    assert text == "here stands what belongs in another output, a."


# ---------------------------------------------------------------- what must not be told


def test_mistake_that_overflows_where_the_answer_is_right_is_not_told() -> None:
    cases = [*VECTORS, (np.array([-2000.0, -2001.0]),), (np.array([900.0, 0.0, -900.0]),)]
    mistakes = {"You do not shift.": naive}
    text = cause(lambda z: naive(z - z.min()), stable, cases, mistakes)
    assert "overflows" in text
    assert "You do not shift" not in text


def test_changed_argument_is_not_told_of_an_answer_that_changes_none() -> None:
    def written_over(X: np.ndarray) -> np.ndarray:
        X[...] = 2 * X
        return X

    mistakes = {"You write over X.": written_over}
    text = cause(lambda X: 2 * X, lambda X: X + 1, MATRICES, mistakes)
    assert "write over" not in text
    assert cause(written_over, lambda X: X + 1, MATRICES, mistakes) == "You write over X."


EXAMPLES = {
    "shifted": (lambda i: np.eye(4)[3 * i - 1], np.eye(4)[1], 1),
    "rows": (lambda a: np.tile([3.0, 4.0], (2, 1)), [[3, 4], [6, 8]], np.ones(2)),
    "sign": (lambda t: -np.ones((2, 2)), np.ones((2, 2)), 1.0),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_small_example_names_no_cause_that_it_fits_by_chance(name: str) -> None:
    function, gives, argument = EXAMPLES[name]
    with pytest.raises(AssertionError) as error:
        check_example(function, argument, gives=gives)
    assert "Likely cause" not in str(error.value)


def test_example_with_unlike_numbers_names_factor_and_transpose() -> None:
    X = np.array([[1.0, 2.0], [3.0, 5.0]])
    for function, words in ((lambda X: 2 * X, "twice the right"), (lambda X: X.T, "transpose")):
        with pytest.raises(AssertionError, match=words):
            check_example(function, X, gives=X)


# ---------------------------------------------------------------- parts of the right result

VARIOUS = {
    "it holds the diagonal of the right result only": lambda X: np.diagonal(np.outer(X[0], X[0])),
    "the last of the columns is missing": lambda X: np.outer(X[0], X[0])[:, :-1],
    "off the diagonal the sign is flipped": (
        lambda X: np.outer(X[0], X[0]) * (2 * np.eye(X.shape[1]) - 1)
    ),
    "the sign of some columns is flipped": (
        lambda X: np.outer(X[0], X[0]) * (-1) ** np.arange(X.shape[1])
    ),
    "every entry is cut to a whole number": lambda X: np.outer(X[0], X[0]).astype(int),
    "no entry is above 0.25": lambda X: np.minimum(np.outer(X[0], X[0]), 0.25),
}


@pytest.mark.parametrize("words", VARIOUS)
def test_part_of_the_right_result_is_told(words: str) -> None:
    cases = [(3 * random_arrays(n, (2, n))[0],) for n in (4, 5, 7)]
    if "above" in words:
        cases.append((np.array([[0.1, 0.2, -0.3]]),))
    assert words in cause(VARIOUS[words], lambda X: np.outer(X[0], X[0]), cases)


def test_wrong_for_large_numbers_only() -> None:
    cases = [*VECTORS, (np.array([1000.0, 0.0, -1000.0]),)]

    def bounded(z: np.ndarray) -> np.ndarray:
        return np.nan_to_num(naive(z))

    assert "for numbers of ordinary size the result is right" in cause(bounded, stable, cases)


def test_whole_turns_of_one_value_are_told() -> None:
    angles = [(np.float64(t),) for t in (0.5, 1.0, 1.5, -2.0)]
    text = cause(lambda t: t % (2 * np.pi), lambda t: t + 0.0, angles)
    assert "full turns" in text


def test_reshape_by_columns_is_told() -> None:
    text = cause(
        lambda W, X: product(W, X).ravel().reshape((len(W), -1), order="F"), product, PAIRS[:-1]
    )
    assert text == "the right numbers stand in other places: an array is filled by columns."


# ---------------------------------------------------------------- equal lengths


def test_length_taken_for_another_is_told() -> None:
    def shifted(W: np.ndarray, X: np.ndarray) -> np.ndarray:
        return np.asarray(W @ np.roll(X, len(W) - len(X), axis=0))

    cases = [random_arrays(n, (2, 3), (3, 4)) for n in range(3)]
    assert "right where all lengths are equal" in cause(shifted, product, cases)


def test_shapes_that_do_not_fit_are_compared_where_lengths_are_equal() -> None:
    cases = [random_arrays(n, (2, 3), (3, 4)) for n in range(3)]
    mistakes = {"You transpose W.": lambda W, X: W.T @ X}
    text = cause(lambda W, X: -(W.T) @ X, product, cases, mistakes)
    assert text == "You transpose W. Besides, the sign is flipped."


def test_answer_that_fails_for_its_values_is_not_told_of_lengths() -> None:
    cases = [(np.array([[1000.0, 0.0, 1.0], [2.0, 3.0, -1000.0]]),)] * 2
    text = cause(lambda X: np.minimum(X, 500.0) + 1e-3 * (X == 3), lambda X: X + 0.0, cases)
    assert "lengths" not in text


PRODUCTS = [random_arrays(1, (3, 4), (2, 4)), random_arrays(2, (2, 3), (5, 3))]
STACKED = [random_arrays(1, (3, 4), (4, 2)), random_arrays(2, (2, 3), (3, 5))]
Example = tuple[Callable[..., Any], Callable[..., Any], list[tuple[Any, ...]]]
BEYOND_PATTERNS: dict[str, Example] = {
    "it is computed in half precision, float16, which holds 3 digits.": (
        lambda G, X: (G.astype(np.float16) @ X.T.astype(np.float16)).astype(float),
        lambda G, X: G @ X.T,
        PRODUCTS,
    ),
    "it is computed in single precision, float32, which holds 7 digits.": (
        lambda G, X: (G.astype(np.float32) @ X.T.astype(np.float32)).astype(float) * 1.0,
        lambda G, X: G @ X.T,
        [tuple(1e3 * (x - 0.5) + 1e-3 for x in case) for case in PRODUCTS],
    ),
    "the result comes out as if X were reshaped where a transpose belongs.": (
        lambda W, X: np.kron(np.eye(len(W)), X.reshape(X.shape[::-1])),
        lambda W, X: np.kron(np.eye(len(W)), X.T),
        STACKED,
    ),
    "the result comes out as if W were reshaped to the shape of its transpose, and that "
    "transposed.": (
        lambda W, X: np.einsum("ik,jl->ijkl", W.T.reshape(W.shape), np.eye(X.shape[1])),
        lambda W, X: np.einsum("ik,jl->ijkl", W, np.eye(X.shape[1])),
        STACKED,
    ),
}


def count_pairs(true: np.ndarray, predicted: np.ndarray, k: int) -> np.ndarray:
    counts = np.zeros((k, k))
    np.add.at(counts, (true, predicted), 1)
    return counts


def shares(C: np.ndarray) -> np.ndarray:
    return np.diag(C) / np.maximum(C.sum(axis=0), 1)


def scaled_to_norm(A: np.ndarray, r: int) -> np.ndarray:
    return terms(A, r) * np.linalg.norm(A) / np.linalg.norm(terms(A, r))


def terms(A: np.ndarray, r: int) -> np.ndarray:
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    return np.asarray((U[:, :r] * s[:r]) @ Vt[:r])


BEYOND_PATTERNS |= {
    "an array of uint8 holds no number above 255: larger ones begin anew.": (
        lambda true, predicted, k: count_pairs(true, predicted, k).astype(np.uint8),
        count_pairs,
        [
            (np.array([0, 0, 1]), np.array([0, 1, 1]), 2),
            (np.zeros(300, int), np.zeros(300, int), 2),
        ],
    ),
    "the entries that are 0 are left out; they are asked for as well.": (
        lambda C: shares(C)[C.sum(axis=0) > 0],
        shares,
        [(np.array([[4.0, 0, 3], [2, 0, 5], [1, 0, 6]]),), (np.array([[3.0, 1], [2, 5]]),)],
    ),
    "the result comes out as if the inverse of W stood where its transpose belongs.": (
        lambda G, W: np.linalg.pinv(W) @ G,
        lambda G, W: W.T @ G,
        [random_arrays(1, (3, 4), (3, 2)), random_arrays(2, (2, 3), (2, 5))],
    ),
    "the result comes out as if every column of X were the first.": (
        lambda G, X: np.diag((X[:, 0] > 0).astype(float)) @ G,
        lambda G, X: G * (X > 0),
        [random_arrays(1, (3, 4), (3, 4)), random_arrays(2, (2, 3), (2, 3))],
    ),
    "every entry is the right one times x.": (
        lambda x, W: np.outer(np.tanh(W.T @ x), x * x),
        lambda x, W: np.outer(np.tanh(W.T @ x), x),
        [random_arrays(1, (3,), (3, 4)), random_arrays(2, (2,), (2, 5))],
    ),
}
EQUAL_LENGTHS_BY_CHANCE: dict[str, Example] = {
    "all terms": (
        scaled_to_norm,
        terms,
        [(*random_arrays(1, (3, 6)), 1), (*random_arrays(2, (4, 3)), 2)],
    ),
    "invertible": (
        lambda A: np.linalg.solve(A.T @ A + 1e-10 * np.eye(A.shape[1]), A.T),
        np.linalg.pinv,
        [random_arrays(1, (4, 3)), random_arrays(1, (2, 3)), (np.outer([1.0, 2, 3], [1, 2]),)],
    ),
}


@pytest.mark.parametrize("case", EQUAL_LENGTHS_BY_CHANCE)
def test_square_arguments_that_hide_another_mistake_are_no_evidence(case: str) -> None:
    student, reference, cases = EQUAL_LENGTHS_BY_CHANCE[case]
    with pytest.raises(AssertionError) as caught:
        check(student, reference, cases, forms=())
    assert "all lengths are equal" not in str(caught.value)


@pytest.mark.parametrize("words", BEYOND_PATTERNS)
def test_cause_beyond_patterns_is_told(words: str) -> None:
    student, reference, cases = BEYOND_PATTERNS[words]
    with pytest.raises(AssertionError) as caught:
        check(student, reference, cases, forms=())
    assert str(caught.value).endswith(f"Likely cause: {words}")


def test_mistake_that_lengths_are_bent_to_fit_is_told() -> None:
    with pytest.raises(AssertionError, match="down the columns"):
        check(
            lambda D, b: D + np.resize(b, len(D))[:, None],
            lambda D, b: D + b,
            [random_arrays(1, (3, 4), (4,)), random_arrays(2, (5, 2), (2,))],
            {"You add b down the columns.": lambda D, b: D + b[:, None]},
            forms=(),
        )
