"""What `gradcheck` and `gradtests` say: every fault in its order, every cause, and no fault where
there is none.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from notebooks import COURSE

from gradcheck import (
    NotWritten,
    check_example,
    check_gradient,
    numerical_jacobian,
    plot_jacobians,
    random_arrays,
)
from gradtests import any_slope, any_svd, cases_for, check, up_to_basis, up_to_sign
from gradtests.forms import GIVEN_AS, SCALED


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


def softmax(z: np.ndarray) -> np.ndarray:
    """The reference of most examples."""
    powers = np.exp(z - np.max(z))
    return powers / powers.sum()


CASES = [random_arrays(1, (4,)), random_arrays(2, (3,))]


def raises(z: np.ndarray) -> np.ndarray:
    return z @ z[:2]


def in_place(z: np.ndarray) -> np.ndarray:
    z -= z.max()
    return softmax(z)


class ClaimsEqual(np.ndarray):
    """An array for which every comparison holds."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


# -------------------------------- bad input: a student's function, the words it must hear

BAD = {
    "raises": (raises, "raised ValueError: matmul"),
    "raises, with the line": (raises, "(at: return z @ z[:2])"),
    "stub": (lambda z: (_ for _ in ()).throw(NotImplementedError), "is not written yet"),
    "exit": (lambda z: exit(), "called exit()"),
    "no argument": (lambda: 1, "raised TypeError"),
    "None": (lambda z: None, "returned None; is a return missing?"),
    "wrong list": (lambda z: [1.0, 2.0], "has shape (2,), expected (4,)"),
    "ragged list": (lambda z: [[1.0], [1.0, 2.0]], "its rows differ in length"),
    "tuple for one": (lambda z: (softmax(z), 1), "its rows differ in length"),
    "object array": (lambda z: np.array([None] * z.size), "returned an array of objects"),
    "text": (lambda z: "softmax", "returned text, expected a plain array of numbers"),
    "text array": (lambda z: np.array(["a"] * z.size), "returned text"),
    "dict": (lambda z: {}, "returned an object of type dict"),
    "NaN": (
        lambda z: np.where(z == z.max(), np.nan, softmax(z)),
        "is nan, expected finite numbers",
    ),
    "infinite": (lambda z: softmax(z) / 0, "is inf, expected finite numbers"),
    "empty": (lambda z: np.array([]), "is empty, of shape (0,), expected (4,)"),
    "empty that broadcasts": (lambda z: np.zeros((0, 4)), "is empty, of shape (0, 4)"),
    "scalar": (lambda z: 0.25, "has shape (), expected (4,)"),
    "masked": (lambda z: np.ma.array(z, mask=True), "returned a masked array"),
    "subclass": (lambda z: softmax(z).view(ClaimsEqual), "returned an object of type ClaimsEqual"),
    "complex": (lambda z: softmax(z) + 0j, "returned complex numbers, expected real ones"),
    "changed argument": (in_place, "changed its argument; work on a copy"),
}


@pytest.mark.parametrize(("student", "words"), BAD.values(), ids=BAD)
def test_bad_answer_is_named_in_one_sentence(student: Callable[..., Any], words: str) -> None:
    text = message(student, softmax, CASES)
    assert words in text
    assert "\n" not in text.split("\nLikely cause: ")[0]
    assert text.endswith((".", "?"))


# ------------------------------------------------- order and causes

MISTAKES = {
    "You do not divide by the sum.": lambda z: np.exp(z - z.max()),
    "You return the logarithm.": lambda z: np.log(softmax(z)),
    "You sum the probabilities.": lambda z: softmax(z).sum(),
    "You need as many entries as there are.": lambda z: softmax(z) @ np.ones(4),
    "You overwrite z.": in_place,
}


@pytest.mark.parametrize("sentence", MISTAKES)
def test_mistake_is_answered_with_its_own_sentence(sentence: str) -> None:
    assert message(MISTAKES[sentence], softmax, CASES, MISTAKES).endswith(
        f"\nLikely cause: {sentence}"
    )


def test_mistake_that_differs_on_one_case_is_not_named() -> None:
    def other(z: np.ndarray) -> np.ndarray:
        return MISTAKES["You return the logarithm."](z) + (z.size == 3)

    assert "logarithm" not in message(other, softmax, CASES, MISTAKES)


def test_same_exception_alone_names_no_mistake_unless_its_text_is_the_same() -> None:
    always = {"You use four.": lambda z: softmax(z) @ np.ones(7)}
    assert "You use four." in message(always["You use four."], softmax, CASES, always)
    assert "You use four." not in message(raises, softmax, CASES, always)


