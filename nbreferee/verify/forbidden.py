"""Forms of an answer that a release must not show: `source/NAME.forbidden.toml`, and where the
release shows one.

NAME is a notebook or an assignment. The file has a table for each exercise, named by the grade id
of its answer or by a function in it; `latex` and `code` list every form in which the answer could
be printed:

    [softmax_jacobian]
    latex = ['\\mathrm{diag}(y) - y\\,y^\\top', 'y_i\\,(\\delta_{ij} - y_j)']
    code = ["np.diag(y) - np.outer(y, y)", "diag(y) - y yᵀ"]

Formulas typed with Unicode may stand in either list; a sum without an upper limit is found with
any. A form may stand in no notebook of the course and in none of the files that are released with
it.
"""

from __future__ import annotations

import contextlib
import difflib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbreferee.course.dataflow import changed_names
from nbreferee.course.source import Master, MasterError, read_master
from nbreferee.verify.latex import formula, formula_in_prose, is_balanced
from nbreferee.verify.passages import Passage, code_passages, markdown_passages
from nbreferee.verify.pycode import code, code_in_prose, parsed
from nbreferee.verify.symbols import SCRIPTS, TRAILERS, Symbol, occurrences

SUFFIX = ".forbidden.toml"
LANGUAGES = ("latex", "code")
SHORTEST_NAME = 4  # letters of a name that may be a form by itself, such as a function's of NumPy's


@dataclass(frozen=True)
class Form:
    """One form in which an answer could be printed."""

    exercise: str  # the label of the answer's cell
    language: str  # latex or code
    text: str
    formulas: tuple[tuple[Symbol, ...], ...] = ()  # as symbols to look for in formulas
    codes: tuple[
        tuple[Symbol, ...], ...
    ] = ()  # as symbols to look for in code, for each way to read it


@dataclass(frozen=True)
class FormResult:
    """A form, and where the release shows it."""

    exercise: str
    language: str
    form: str
    shown: tuple[str, ...]  # each with the line that shows it

    @property
    def reasons(self) -> Iterator[str]:
        """Yield a sentence for each place that shows the form."""
        for place in self.shown:
            yield (
                f"the release shows a form of this answer, '{self.form}', in {place}. Change or "
                "hide it there."
            )


class CourseRelease:
    """What a student of a course can read, in all of its notebooks and the files released with
    them.
    """

    def __init__(
        self, folder: Path, release_of: Callable[[Path], Iterable[tuple[str, str, str]]]
    ) -> None:
        """Take the folder of the assignments, and what returns a notebook's cells as (label, type,
        source).
        """
        self._folder, self._release_of = folder, release_of

    def results(self, forms: Iterable[Form]) -> list[FormResult]:
        """Look for forms everywhere."""
        return [
            FormResult(form.exercise, form.language, form.text, self._places(form))
            for form in forms
        ]

    def _places(self, form: Form) -> tuple[str, ...]:
        places: dict[tuple[str, int], str] = {}
        for passage, formulas, codes in self._passages:
            lines = {
                line
                for reading in form.formulas
                for text in formulas
                for line in occurrences(reading, text, SCRIPTS)
            }
            lines |= {
                line
                for reading in form.codes
                for text in codes
                for line in occurrences(reading, text, TRAILERS)
            }
            for line in sorted(lines):
                excerpt = (
                    passage.text.split("\n")[line - passage.line].strip() if passage.text else ""
                )
                places.setdefault(
                    (passage.place, line), f"{passage.place}, line {line}: '{_shortened(excerpt)}'"
                )
        return tuple(places.values())

    @cached_property
    def _passages(self) -> list[tuple[Passage, list[list[Symbol]], list[list[Symbol]]]]:
        return [(one, one.formulas(), one.codes()) for one in self._read()]

    def _read(self) -> Iterator[Passage]:
        seen: set[bytes] = set()
        for path in sorted(self._folder.glob("*/**/*")):
            if path.suffix == ".ipynb" and path.parent.parent == self._folder:
                with contextlib.suppress(MasterError):  # which is reported for its own notebook
                    for label, kind, source in self._release_of(path):
                        split = code_passages if kind == "code" else markdown_passages
                        yield from split(f"{path.name}, cell {label}", source)
            elif (
                path.suffix in (".py", ".md", ".txt", ".rst", ".tex")
                and path.is_file()
                and path.read_bytes() not in seen
            ):
                seen.add(path.read_bytes())
                split = code_passages if path.suffix == ".py" else markdown_passages
                yield from split(path.name, path.read_text(errors="replace"))


def _shortened(line: str) -> str:
    return line if len(line) <= 80 else f"{line[:77]}..."


# ---------------------------------------------------------------- the files


