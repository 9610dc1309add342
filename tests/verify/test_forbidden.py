"""Forbidden forms of an answer: each way to write one is found wherever the release shows it, and
nothing else is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from building import answer, cell, graded, write
from nbformat import NotebookNode

from nbreferee.course.source import MasterError, read_master
from nbreferee.verify.forbidden import SUFFIX, read_forms
from nbreferee.verify.latex import formula, formula_in_prose
from nbreferee.verify.passages import code_passages, markdown_passages
from nbreferee.verify.pycode import code, code_in_prose
from nbreferee.verify.symbols import TRAILERS, Symbol, occurrences

NBREFEREE = Path(sys.executable).with_name("nbreferee")
JACOBIAN = r"\mathrm{diag}(y) - y\,y^\top"

# form, a text that shows it
LATEX = [
    (JACOBIAN, r"J=\operatorname{diag}\left(y\right)-yy^{T}"),
    (
        JACOBIAN,
        r"\mathbf{J} = \operatorname{diag}\bigl(\mathbf y\bigr) - \mathbf{y}\mathbf{y}^{\mathsf T}",
    ),
    (JACOBIAN, r"\text{diag}[y] \; - \; {y} \cdot y^{\mathrm{T}}\quad"),
    (JACOBIAN, r"\operatorname{Diag}(y) - \bm{y}\ \bm{y}^\mathsf{T}"),
    (JACOBIAN, r"\mathregular{diag}(y)\hspace{1em} - y\vphantom{X} y^\top"),
    (JACOBIAN, r"diag(y) - y \times y^\intercal \!"),
    (r"y_i\,(\delta_{ij} - y_j)", r"y_{a}\left(\delta_{a,b} - y_{b}\right)"),
    (r"\frac{1}{N}(y - e_c)", r"\tfrac1N \left( y-e_{c} \right)"),
    (r"\frac{\partial L}{\partial z} = y - e_c", r"\partial L / \partial z = y - e_k"),
    (r"\dfrac{a\,b}{c\,d}", r"a b / (c d)"),
    (r"\frac{a + b}{c}", r"\cfrac{a+b}{{c}}"),
    (r"(x - \mu) / \sigma", r"\frac{x-\mu}{\sigma}"),
    (r"\sum_i B_{ik}", r"\sum_{i=1}^{N} B_{ik}"),
    (r"\sum\limits_{n=1}^N B_{nk}", r"\sum_{i=0}^{N} B_{ij}"),
    (r"W_k^\top g", r"W^{\top}_{k}\, g"),
    (r"I_m \otimes x^\top", r"\mathbf I_{m}\otimes x^{T}"),
    (r"B \circ A \circ (1 - A)", r"B\odot A\odot\left(1-A\right)"),
    (r"\log y_c", r"\ln y_{c}"),
    (r"J\,x", r"J \, x^\top"),
]
# form, a text that does not show it
NOT_LATEX = [
    (JACOBIAN, r"\mathrm{diag}(y) - y\,x^\top"),
    (JACOBIAN, r"\mathrm{diag}(y) + y\,y^\top"),
    (JACOBIAN, r"\mathrm{diag}(y) - y\,y_i"),
    (r"y_i\,(\delta_{ij} - y_j)", r"y_a (\delta_{ab} - y_a)"),
    (r"y_i\,(\delta_{ij} - y_j)", r"y_1 (\delta_{12} - y_2)"),
    (r"\frac{a + b}{c}", r"a + \frac{b}{c}"),
    (r"\sum_{k=1}^r s_k", r"\sum_k s_k"),
    (r"y - e_c", r"y - e^{c}"),
    (r"W^\top G", r"W^\top x"),
]
PROSE = [
    (JACOBIAN, "The Jacobian is diag(y) − y yᵀ, a matrix."),
    (JACOBIAN, "Return diag(y) - y y^T, shape (k, k)."),
    (r"y_i\,(\delta_{ij} - y_j)", "entries y_i (delta_ij - y_j)"),
    (r"y_i\,(\delta_{ij} - y_j)", "J[i, j] is yᵢ·(δᵢⱼ − yⱼ)"),
    (JACOBIAN, "J = <code>diag(y)&nbsp;&minus;&nbsp;y&nbsp;y<sup>T</sup></code>"),
    (r"W^\top G", "carry it back: WᵀG"),
    (r"\partial L / \partial X = W^\top G", "∂L/∂X = Wᵀ·G"),
    (r"\frac12 x^{-1}", "½ x⁻¹"),
    (r"dz\_dY\,X^\top", "the answer: dz_dY Xᵀ"),
]
NOT_PROSE = [
    (r"y\cdot g", "cross_entropy_gradient(z, c)"),
    (r"a\,b", "a bias"),
    (r"-J", "a row-Jacobian"),
    (r"i\,s", "this is one"),
    (r"W^\top G", "the W of G"),
]
CODE = [
    ("np.diag(y) - np.outer(y, y)", "return (np.diag( y ) - numpy.outer(y,y))"),
    ("np.diag(y) - np.outer(y, y)", "J = (diag(y)\n     - outer(y, y))"),
    ("return W.T @ G", "dX = np.transpose(W) @ G"),
    ("W.T @ G", "dX = np.matmul(W.transpose(), (G))"),
    ("W.T @ G", "dX = W.swapaxes(0, 1).dot(G)"),
    ("logaddexp", "return np.logaddexp.reduce(z)"),
    ("np.kron(np.eye(m), x)", "J = numpy.kron( np.eye(m), x )"),
    ("swapaxes(0, 1).swapaxes(2, 3)", "X.swapaxes(0, 1).swapaxes(2, 3)"),
    ("B.sum(axis=0)", "db = np.sum(B, axis=0)"),
    ("B.sum(axis=0)", "def f(B):\n    if B.size:\n        return B, np.sum(B, 0)"),
    ("y * (g - y @ g)", "return (y * (g - (y @ g)))"),
    (
        "gradient = softmax(z)\ngradient[c] -= 1",
        (
            "def f(z, c):\n    gradient = softmax( z )  # first\n    gradient[c] -= 1\n"
            "    return gradient"
        ),
    ),
]
NOT_CODE = [
    ("np.diag(y) - np.outer(y, y)", "np.diag(y) + np.outer(y, y)"),
    ("W.T @ G", "W @ G"),
    ("W.T @ G", "W.T @ G[0]"),
    ("(a + b) * c", "a + b * c"),
]


def shows(form: Sequence[Symbol], text: Sequence[Symbol]) -> bool:
    return any(True for _ in occurrences(form, text))


def shows_code(form: str, source: str, reading: Callable[[str], list[Symbol]]) -> bool:
    pattern = (
        [symbol for symbol in code(form) if symbol.text not in (";", "return")]
        if "\n" not in form
        else code(form)
    )
    return any(True for _ in occurrences(pattern, reading(source), TRAILERS))


def test_each_spelling_of_a_form_is_found_and_no_other_formula() -> None:
    wrong = [
        row
        for row in LATEX
        if not any(shows(formula(row[0]), formula(row[1], limits)) for limits in (True, False))
    ]
    wrong += [row for row in NOT_LATEX if shows(formula(row[0]), formula(row[1]))]
    wrong += [
        row
        for row in PROSE
        if not any(
            shows(formula(row[0]), text)
            for p in markdown_passages("", row[1])
            for text in p.formulas()
        )
    ]
    wrong += [row for row in NOT_PROSE if shows(formula(row[0]), formula_in_prose(row[1]))]
    wrong += [
        row for row in CODE if not shows_code(*row, code) and not shows_code(*row, code_in_prose)
    ]
    wrong += [row for row in NOT_CODE if shows_code(*row, code)]
    assert wrong == []


def test_code_in_a_sentence_is_found() -> None:
    assert shows_code(
        "np.diag(y) - np.outer(y, y)",
        "It is np.diag((y))-np.outer(y, y), of course.",
        code_in_prose,
    )
    assert not shows_code(
        "np.diag(y) - np.outer(y, y)", "Neither np.diag(y) nor np.outer(y, y).", code_in_prose
    )


def test_passages_know_their_lines_and_kinds() -> None:
    text = "Here $a_1$ and `f(x)`.\n\n$$\nb\n$$\n```python\ng(x)\n```\nlast"
    assert {
        (p.kind, p.line, p.text.strip())
        for p in markdown_passages("here", text)
        if p.kind != "prose"
    } == {
        ("formula", 1, "a_1"),
        ("code", 1, "f(x)"),
        ("formula", 3, "b"),
        ("code", 7, "g(x)"),
    }
    source = (
        '%matplotlib inline\ndef f(x):\n    """Doc."""\n    # one\n    # two $a$\n'
        '    ax.set_title(f"at $y^T$ {x}")'
    )
    found = {(p.kind, p.line, p.text.strip()) for p in code_passages("here", source)}
    assert {("prose", 3, "Doc."), ("formula", 5, "a"), ("formula", 6, "y^T")} < found


# ------------------------------------------------- a course

SOLUTION = (
    "def jacobian(y):\n    ### BEGIN SOLUTION\n    return np.diag(y) - np.outer(y, y)\n"
    "    ### END SOLUTION"
)
TESTS = (
    "### BEGIN HIDDEN TESTS\nassert jacobian(np.array([1, 2]))[0, 1] == -2\n### END HIDDEN TESTS"
)
FORMS = (
    f"[jacobian]\nlatex = ['{JACOBIAN}']\n"
    "code = ['np.diag(y) - np.outer(y, y)', 'diag(y) − y yᵀ']\n"
)
HINT = "<details><summary>Hint</summary>\n\nUse {}.\n\n</details>"
# what shows the form, and where
PLANTED = {
    "hint": cell(HINT.format(f"${JACOBIAN}$"), "markdown"),
    "inline_code": cell(HINT.format("`np.diag(y)-np.outer(y,y)`"), "markdown"),
    "fenced_code": cell("```python\nJ = np.diag(y) - np.outer(y, y)\n```", "markdown"),
    "docstring": cell('def helper(y):\n    """Return diag(y) - y y^T."""'),
    "title": cell(
        "fig, ax = plt.subplots()" + '\nax.set_title(r"$J = \\mathrm{diag}(y) - y y^T$")'
    ),
    "comment": cell("x = 1  # J = diag(y) − y yᵀ"),
    "code_comment": cell("# try np.diag(y) - np.outer(y, y)\nx = 1"),
    "locked": cell(
        "def helper(y):\n    return np.diag(y) - np.outer(y, y)", grade_id="helper", locked=True
    ),
    "visible_test": graded(
        "assert (jacobian(y) == np.diag(y) - np.outer(y, y)).all()\n" + TESTS, "jacobian_more"
    ),
}


def exercise() -> list[NotebookNode]:
    return [
        cell("import numpy as np\nimport matplotlib.pyplot as plt"),
        answer(SOLUTION, "jacobian"),
        graded(TESTS, "jacobian_tests"),
    ]


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What `verify --forms` says of a course with a form planted in each place, by notebook."""
    course = tmp_path_factory.mktemp("forms")
    (course / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "forms"\n'
    )
    for name in ("clean", *PLANTED, "file", "other"):
        folder = course / "source" / f"{name}_assignment"
        folder.mkdir(parents=True)
        cells = (
            [cell(f"Remember ${{\\rm diag}}(y)-y\\,y^{{\\top}}$ of `{name}`.", "markdown")]
            if name == "other"
            else exercise()
        )
        write(folder, *cells, *([PLANTED[name]] if name in PLANTED else []), name=name)
    (course / "source/file_assignment/helpers.py").write_text(
        "def later(y):\n    return np.diag(y) - np.outer(y, y)\n"
    )
    (course / f"source/clean{SUFFIX}").write_text(FORMS)
    (course / f"source/gone{SUFFIX}").write_text(FORMS)
    out = course / "forms.json"
    ran = subprocess.run(
        [NBREFEREE, "verify", "clean_assignment", "--forms", "--json", out],
        cwd=course,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return ran.stdout, json.loads(out.read_text())[0]


def test_form_is_found_in_every_place_of_every_notebook_of_the_course(
    looked: tuple[str, dict[str, Any]],
) -> None:
    _, verified = looked
    said = [finding["reason"] for finding in verified["findings"]]
    for name in (*PLANTED, "other"):
        assert any(f"in {name}.ipynb, cell " in reason for reason in said), name
    assert any(
        "in helpers.py, line 2: 'return np.diag(y) - np.outer(y, y)'" in reason for reason in said
    )
    assert not any("in clean.ipynb" in reason for reason in said)
    assert {finding["cell"] for finding in verified["findings"]} == {"jacobian", ""}


def test_forms_are_listed_with_how_often_each_is_shown(looked: tuple[str, dict[str, Any]]) -> None:
    printed, verified = looked
    assert [(one["exercise"], one["language"], one["form"]) for one in verified["forms"]] == [
        ("jacobian", "latex", JACOBIAN),
        ("jacobian", "code", "np.diag(y) - np.outer(y, y)"),
        ("jacobian", "code", "diag(y) − y yᵀ"),
    ]
    latex, _, unicode = verified["forms"]
    assert unicode["shown"] == latex["shown"]
    assert all(len(one["shown"]) >= 4 for one in verified["forms"])
    assert "3 forbidden forms." in printed


def test_file_of_no_notebook_is_told(looked: tuple[str, dict[str, Any]]) -> None:
    assert any(
        f"gone{SUFFIX}: there is no notebook or assignment of this name." in f["reason"]
        for f in looked[1]["findings"]
    )


BAD = [
    ("[jacobain]\nlatex = ['a b']", "no exercise jacobain. Did you mean jacobian?"),
    ("[zebra]\nlatex = ['a b']", "no exercise zebra. There are: jacobian"),
    ("[jacobian]\nlatex = []", "[jacobian]: an empty list looks for nothing"),
    ("[jacobian]\n", "[jacobian]: an empty list looks for nothing"),
    ("[jacobian]\ntex = ['a b']", "[jacobian]: tex is neither latex nor code"),
    ("[jacobian]\nlatex = 'a b'", "[jacobian]: latex is not a list of strings"),
    ("[jacobian]\nlatex = [1]", "[jacobian]: latex is not a list of strings"),
    ("[jacobian]\nlatex = ['{a b']", "[jacobian]: a brace is missing in '{a b'"),
    ("[jacobian]\nlatex = ['$y$']", "the form '$y$' is too short"),
    ("[jacobian]\ncode = ['kro']", "the form 'kro' is too short"),
    ("[jacobian]\ncode = ['']", "the form '' is too short"),
    ("latex = ['a b']", "latex stands outside of a table"),
    ("[jacobian", "not TOML"),
]


def test_file_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "course/one").mkdir(parents=True)
    master = read_master(write(tmp_path / "course/one", *exercise()))
    for text, words in BAD:
        (tmp_path / f"course/one{SUFFIX}").write_text(text)
        with pytest.raises(MasterError) as error:
            read_forms(master)
        assert words in str(error.value)
        assert f"one{SUFFIX}" in str(error.value)


def test_assignments_file_holds_exercises_of_all_its_notebooks(tmp_path: Path) -> None:
    (tmp_path / "course/both").mkdir(parents=True)
    write(
        tmp_path / "course/both",
        answer("def other():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", "other"),
        name="two",
    )
    master = read_master(write(tmp_path / "course/both", *exercise(), name="one"))
    (tmp_path / f"course/both{SUFFIX}").write_text(FORMS + "[other]\nlatex = ['a + b']\n")
    assert [form.exercise for form in read_forms(master)] == ["jacobian"] * 3