def test_exception_is_reported_before_a_wrong_shape_and_that_before_wrong_values() -> None:
    def by_size(z: np.ndarray) -> np.ndarray:
        return raises(z) if z.size == 5 else z[: z.size - 2] if z.size == 3 else z

    cases = [random_arrays(1, (4,)), random_arrays(2, (3,)), random_arrays(3, (5,))]
    assert "raised ValueError" in message(by_size, softmax, cases)
    assert "has shape (1,)" in message(by_size, softmax, cases[:2])
    assert "entry [" in message(by_size, softmax, cases[:1])


PATTERNS = {
    "the sign is flipped": (lambda A: -A, (3, 3)),
    "every entry is 3 times the right one": (lambda A: 3 * A, (3, 4)),
    "every entry is 0": (lambda A: 0 * A, (3, 4)),
    "it is the transpose": (lambda A: A.T, (3, 3)),
    "only the diagonal is right": (lambda A: np.diag(np.diag(A)), (3, 3)),
    "np.transpose(result, (1, 2, 0)) would be right": (lambda A: A.transpose(2, 0, 1), (2, 2, 2)),
    ": it is the transpose": (lambda A: A.T, (3, 4)),
    ", that of the transpose": (lambda A: 2 * A.T, (3, 4)),
    ": it is flattened": (lambda A: A.ravel(), (3, 4)),
    ": the numbers are right, reshape them": (lambda A: A.reshape(2, 6), (3, 4)),
    ": the axes are permuted": (lambda A: A.transpose(1, 2, 0), (2, 3, 4)),
}


@pytest.mark.parametrize(
    ("words", "student", "shape"), [(w, *p) for w, p in PATTERNS.items()], ids=PATTERNS
)
def test_pattern_is_told(words: str, student: Callable[..., Any], shape: tuple[int, ...]) -> None:
    assert words in message(student, lambda A: A, [random_arrays(1, shape)])


def test_factor_that_varies_between_cases_is_no_pattern() -> None:
    assert "times the right one" not in message(lambda z: z * z.size, lambda z: z, CASES)


def test_largest_wrong_entry_is_shown_with_enough_digits_to_differ() -> None:
    def nearly(A: np.ndarray) -> np.ndarray:
        return A + 1e-6 * np.eye(3)[1] * (np.arange(2) == 0)[:, None]

    text = message(nearly, lambda A: A, [random_arrays(3, (2, 3))])
    got, expected = text.split(" is ")[1].rstrip(".").split(", expected ")
    assert "entry [0, 1]" in text
    assert float(got) - float(expected) == pytest.approx(1e-6, rel=0.2)


TWO: dict[str, Any] = {"outputs": ("dL/dX", "dL/dW"), "cases": [random_arrays(1, (2, 3), (3, 4))]}


def both(X: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, ...]:
    return X, W


def test_several_outputs_are_named() -> None:
    text = message(lambda X, W: (X, -W), both, **TWO)
    assert "dL/dW: entry [" in text
    assert "the sign is flipped" in text
    assert "dL/dW: has shape (3,)" in message(lambda X, W: (X, W[:, 0]), both, **TWO)
    assert "dL/dX: returned None" in message(lambda X, W: (None, W), both, **TWO)
    assert "returned 1 thing, expected 2 arrays" in message(lambda x: (x,), lambda x: (x, x), CASES)
    assert "expected 2 arrays (dL/dX, dL/dW)" in message(lambda X, W: X, both, **TWO)


@pytest.mark.parametrize(
    "other", [lambda W: None, lambda W: "x", lambda W: W * np.nan, lambda W: W[0], lambda W: -W]
)
def test_one_output_of_several_is_judged_by_itself(other: Callable[..., Any]) -> None:
    def student(X: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, ...]:
        return X, other(W)

    assert message(student, both, **TWO, only="dL/dX") == ""
    assert "dL/dW: " in message(student, both, **TWO, only="dL/dW")
    assert "expected 2 arrays" in message(lambda X, W: X, both, **TWO, only="dL/dX")


def test_mistake_in_one_output_is_named_in_its_own_cell() -> None:
    mistakes = {"X is doubled.": lambda X, W: (2 * X, W), "W is negated.": lambda X, W: (X, -W)}

    def student(X: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, ...]:
        return 2 * X, -W

    assert message(student, both, mistakes=mistakes, **TWO, only="dL/dX").endswith(
        "Likely cause: X is doubled."
    )
    assert message(student, both, mistakes=mistakes, **TWO, only="dL/dW").endswith(
        "Likely cause: W is negated."
    )


