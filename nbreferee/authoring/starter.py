"""nbreferee new: a notebook to start from, with an example exercise for each function."""

from __future__ import annotations

import builtins
import keyword
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory

from nbreferee.course.locate import open_course
from nbreferee.course.nbgrader_settings import read_rules
from nbreferee.course.rules import Delimiters
from nbreferee.grading.atomic import write_whole

GRADCHECK, GRADTESTS = "gradcheck.py", "gradtests"  # a file and a folder: what the notebook imports
TAKEN = {"check", "check_example", "check_gradient", "random_arrays", "np", "imports", "NotWritten"}

TITLE = """# {assignment}

What students will be able to do, in one or two sentences.

| exercise | what you do | points |
|---:|:---|---:|
{rows}"""
IMPORTS = """import numpy as np

from gradcheck import check_example, check_gradient, random_arrays"""
TASK = """### Exercise {number} · `{name}(x)` — 2 points

The mean of the squares of $x_1, \\dots, x_n$ is

$$f(x) = \\frac{{1}}{{n}} \\sum_{{i=1}}^{{n}} x_i^2$$

Derive its gradient with pen and paper, then write it in code: `x` is `(n,)`, and so is the result.

<details><summary>Hint</summary>

Which of the terms depend on $x_i$?

</details>"""
SOLUTION = """def {name}(x):
    \"\"\"Return the gradient of the mean of the squares of x (n,), shape (n,).\"\"\"
    x = np.asarray(x, dtype=float)
    ### {begin_solution}
    return 2 * x / x.size
    ### {end_solution}"""
TRY = """# Try it. Expect analytic and numeric to agree.
x = np.array([1.0, -2.0, 0.5])
check_gradient(lambda x: np.mean(x**2), {name}(x), x);"""
CHECK = """# A worked example by hand; the hidden line tries other numbers.
check_example({name}, np.array([1.0, 2.0, 4.0, 5.0]), gives=np.array([0.5, 1.0, 2.0, 2.5]))
### {begin_hidden}
check_example({name}, np.array([3.0, -6.0, 9.0]), gives=np.array([2.0, -4.0, 6.0]))
### {end_hidden}"""
TESTS = """# Hidden tests: vectors of several lengths, and the mistakes that are known.
### {begin_hidden}
from gradtests import check

check(
    {name},
    lambda x: 2 * x / len(x),
    cases=[random_arrays(1, (4,)), random_arrays(2, (7,)), (np.array([3.0]),)],
    mistakes={{
        "You lose the factor 2, which comes from the square.": lambda x: x / len(x),
        "You do not divide by the number of entries, as for a sum.": lambda x: 2 * x,
        "You return the mean of the squares, not its gradient.": lambda x: np.mean(x**2),
    }},
)
### {end_hidden}"""
ALTERNATIVES_TITLE = (
    '"""Right answers to the {assignment} notebook, written otherwise: each keeps every point."""\n'
)
ALTERNATIVES = """
# %% {name}
# entry by entry
def {name}(x):
    return [2 * entry / len(x) for entry in x]

# %% {name}
# the sum's gradient, then the mean's
def {name}(x):
    gradient_of_sum = 2.0 * np.asarray(x, dtype=float)
    return gradient_of_sum / np.size(x)
"""


class StarterError(Exception):
    """A notebook that cannot be made; the text says why and what to do."""


def write_starter(folder: Path, assignment: str, functions: Sequence[str] = ()) -> list[Path]:
    """Write an assignment's notebook and what belongs to it; return the files.

    Parameters
    ----------
    folder
        The course's.
    assignment
        The name of the assignment, and of its notebook.
    functions
        The functions that students are to write; by default, one with the assignment's name.

    Raises
    ------
    CourseError
        where there is no course.
    StarterError
        where a name cannot be used, or there is such an assignment.
    """
    course = open_course(folder)
    _check_assignment(assignment)
    functions = list(functions) or [assignment]
    _check_functions(functions, given=functions != [assignment])
    target = Path(course.format_path(course.source_directory, ".", assignment))
    notebook = target / f"{assignment}.ipynb"
    alternatives = target.parent / f"{assignment}.alternatives.py"
    for path in (notebook, alternatives):
        if path.exists():
            raise StarterError(
                f"{path}: this is there already. Choose another name for the new one."
            )
    _place_companions(_folder_of_companions(course), target, Path(course.root))
    made = make_notebook(assignment, functions, read_rules(course.config).delimiters, _stub(course))
    write_whole(notebook, (nbformat.writes(made) + "\n").encode())
    text = ALTERNATIVES_TITLE.format(assignment=assignment) + "".join(
        ALTERNATIVES.format(name=name) for name in functions
    )
    write_whole(alternatives, text.encode())
    return [notebook, target / GRADCHECK, target / GRADTESTS, alternatives]