def read_forms(master: Master) -> list[Form]:
    """Return the forbidden forms of a notebook's exercises, from its own file and its assignment's.

    Raises
    ------
    MasterError
        if one of the files cannot be used.
    """
    folder, here = master.path.parent.parent, exercises(master)
    forms = []
    for name in dict.fromkeys([master.path.stem, master.path.parent.name]):
        path = folder / f"{name}{SUFFIX}"
        if path.is_file():
            known = here if name == master.path.stem else _exercises_of_assignment(master)
            tables = _read_tables(path)
            for exercise, table in tables.items():
                _refuse_unknown(path, exercise, known)
                found = list(_forms(f"{path}, [{exercise}]", here.get(exercise, ""), table))
                forms += found if exercise in here else []
    return forms


def files_of_nothing(folder: Path) -> list[str]:
    """Return a sentence for each file of forbidden forms whose name is neither a notebook's nor an
    assignment's.
    """
    names = {path.stem for path in folder.glob("*/*.ipynb")} | {
        path.name for path in folder.iterdir() if path.is_dir()
    }
    strays = [
        path
        for path in sorted(folder.glob(f"*{SUFFIX}"))
        if path.name.removesuffix(SUFFIX) not in names
    ]
    return [
        f"{path}: there is no notebook or assignment of this name. Rename the file."
        for path in strays
    ]


def exercises(master: Master) -> dict[str, str]:
    """Return the label of an answer's cell by its grade id, and by the names of the functions in
    it.
    """
    found = {name: cell.label for cell in master.answers for name in changed_names(cell) or ()}
    return found | {
        cell.grade_id: cell.label for cell in master.cells if cell.solution or cell.is_task
    }


def _exercises_of_assignment(master: Master) -> dict[str, str]:
    return {
        name: label
        for path in sorted(master.path.parent.glob("*.ipynb"))
        for name, label in exercises(
            master if path == master.path else read_master(path, master.delimiters)
        ).items()
    }


def _read_tables(path: Path) -> dict[str, dict[str, list[str]]]:
    try:
        tables = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MasterError(f"{path}: not TOML ({error}). Mend it.") from None
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise MasterError(
                f"{path}: {name} stands outside of a table. Put it below the name of an exercise, "
                f"such as [{name}]."
            )
        for language, forms in table.items():
            if language not in LANGUAGES:
                raise MasterError(
                    f"{path}, [{name}]: {language} is neither latex nor code. Rename it."
                )
            if not isinstance(forms, list) or not all(isinstance(one, str) for one in forms):
                raise MasterError(
                    f"{path}, [{name}]: {language} is not a list of strings. Write {language} = "
                    "['...']."
                )
        if not table or not all(table.values()):
            raise MasterError(
                f"{path}, [{name}]: an empty list looks for nothing. List forms, or take it out."
            )
    return tables


def _refuse_unknown(path: Path, exercise: str, known: Iterable[str]) -> None:
    if exercise not in known:
        close = difflib.get_close_matches(exercise, known, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(sorted(known))}."
        raise MasterError(f"{path}: no exercise {exercise}. {hint}")


def _forms(where: str, exercise: str, table: dict[str, list[str]]) -> Iterator[Form]:
    for language, texts in table.items():
        for text in texts:
            if language == "latex" and not is_balanced(text):
                raise MasterError(f"{where}: a brace is missing in {text!r}. Mend it.")
            form = (
                _latex_form(exercise, text) if language == "latex" else _code_form(exercise, text)
            )
            if any(
                len(one) < 2 and (one in form.formulas or len(text) < SHORTEST_NAME)
                for one in (*form.formulas, *form.codes)
            ):
                raise MasterError(
                    f"{where}: the form {text!r} is too short, and would be found everywhere. "
                    "Write more of it."
                )
            yield form


def _latex_form(exercise: str, text: str) -> Form:
    return Form(
        exercise, "latex", text, formulas=(tuple(formula(text.strip().strip("$").rstrip(".,; "))),)
    )


def _code_form(exercise: str, text: str) -> Form:
    """Read a form as code, and as a formula if it is typed like one, such as y yᵀ or y y^T."""
    is_formula = parsed(text) is None or not text.isascii() or "^" in text
    codes = dict.fromkeys(tuple(_bare(reading(text))) for reading in (code, code_in_prose))
    return Form(
        exercise, "code", text, (tuple(formula_in_prose(text)),) if is_formula else (), tuple(codes)
    )


def _bare(symbols: Sequence[Symbol]) -> list[Symbol]:
    """Return code without `return` before it and the end of the statement after it, and without
    lines.
    """
    texts = [symbol.text for symbol in symbols]
    first, last = int(texts[:1] == ["return"]), len(texts) - int(texts[-1:] == [";"])
    return [Symbol(one) for one in texts[first:last]]