def test_changed_argument_costs_points_with_the_first_output_alone() -> None:
    def student(X: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, ...]:
        answer = X.copy(), W.copy()
        X *= 2
        return answer

    assert "changed its argument" in message(student, both, **TWO, only="dL/dX", forms=())
    assert message(student, both, **TWO, only="dL/dW", forms=()) == ""


@pytest.mark.parametrize("only", ["dE/dx", "dE/dA"])
def test_finite_differences_cost_points_in_the_cell_of_the_output_that_they_give_alone(
    only: str,
) -> None:
    def reference(x: np.ndarray, A: np.ndarray) -> tuple[np.ndarray, ...]:
        return A.T @ np.ones(len(A)), np.outer(np.ones(len(A)), x)

    def student(x: np.ndarray, A: np.ndarray) -> tuple[np.ndarray, ...]:
        return numerical_jacobian(lambda x: np.sum(A @ x), x), reference(x, A)[1]

    cases = [random_arrays(seed, (3,), (2, 3)) for seed in (1, 2)]
    said = message(student, reference, cases, outputs=("dE/dx", "dE/dA"), only=only, analytic=True)
    assert ("digits only, as finite differences are" in said) == (only == "dE/dx")
    assert bool(said) == (only == "dE/dx")


def test_only_names_one_of_the_outputs() -> None:
    with pytest.raises(ValueError, match="only='dL/db' is none of the outputs dL/dX, dL/dW"):
        check(both, both, **TWO, only="dL/db")


def rendered(error: BaseException) -> list[str]:
    """Return what Jupyter shows of an error that renders itself."""
    shown: list[str] = getattr(error, "_render_traceback_")()  # noqa: B009, types do not know it
    return shown


def test_jupyter_shows_the_message_without_the_hidden_test() -> None:
    with pytest.raises(AssertionError) as caught:
        check(lambda z: 2 * z, lambda z: z, CASES)
    shown = rendered(caught.value)
    assert " ".join(shown) == f"AssertionError: {caught.value}".replace("\n", " ")
    assert shown[-1].startswith("Likely cause: ")


# ------------------------------------------------- right answers

RIGHT = {
    "reference": softmax,
    "list": lambda z: softmax(np.asarray(z)).tolist(),
    "column for vector": lambda z: softmax(np.asarray(z))[:, None],
    "float32": lambda z: softmax(np.asarray(z, dtype=np.float32)),
    "with a warning": lambda z: softmax(np.asarray(z) + 0 * np.log(np.zeros(len(z)) + 1e-320)),
    "division by zero on the way": lambda z: np.where(
        True, softmax(np.asarray(z)), np.asarray(z) / 0
    ),
}


