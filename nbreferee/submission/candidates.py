"""Which of a student's files is which notebook of the assignment.

A file with the expected name is that notebook, unless its cells are plainly those of another one.
Where the expected name is absent, the one file whose cells fit is taken, with a repair. With two
that fit, or with notebooks that fit nothing, no file is taken by guess: a message says what is
expected and what was found.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from nbreferee.submission.originals import Originals
from nbreferee.submission.reading import Reading, SubmissionError, read_notebook
from nbreferee.submission.texts import defined_names, normal

FITS = 0.5  # share of the instructor's cells that a candidate must have,
FITS_BY_NAME = 0.3  # and one whose name holds the notebook's
CANDIDATES = 20  # notebooks of one student that are looked into
ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json", ".json")


@dataclass(frozen=True)
class NotebookFiles:
    """Which file each notebook of an assignment is.

    All mappings are by the name of the notebook.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    repairs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: Mapping[str, str] = field(
        default_factory=dict
    )  # why there is no file: what to do, for a person


def is_candidate(name: str) -> bool:
    """Tell from its name whether a file may be a notebook: case and endings that browsers add do
    not matter.
    """
    lower = name.lower()
    return lower.endswith(ENDINGS) and not lower.startswith((".", "~"))


def choose_files(found: Mapping[str, bytes], expected: Mapping[str, Originals]) -> NotebookFiles:
    """Decide which file is which notebook.

    Parameters
    ----------
    found
        The bytes of each notebook in a submission's folder, by path inside it.
    expected
        The instructor's cells of each notebook of the assignment, by name.
    """
    files = {
        name: path
        for name in expected
        if (path := f"{name}.ipynb") in found and _has_some(found[path], expected[name])
    }
    others = sorted(set(found) - set(files.values()))
    if len(files) == len(expected):
        others = [file for file in others if ".ipynb" in file.lower()]
    if not others:
        return NotebookFiles(files)
    fits = {file: _fits(found[file], file, expected) for file in others[:CANDIDATES]}
    repairs: dict[str, tuple[str, ...]] = {}
    problems: dict[str, str] = {}
    for name in expected:
        mine = [file for file, best in fits.items() if best == name]
        path = f"{name}.ipynb"
        if name in files:
            if mine:
                repairs[name] = (
                    (
                        f"{_listed(mine)}: not graded. It has the cells of {name} as well, and "
                        f"{path} is there"
                    ),
                )
        elif path in mine or (path in fits and not mine and fits[path] is None):
            files[name] = path
        elif len(mine) == 1:
            files[name] = mine[0]
            repairs[name] = (_renamed(name, mine[0], path in found),)
        elif problem := _problem(name, mine, fits):
            problems[name] = problem
    return NotebookFiles(files, repairs, problems)


def _renamed(name: str, file: str, is_there: bool) -> str:
    why = f"{name}.ipynb has other cells" if is_there else f"there is no {name}.ipynb"
    return f"{_shown(file)} was graded as {name}: {why}, and this file has the cells of {name}"


def _problem(name: str, mine: list[str], fits: Mapping[str, str | None]) -> str:
    """Return why no file is taken for a notebook; empty where there is none that could be meant."""
    path = f"{name}.ipynb"
    if mine:
        return (
            f"{path} was not handed in, and {len(mine)} files could be it: {_listed(mine)}. "
            f"None was graded. Rename the right one to {path}, then grade again"
        )
    if path in fits:
        return f"{path} has the cells of {fits[path]}, not its own. Ask for the right notebook"
    unknown = [
        file for file, best in fits.items() if best is None and file.lower().endswith(".ipynb")
    ]
    if not unknown:
        return ""
    return (
        f"{path} was not handed in, and no other file has its cells. Found: {_listed(unknown)}. "
        f"If one of them is it, rename it to {path}, then grade again"
    )


def _has_some(data: bytes, originals: Originals) -> bool:
    """Tell quickly whether any of a notebook's grade ids stands in a file, or there are none to
    look for.
    """
    return not originals.known or any(name.encode() in data for name in originals.known)


def _fits(data: bytes, file: str, expected: Mapping[str, Originals]) -> str | None:
    """Return which notebook a file is by its cells, else by its name; None: none, or more than
    one.
    """
    by_name = [name for name in expected if _key(name) in _key(PurePath(file).name)]
    try:
        reading = read_notebook(data)
    except SubmissionError:
        by_name = [name for name in by_name if _key(PurePath(file).name) == _key(f"{name}.ipynb")]
        return by_name[0] if len(by_name) == 1 else None
    shares = {
        name: recognised(reading, originals, name in by_name)
        for name, originals in expected.items()
    }
    best = max(shares.values())
    names = [
        name
        for name, share in shares.items()
        if share == best and share >= (FITS_BY_NAME if name in by_name else FITS)
    ]
    names = [name for name in names if name in by_name] or names
    return names[0] if len(names) == 1 else None


def recognised(reading: Reading, originals: Originals, by_definitions: bool) -> float:
    """Return the share of the instructor's cells that a notebook has: by grade id, by text, and by
    what answers define.
    """
    grade_ids = {cell.grade_id for cell in reading.cells} - {""}
    texts = {normal(cell.source) for cell in reading.cells} - {""}
    names: frozenset[str] = frozenset()
    if by_definitions:
        names = names.union(
            *(defined_names(cell.source) for cell in reading.cells if cell.kind == "code")
        )
    telling = [
        one
        for one in originals.all
        if one.is_known or len(originals.by_text.get(one.text, ())) == 1
    ]
    there = [
        one
        for one in telling
        if one.name in grade_ids
        or one.text in texts
        or (one.is_answer and names & originals.wanted[one.name])
    ]
    return len(there) / len(telling) if telling else 0.0


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name[:100])


def _listed(names: list[str]) -> str:
    return ", ".join(map(_shown, names[:5])) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