def make_notebook(
    assignment: str, functions: Sequence[str], delimiters: Delimiters, stub: str = ""
) -> NotebookNode:
    """Return the instructor's version; `stub` is what nbgrader puts in a solution's place."""
    rows = "\n".join(f"| {n} | `{name}` | 2 |" for n, name in enumerate(functions, 1))
    imports = IMPORTS
    if "NotWritten" in stub:
        imports += "\nfrom gradcheck import NotWritten  # raised by what you have not written yet"
    cells = [
        _cell("title", TITLE.format(assignment=assignment, rows=rows), "markdown"),
        _cell("imports", imports, locked=True),
        *(
            cell
            for number, name in enumerate(functions, 1)
            for cell in _exercise(number, name, delimiters)
        ),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    made: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.validate(made)
    return made


def _exercise(number: int, name: str, delimiters: Delimiters) -> Iterator[NotebookNode]:
    words = {
        "number": number,
        "name": name,
        "begin_solution": delimiters.solution[0],
        "end_solution": delimiters.solution[1],
        "begin_hidden": delimiters.hidden[0],
        "end_hidden": delimiters.hidden[1],
    }
    yield _cell(f"{name}_task", TASK.format(**words), "markdown", locked=True)
    yield _cell(name, SOLUTION.format(**words), solution=True)
    yield _cell(f"{name}_try", TRY.format(**words))
    yield _cell(f"{name}_check", CHECK.format(**words), grade=True, locked=True, points=0.5)
    yield _cell(f"{name}_tests", TESTS.format(**words), grade=True, locked=True, points=1.5)


def _cell(name: str, source: str, kind: str = "code", **settings: bool | float) -> NotebookNode:
    """Return a cell; with settings, one that nbgrader keeps by its name."""
    cell: NotebookNode = (
        nbformat.v4.new_code_cell(source, id=name[:64])
        if kind == "code"
        else nbformat.v4.new_markdown_cell(source, id=name[:64])
    )
    if settings:
        defaults = {"grade": False, "locked": False, "solution": False, "task": False}
        cell.metadata["nbgrader"] = {
            **defaults,
            **settings,
            "grade_id": name,
            "schema_version": 3,
        }
    return cell


def _check_assignment(name: str) -> None:
    if not re.fullmatch(r"[^\s./+\\][^/+\\\x00-\x1f]*(?<!\s)", name):
        raise StarterError(
            f"{name!r} cannot be an assignment's name: it is the name of a folder, and nbgrader "
            "takes no + in it."
        )


def _check_functions(functions: Sequence[str], given: bool) -> None:
    for name in functions:
        if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
            cure = "Choose another" if given else "Name the functions that students write"
            raise StarterError(
                f"{name!r} cannot be a function's name in Python. {cure}: --function NAME."
            )
        if name in TAKEN or hasattr(builtins, name):
            raise StarterError(
                f"{name} is a name that the notebook uses for something else. Choose another: "
                "--function NAME."
            )
    ids = [
        f"{name}{end}" for name in functions for end in ("", "_task", "_try", "_check", "_tests")
    ]
    for one in ids:
        if ids.count(one) > 1:
            raise StarterError(
                f"two cells would have the grade id {one}. Choose other names: --function NAME."
            )


def _folder_of_companions(course: CourseDirectory) -> Path:
    """Return the folder with what notebooks import: the course's own, or that of nbreferee."""
    source = Path(course.format_path(course.source_directory, ".", "."))
    beside = Path(__file__).resolve().parents[2]
    installed = Path(sys.prefix, "share", "nbreferee")
    siblings = sorted(path.parent for path in source.glob(f"*/{GRADCHECK}"))
    for folder in (Path(course.root), *siblings, beside, installed):
        if (folder / GRADCHECK).is_file() and (folder / GRADTESTS).is_dir():
            return folder
    raise StarterError(
        f"{GRADCHECK} or {GRADTESTS}/ is missing, which the notebook imports. Put both into "
        f"{course.root}."
    )


def _place_companions(folder: Path, target: Path, root: Path) -> None:
    """Put what a notebook imports into its folder: links to the course's own files, or copies."""
    modules = (f"{GRADTESTS}/{path.name}" for path in sorted((folder / GRADTESTS).glob("*.py")))
    is_shared = folder.samefile(root)  # one file for all assignments
    for name in (GRADCHECK, *modules):
        path, copy = folder / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if copy.exists():
            continue
        if is_shared:
            copy.symlink_to(os.path.relpath(path, copy.parent))
        else:
            shutil.copy(path, copy)


def _stub(course: CourseDirectory) -> str:
    stubs = (
        course.config.ClearSolutions.get("code_stub", {})
        if "ClearSolutions" in course.config
        else {}
    )
    return str(stubs.get("python", "")) if isinstance(stubs, dict) else ""