@pytest.mark.parametrize("student", RIGHT.values(), ids=RIGHT)
def test_right_answer_passes_quietly(
    student: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert message(student, softmax, CASES) == ""
    assert capsys.readouterr().err == ""


def test_other_shape_of_a_vector_is_accepted_with_a_note(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check(RIGHT["column for vector"], softmax, CASES)
    assert (
        "Note: Your function returned shape (4, 1); it is read as (4,)." in capsys.readouterr().out
    )


def test_row_is_no_column() -> None:
    assert "has shape (1, 3), expected (3, 1)" in message(
        lambda x: x.T, lambda x: x, [random_arrays(1, (3, 1))]
    )


FORM_FAULTS = {
    "lists": lambda z: softmax(z - z.max()),
    "integers": lambda z: np.add(
        np.zeros_like(z), softmax(np.asarray(z)), casting="unsafe", out=np.zeros_like(z)
    ),
    "read-only": lambda z: (
        z.__setitem__(0, z[0]) if isinstance(z, np.ndarray) else None,
        softmax(z),
    )[1],
}


@pytest.mark.parametrize("form", FORM_FAULTS)
def test_function_that_fails_in_a_form_alone_keeps_its_points_and_gets_a_note(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check(FORM_FAULTS[form], softmax, CASES)
    printed = capsys.readouterr().out
    given, help_ = GIVEN_AS[form]
    assert (
        f"Note: Your function is right, but not where its arguments are given {given}: it "
        in printed
    )
    assert help_ in printed


SCALE_FAULTS = {
    "small": lambda z: np.where(np.abs(z) < 1e-4, 0, z),
    "large": lambda z: np.clip(z, -1e4, 1e4),
}


@pytest.mark.parametrize("form", SCALE_FAULTS)
def test_function_that_is_right_for_numbers_near_1_alone_loses_points(form: str) -> None:
    text = message(SCALE_FAULTS[form], np.copy, [(np.rint(100 * CASES[0][0]) / 10,)])
    given, cause = SCALED[form]
    assert f"given {given}: " in text
    assert f"Likely cause: {cause}." in text


def bare_softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max())
    return powers / powers.sum()


def integer_ones(z: np.ndarray) -> np.ndarray:
    ones = np.zeros_like(z)
    ones[:] = 0.5 * z
    return ones


def test_case_of_lists_or_integers_costs_no_points(capsys: pytest.CaptureFixture[str]) -> None:
    check_example(bare_softmax, [0, 0], gives=[0.5, 0.5])
    check(bare_softmax, softmax, [([1.0, 2.0],), ([3, 1, 1],)])
    check_example(integer_ones, [1, 2], gives=[0.5, 1])
    check(integer_ones, lambda z: 0.5 * np.asarray(z), [(np.array([1, 2, 3]),)])
    assert capsys.readouterr().out.count("It costs no points") == 5
    assert "entry [1] is 2, expected 1" in message(lambda z: z, lambda z: [0.5, 1], [([1, 2],)])


def test_expected_exception_is_required() -> None:
    def picky(x: np.ndarray) -> None:
        raise ValueError("no")

    assert message(picky, picky, CASES) == ""
    assert "returned a value, expected a ValueError" in message(lambda x: x, picky, CASES)
    assert "raised TypeError, expected a ValueError" in message(lambda x: x + None, picky, CASES)


@given(arrays(float, (3, 2), elements=st.floats(-10, 10)), st.floats(1e-6, 1e3))
def test_tolerance_is_relative_to_the_largest_entry(A: np.ndarray, excess: float) -> None:
    scale = np.abs(A).max()
    off = np.zeros((3, 2))
    off[1, 1] = (1e-12 + 1e-7 * scale) * (1 + excess)
    assert message(lambda A: A + off, lambda A: A, [(A,)], forms=())
    assert not message(lambda A: A + off / (1 + excess) / 1.01, lambda A: A, [(A,)], forms=())


# ------------------------------------------------- what counts as equal


def svd(B: np.ndarray) -> tuple[np.ndarray, ...]:
    U, s, Vt = np.linalg.svd(B, full_matrices=False)
    return U, s, Vt.T


SQUARE_AND_WIDE = [random_arrays(1, (3, 3)), random_arrays(2, (2, 4))]


@given(st.permutations(range(3)), st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3))
def test_any_svd_accepts_every_order_and_sign(order: list[int], signs: list[float]) -> None:
    def other(B: np.ndarray) -> tuple[np.ndarray, ...]:
        U, s, V = svd(B)
        keep = [i for i in order if i < s.size]
        sign = np.array(signs)[: s.size]
        return U[:, keep] * sign, s[keep], V[:, keep] * sign

    check(other, svd, SQUARE_AND_WIDE, compare=any_svd)


def test_any_svd_accepts_another_pair_for_equal_singular_values() -> None:
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    check(
        lambda B: (svd(B)[0] @ turn, svd(B)[1], svd(B)[2] @ turn),
        svd,
        [(2 * turn,)],
        compare=any_svd,
        forms=(),
    )


WRONG_SVD = {
    "V transposed": lambda B: (svd(B)[0], svd(B)[1], svd(B)[2].T),
    "negative singular value": lambda B: (-svd(B)[0], -svd(B)[1], svd(B)[2]),
    "sign of U only": lambda B: (-svd(B)[0], svd(B)[1], svd(B)[2]),
    "s not in the order of U": lambda B: (svd(B)[0], svd(B)[1][::-1], svd(B)[2]),
    "not orthogonal": lambda B: (svd(B)[0] * 2, svd(B)[1] / 2, svd(B)[2]),
    "no decomposition": lambda B: (np.eye(len(B)), np.ones(min(B.shape)), svd(B)[2]),
}


@pytest.mark.parametrize("student", WRONG_SVD.values(), ids=WRONG_SVD)
def test_any_svd_rejects(student: Callable[..., Any]) -> None:
    assert message(student, svd, SQUARE_AND_WIDE, compare=any_svd)


SINGULAR = np.array([[3.0, 0, 1], [1, 0, 2], [2, 0, -1], [1, 0, 1]])
LEFT, RIGHT_TURN = (np.linalg.qr(a)[0] for a in random_arrays(10, (3, 3), (3, 3)))
PARTS: dict[
    str, tuple[Callable[..., tuple[Any, ...]], str]
] = {  # which parts lose points for a change of (U, s, V)
    "none": (lambda U, s, V: (U, s, V), ""),
    "other order and signs": (lambda U, s, V: (-U[:, ::-1], s[::-1], -V[:, ::-1]), ""),
    "U is no array": (lambda U, s, V: (None, s, V), "U"),
    "U scaled": (lambda U, s, V: (U * s, s, V), "U"),
    "a column of U twice": (lambda U, s, V: (U[:, [0, 0, 2]], s, V), "U"),
    "s squared": (lambda U, s, V: (U, s**2, V), "s"),
    "s in another order": (lambda U, s, V: (U, s[::-1], V), "s"),
    "V transposed": (lambda U, s, V: (U, s, V.T), "V"),
    "signs that do not fit": (lambda U, s, V: (U, s, -V), "V"),
    "V in another order": (lambda U, s, V: (U, s, V[:, [1, 0, 2]]), "V"),
    "U scaled, V with other signs": (lambda U, s, V: (U * s, s[::-1], -V[:, ::-1]), "U"),
    "all wrong": (lambda U, s, V: (V @ U.T @ U, 2 * s, V + 1), "UsV"),
}


@pytest.mark.parametrize("change", PARTS)
@pytest.mark.parametrize(
    "B",
    [
        random_arrays(8, (4, 3))[0],
        random_arrays(9, (3, 5))[0],
        SINGULAR,
        LEFT * (2, 2, 1) @ RIGHT_TURN.T,
    ],
    ids=["tall", "wide", "singular", "equal"],
)
def test_any_svd_judges_each_part_by_itself(change: str, B: np.ndarray) -> None:
    wrong, losing = PARTS[change]

    def reference(B: np.ndarray) -> tuple[np.ndarray, ...]:
        U, s, Vt = np.linalg.svd(B, full_matrices=False)
        return U, s, Vt.T

    def student(B: np.ndarray) -> tuple[np.ndarray, ...]:
        return wrong(*reference(B))

    def loses(part: str) -> bool:
        try:
            check(
                student,
                reference,
                [(B,)],
                compare=any_svd,
                outputs=("U", "s", "V"),
                only=part,
                forms=(),
            )
        except AssertionError:
            return True
        return False

    assert "".join(filter(loses, "UsV")) == losing


def test_numbers_that_are_nearly_right_are_not_called_a_mistake_with_another_sign() -> None:
    cases = [random_arrays(21, (4,)), random_arrays(22, (6,))]
    text = message(
        lambda x: 2 * x + 1e-6 * np.cos(9 * x),
        lambda x: 2 * x,
        cases,
        {"You flip the sign.": lambda x: -2 * x},
    )
    assert "Likely cause: it is right to 6 digits only" in text
    assert "flip" not in text


def test_mistake_that_raises_where_it_should_not_is_named_whatever_its_text() -> None:
    def raises_above(bound: float, text: str) -> Callable[[np.ndarray], np.ndarray]:
        def function(x: np.ndarray) -> np.ndarray:
            if x[0] > bound:
                raise ValueError(text)
            return 2 * x

        return function

    cases = [(np.array([1.0, 2.0]),), (np.array([3.0, 1.0]),), (np.array([9.0, 4.0]),)]
    text = message(
        raises_above(2, "no"),
        raises_above(5, "none"),
        cases,
        {"Your bound is too low.": raises_above(2, "never")},
    )
    assert text.endswith("Likely cause: Your bound is too low.")


def test_mistake_that_runs_out_of_memory_is_named_whatever_its_text() -> None:
    def too_large(x: np.ndarray) -> np.ndarray:
        return np.empty((10**8, 10**8)) if x.size > 5 else 2 * x

    cases = [random_arrays(23, (4,)), random_arrays(24, (6,))]
    text = message(
        too_large,
        lambda x: 2 * x,
        cases,
        {"You build a matrix.": lambda x: np.empty((10**9, 10**9)) if x.size > 5 else 2 * x},
    )
    assert text.endswith("Likely cause: You build a matrix.")


def test_any_svd_names_a_mistake() -> None:
    mistakes = {"You return Vᵀ.": WRONG_SVD["V transposed"]}
    assert "You return Vᵀ." in message(
        WRONG_SVD["V transposed"], svd, SQUARE_AND_WIDE, mistakes, compare=any_svd
    )


def test_up_to_sign() -> None:
    check(lambda x: -x, lambda x: x, CASES, compare=up_to_sign, forms=())
    assert message(lambda x: np.abs(x), lambda x: x, CASES, compare=up_to_sign)


@given(st.floats(-4, 4), st.booleans())
def test_up_to_basis_accepts_every_basis_of_the_space_and_no_other_space(
    angle: float, reflect: bool
) -> None:
    basis = np.linalg.qr(random_arrays(5, (5, 2))[0])[0]
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]]) * [1, -1 if reflect else 1]
    check(lambda A: basis @ turn, lambda A: basis, CASES, compare=up_to_basis, forms=())
    other = np.linalg.qr(random_arrays(6, (5, 2))[0])[0]
    assert message(lambda A: other @ turn, lambda A: basis, CASES, compare=up_to_basis)
    assert message(lambda A: 2 * basis @ turn, lambda A: basis, CASES, compare=up_to_basis)


