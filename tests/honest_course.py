"""Make an nbgrader course of the cases in `honest/`: python tests/honest_course.py FOLDER [FILE
...]; then nbreferee compare there.

Each case becomes a notebook with its solution; its other answers become submissions.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
from honest_cases import FOLDER, Case, read_cases

CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "honest"\n'
METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def write_course(folder: Path, cases: list[Case]) -> None:
    """Write the course: one assignment, a notebook a case, a submission for each further answer."""
    (folder / "source" / "kinds").mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    for number, case in enumerate(cases):
        cells = [
            cell
            for cell in case.cells
            if cell.metadata.get("nbgrader", {}).get("grade_id") != "shared"
        ]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata=METADATA)
        nbformat.write(notebook, folder / "source" / "kinds" / f"case{number:02}.ipynb")
    subprocess.run(
        ["nbgrader", "generate_assignment", "kinds", "--create", "--log-level=ERROR"],
        cwd=folder,
        check=True,
    )
    for number, case in enumerate(cases):
        for name, answers in case.answers.items():
            if name == "right":
                continue
            node = nbformat.read(
                folder / "release" / "kinds" / f"case{number:02}.ipynb", as_version=4
            )
            for cell in node.cells:
                cell.source = answers.get(
                    cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source
                )
            target = folder / "submitted" / name.replace(" ", "_") / "kinds"
            target.mkdir(parents=True, exist_ok=True)
            nbformat.write(node, target / f"case{number:02}.ipynb")


if __name__ == "__main__":
    names = sys.argv[2:] or sorted(
        path.name for path in FOLDER.glob("*.txt") if path.name != "impossible.txt"
    )
    write_course(Path(sys.argv[1]), [case for name in names for case in read_cases(name)])
