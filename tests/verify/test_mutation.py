"""Every sort of small change is made, each once, and nothing that no test should depend on."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbreferee.mutation import mutants

CHANGES = [
    ("a + b", "operator", "(a - b)"),
    ("a * b", "operator", "(a @ b)"),
    ("a @ b", "operator", "(a * b)"),
    ("a @ b", "operands swapped", "(b @ a)"),
    ("a - b", "operands swapped", "(b - a)"),
    ("a @ b", "transpose added", "a.T @ b"),
    ("a @ b", "transpose added", "a @ b.T"),
    ("a.T + b", "transpose dropped", "a + b"),
    ("-a", "sign", "a"),
    ("a", "sign", "(-a)"),
    ("a < b", "comparison", "(a <= b)"),
    ("a >= b", "comparison", "(a > b)"),
    ("a[b, c]", "index", "a[c, b]"),
    ("a[:, 0]", "constant", "a[:, 1]"),
    ("a[1:]", "constant", "a[0:]"),
    ("np.sum(a, axis=1)", "axis", "np.sum(a)"),
    ("np.sum(a, axis=1)", "constant", "np.sum(a, axis=0)"),
    ("np.sum(a, axis=-1)", "axis", "np.sum(a, axis=0)"),
    ("np.sum(a, keepdims=True)", "axis", "np.sum(a)"),
    ("f(a, b)", "arguments swapped", "f(b, a)"),
    ("np.sum(a)", "neighbour", "np.mean(a)"),
    ("a.copy()", "call dropped", "a"),
    ("range(a)", "neighbour", "reversed(a)"),
    ("np.einsum('ij,jk->ik', a, b)", "index", "np.einsum('ij,jk->ki', a, b)"),
    ("a and b", "operator", "(a or b)"),
    ("a if b else c", "condition", "(c if b else a)"),
    ("(a, b)", "order", "(b, a)"),
    ("x + y", "argument swapped", "y + y"),
    ("True", "constant", "False"),
    ("2", "constant", "3"),
    ("x", "line removed", None),
]


@pytest.mark.parametrize(("before", "kind", "after"), CHANGES)
def test_change_is_made(before: str, kind: str, after: str | None) -> None:
    made = {(m.kind, m.source) for m in mutants(f"def f(x, y):\n    return {before}\n")}
    body = "pass" if after is None else f"return {after}"
    assert (kind, f"def f(x, y):\n    {body}\n") in made


def test_if_is_negated_and_its_body_left_out() -> None:
    source = "def f(x):\n    if x:\n        x = 1\n    return x\n"
    made = {m.source for m in mutants(source)}
    assert source.replace("if x", "if (not x)") in made
    assert source.replace("x = 1", "pass") in made


def test_messages_docstrings_annotations_and_imports_are_left_alone() -> None:
    source = (
        'def f(x: int = 1) -> "1":\n    """Say 1 + 1."""\n    import a\n'
        '    raise ValueError("1" + "2")\n'
    )
    assert {m.kind for m in mutants(source)} == {"line removed"}


def test_only_the_given_lines_change() -> None:
    source = "a = 1\nb = 2\n"
    assert {m.line for m in mutants(source, {2})} == {2}
    assert all(m.source.startswith("a = 1\n") for m in mutants(source, {2}))


def test_lines_of_ipython_are_left_alone() -> None:
    source = "%matplotlib inline\nfiles = !ls\ndef f(x):\n    !true\n    return x + 1\nf?\n"
    changed = {mutant.source for mutant in mutants(source)}
    assert source.replace("x + 1", "(x - 1)") in changed
    assert all(
        text.startswith("%matplotlib inline\nfiles = !ls\n") and text.endswith("\nf?\n")
        for text in changed
    )


@pytest.mark.parametrize(
    "source", ["%%writefile words.txt\none\ntwo", "%%bash\nls -l", "no Python at all"]
)
def test_cell_in_another_language_has_no_mutants(source: str) -> None:
    assert list(mutants(source)) == []


def test_text_beyond_ascii_is_spliced_in_the_right_place() -> None:
    assert "é = 'ü' - x\n" in {
        m.source.replace("(", "").replace(")", "") for m in mutants("é = 'ü' + x\n")
    }


EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "y", "1", "2.5", "x.T", "x[0]", "x[:, 1]"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/@"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda e: f"np.sum({e}, axis=0)"),
        inner.map(lambda e: f"-{e}"),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS)
def test_mutants_are_python_differ_from_the_source_and_from_each_other(expression: str) -> None:
    source = f"def f(x, y):\n    return {expression}\n"
    dumps = [ast.dump(ast.parse(mutant.source)) for mutant in mutants(source)]
    assert len(dumps) == len(set(dumps))
    assert ast.dump(ast.parse(source)) not in dumps


WORDS = [
    ("W.T @ X", "W @ X", "as if W were not transposed"),
    ("W @ X", "X", "as if W were missing as a factor"),
    ("X + W", "(X - W)", "as if W were subtracted instead of added"),
    ("X / len(X)", "X", "as if the division by the length of X were missing"),
    ("X / X.shape[1]", "X", "as if the division by the number of columns of X were missing"),
    (
        "np.sum(X, axis=1)",
        "np.sum(X)",
        "as if the sum ran over the whole array instead of one axis",
    ),
    ("np.sum(X, axis=1)", "np.sum(X, axis=0)", "as if the sum ran over axis 0 instead of 1"),
    (
        "np.log(X)",
        "np.log2(X)",
        "as if the logarithm to base 2 stood in the place of the logarithm",
    ),
    ("np.exp(X)", "X", "as if the exponential were missing"),
    ("earlier(X) - W", "earlier(X)", "as if W were not subtracted"),
    ("W * earlier(X)", "W", "as if the result of earlier were missing as a factor"),
    (
        "W @ X",
        "(W[..., 1:] @ X.T[..., 1:].T)",
        "as if a sum left its first term out: does a loop start too late?",
    ),
    (
        "np.einsum('ij,jk->ik', W, X)",
        "np.einsum('ij,jk->ik', W[:, -1:], X[-1:, :])",
        "as if a sum held its last term only: is each term written over the one before?",
    ),
    (
        "np.sum(X, axis=1)",
        "np.sum(X[:, :-1], axis=1)",
        "as if a sum left its last term out: does a loop end too early?",
    ),
    ("W + earlier(X)", "W + X", "as if earlier were not applied"),
    (
        "[w for w in W.T]",
        "[w for w in W]",
        "as if the rows of W stood in the place of its columns",
    ),
    ("W * hidden(X)", "W", "as if an intermediate result were missing as a factor"),
]


@pytest.mark.parametrize(("before", "after", "words"), WORDS)
def test_change_is_told_in_words_that_quote_nothing_hidden(
    before: str, after: str, words: str
) -> None:
    frame = "def f(W, X):\n    return {}\n"
    made = {
        m.source: m.words for m in mutants(frame.format(before), further=True, known=["earlier"])
    }
    assert made[frame.format(after)] == words