def test_any_slope_accepts_what_lies_between_the_sides_at_the_kink_alone() -> None:
    x = (np.array([-1.0, 0.0, 2.0]),)

    def relu_slope(at_zero: float) -> Callable[..., np.ndarray]:
        return lambda x: np.where(np.asarray(x) == 0, at_zero, np.asarray(x) > 0)

    kink = any_slope(relu_slope(1.0))
    for slope in (0.0, 0.5, 1.0):
        check(relu_slope(slope), relu_slope(0.0), [x], compare=kink)
    assert "entry [1] is 1.5, expected 1" in message(
        relu_slope(1.5), relu_slope(0.0), [x], compare=kink
    )
    assert message(lambda x: np.ones(3), relu_slope(0.0), [x], compare=kink)


# ------------------------------------------------- finite differences


@given(arrays(float, (2, 3), elements=st.floats(-2, 2)))
def test_numerical_jacobian_of_a_linear_map_is_its_matrix(X: np.ndarray) -> None:
    A = np.arange(8.0).reshape(4, 2)
    expected = np.einsum("ik,jl->ijkl", A, np.eye(3))
    np.testing.assert_allclose(numerical_jacobian(lambda X: A @ X, X), expected, atol=1e-8)


def test_numerical_jacobian_has_the_output_axes_first() -> None:
    assert numerical_jacobian(lambda x: np.outer(x, [1, 2, 3, 4]), np.ones(2)).shape == (2, 4, 2)
    assert numerical_jacobian(np.sum, np.ones((2, 3))).shape == (2, 3)
    assert numerical_jacobian(np.sin, 0.0) == pytest.approx(1)


def test_numerical_jacobian_takes_integers_and_leaves_its_argument_alone() -> None:
    x = np.array([1, 2, 3])

    def in_place(x: np.ndarray) -> np.ndarray:
        x *= 2
        return x

    np.testing.assert_allclose(numerical_jacobian(in_place, x), 2 * np.eye(3))
    assert x.tolist() == [1, 2, 3]


def test_check_gradient_prints_both_and_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_gradient(np.sin, np.diag(np.cos([1.0, 2.0])), [1.0, 2.0]) < 1e-9
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("analytic", "0.540302", "numeric", "relative error"))


def test_check_gradient_prints_only_the_shape_of_arrays_that_fill_a_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    x = np.linspace(0.1, 1, 8)
    check_gradient(np.sin, np.diag(np.cos(x)), x)
    printed = capsys.readouterr().out
    assert "shape (8, 8), 64 entries each" in printed
    assert len(printed.splitlines()) == 2


@pytest.mark.parametrize(
    ("gradient", "words"),
    [
        (lambda x: -2 * x, "the sign is flipped"),
        (lambda x: 2 * x + [0, 0, 1e-3], "The gradient at entry [2]: analytic 6.001, numeric 6."),
        (
            lambda x: np.diag(2 * x),
            "The analytic gradient has shape (3, 3), the numeric one has (3,).",
        ),
        (lambda x: 2 * x * [1, 1, np.nan], "at entry [2]: analytic nan, numeric 6"),
        (lambda x: np.zeros(3), "every entry is 0"),
    ],
)
def test_check_gradient_raises_where_they_differ(gradient: Callable[..., Any], words: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_gradient(lambda x: x @ x, gradient, [1.0, 2.0, 3.0], figure=False)
    assert words in str(caught.value)


def test_wrong_entry_beside_a_far_larger_one_is_seen() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return 1e6 * x[0] + x[1]

    check_gradient(f, lambda x: np.array([1e6, 1.0]), [1.0, 2.0])
    for gradient in ([1e6, 2.0], [1e6, 0.0], [1e6 + 10, 1.0]):
        with pytest.raises(AssertionError, match="The gradient at entry"):
            check_gradient(f, np.array(gradient), [1.0, 2.0], figure=False)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_any_slope_between_those_of_both_sides_is_right_at_a_kink(
    slope: float, capsys: pytest.CaptureFixture[str]
) -> None:
    check_gradient(lambda x: np.maximum(x, 0).sum(), np.array([0.0, slope, 1.0]), [-1.0, 0.0, 2.0])
    assert "Note: f has a kink here." in capsys.readouterr().out


def test_other_slope_at_a_kink_is_compared_with_the_numeric_one() -> None:
    with pytest.raises(AssertionError) as caught:
        check_gradient(
            lambda x: np.maximum(x, 0).sum(),
            np.array([0.0, 1.5, 1.0]),
            [-1.0, 0.0, 2.0],
            figure=False,
        )
    assert str(caught.value) == "The gradient at entry [1]: analytic 1.5, numeric 0.5."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((lambda x: 2 * x, lambda x: x @ x, [1.0, 2.0]), "f and gradient seem to be swapped"),
        ((lambda x: x @ x, [1.0, 2.0], lambda x: 2 * x), "x, the third argument, is a function"),
        (([1.0, 2.0], lambda x: x @ x, lambda x: 2 * x), "x, the third argument, is a function"),
        (([1.0, 2.0], lambda x: 2 * x, [1.0, 2.0]), "f, the first argument, is no function"),
    ],
)
def test_arguments_of_check_gradient_in_another_order_are_told(
    arguments: tuple[Any, ...], words: str
) -> None:
    with pytest.raises(AssertionError, match=words) as caught:
        check_gradient(*arguments, figure=False)
    assert "The order is check_gradient(f, gradient, x)" in str(caught.value)


def unwritten(z: np.ndarray) -> np.ndarray:
    raise NotWritten


def calls_unwritten(z: np.ndarray) -> np.ndarray:
    return 2 * unwritten(z)


def test_function_that_is_not_written_says_so_in_one_line() -> None:
    with pytest.raises(NotImplementedError) as caught:
        unwritten(np.ones(1))
    assert rendered(caught.value) == ["unwritten is not written yet."]
    assert message(unwritten, softmax, CASES) == "unwritten is not written yet."
    assert (
        message(calls_unwritten, softmax, CASES)
        == "calls_unwritten calls unwritten, and unwritten is not written yet."
    )


def test_case_that_is_no_tuple_is_an_error_of_its_author() -> None:
    with pytest.raises(ValueError, match="a case is a tuple of arguments"):
        check(softmax, softmax, [np.ones(3)])  # type: ignore[list-item]  # the fault


def test_check_gradient_of_a_constant_accepts_zero_alone() -> None:
    check_gradient(lambda x: 3.0, lambda x: np.zeros(2), [1.0, 2.0])
    with pytest.raises(AssertionError):
        check_gradient(lambda x: 3.0, lambda x: np.full(2, 1e-3), [1.0, 2.0], figure=False)


def test_failed_jacobian_is_drawn_beside_its_twin_and_the_difference() -> None:
    analytic, numeric = random_arrays(1, (2, 3, 4), (2, 3, 4))
    fig = plot_jacobians(analytic, numeric, inputs=4)
    panels = [ax.images[0].get_array() for ax in fig.axes if ax.images and ax.get_title()]
    for panel, drawn in zip(panels, (analytic, numeric, analytic - numeric), strict=True):
        np.testing.assert_array_equal(panel, drawn.reshape(6, 4))


def test_gradient_is_drawn_as_one_row_with_whole_numbers_beside_it() -> None:
    analytic, numeric = random_arrays(1, (2, 3), (2, 3))
    fig = plot_jacobians(analytic, numeric, inputs=6)
    for ax in fig.axes[:3]:
        low, high = sorted(ax.get_ylim())
        assert [tick for tick in ax.get_yticks() if low <= tick <= high] == [0]


def test_rounding_errors_are_drawn_as_no_difference() -> None:
    numeric = np.array([[1.0, 0.0], [-2.0, 1e-3]])
    fig = plot_jacobians(numeric + 1e-10, numeric)
    assert not np.any(fig.axes[2].images[0].get_array())
    fig = plot_jacobians(numeric + 1e-5, numeric)
    assert np.all(fig.axes[2].images[0].get_array())


def test_worked_example() -> None:
    check_example(np.cumsum, [1, 2], gives=[1, 3])
    with pytest.raises(AssertionError, match=r"cumsum.*expected 4"):
        check_example(np.cumsum, [1, 2], gives=[1, 4])


def test_failed_check_draws_the_jacobians(capsys: pytest.CaptureFixture[str]) -> None:
    before = len(plt.get_fignums())
    with pytest.raises(AssertionError):
        check_gradient(np.sin, lambda x: np.diag(np.sin(x)), [1.0, 2.0])
    check_gradient(np.sin, lambda x: np.diag(np.cos(x)), [1.0, 2.0])
    assert len(plt.get_fignums()) == before + 1
    plt.close("all")


def test_cases_hold_every_shape_that_is_easily_forgotten() -> None:
    cases = cases_for(1, "N m", "m n", "")
    shapes = [(D.shape[0], *W.shape) for D, W, _ in cases]
    assert all(D.shape[1] == W.shape[0] and np.ndim(number) == 0 for D, W, number in cases)
    assert len(set(shapes[0])) == 3
    for axis in range(3):
        assert any(shape[axis] == 1 for shape in shapes)
    for pair in ((0, 1), (0, 2), (1, 2)):
        assert any(
            len({shape[axis] for axis in pair}) == 1 and len(set(shape)) == 2 for shape in shapes
        )
    assert any(min(shape) > 32 for shape in shapes)
    whole = cases[-1][0]
    assert np.array_equal(whole, np.rint(whole))
    assert np.array_equal(whole[0], whole[-1])
    assert np.array_equal(whole[:, 0], whole[:, -1])


def test_reference_that_fails_by_accident_is_an_error_of_its_author() -> None:
    with pytest.raises(FileNotFoundError):
        check(lambda x: Path("none").read_text(), lambda x: Path("none").read_text(), CASES)
    with pytest.raises(TypeError, match="The reference returned None"):
        check(lambda x: x, lambda x: None, CASES)


def test_argument_is_unchanged_whatever_it_holds() -> None:
    unlike = [np.ones(2), np.ones(3)]
    check(lambda Ws, x: x, lambda Ws, x: x, [(unlike, np.array([1.0, 2.0]))], forms=())
    check(lambda x, y: y, lambda x, y: y, [(np.array([np.nan]), np.ones(2))], forms=())

    def fill(settings: dict[str, float], x: np.ndarray) -> np.ndarray:
        settings["n"] = 1
        return x

    assert "changed its argument" in message(fill, lambda settings, x: x, [({}, np.ones(2))])


def test_form_for_which_the_exercise_has_no_answer_is_left_out() -> None:
    for function in (np.exp, np.log, np.arccos):
        check(function, function, [(np.array([0.3, 0.8]),)], forms=("integers", "small", "large"))


def test_infinite_reference_is_met_by_the_same_infinity_alone() -> None:
    logarithm = [(np.array([0.0, 1.0]),)]
    check(np.log, np.log, logarithm, forms=())
    assert message(lambda x: np.array([0.0, 0.0]), np.log, logarithm, forms=())


@pytest.mark.parametrize(
    ("f", "gradient", "x"),
    [
        (lambda x: softmax(x).sum(), lambda x: np.zeros(3), [1.0, 2.0, 3.0]),
        (lambda x: x @ x, lambda x: 2 * x, [1e6, 1.0]),
    ],
)
def test_rounding_in_f_is_no_error_of_the_gradient(
    f: Callable[..., Any], gradient: Callable[..., Any], x: list[float]
) -> None:
    check_gradient(f, gradient, x, figure=False)


def test_step_that_does_not_suit_is_named() -> None:
    with pytest.raises(AssertionError, match="the step h = 1e-06 does not suit x"):
        check_gradient(np.log, lambda x: np.diag(1 / x), [1e-7], figure=False)


def test_table_that_is_none_is_an_error_of_its_author() -> None:
    with pytest.raises(ValueError, match="check wants cases, and forms among lists"):
        check(softmax, softmax, [])
    with pytest.raises(ValueError, match="check wants cases"):
        check(softmax, softmax, CASES, forms=("list",))


def test_exception_that_cannot_be_printed_is_still_named() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def raise_it(z: np.ndarray) -> None:
        raise Mute

    assert "raised Mute" in message(raise_it, softmax, CASES)


def test_first_cell_of_a_notebook_loads_no_module_that_only_tests_need() -> None:
    code = "import sys, gradcheck; print([name for name in sys.modules if 'gradtests' in name])"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=COURSE
    )
    assert ran.stdout == "[]\n"
