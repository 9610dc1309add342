"""The release: what the source gives, and able to run where only the student's packages are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from course_notebooks import read_course
from notebooks import COURSE, SOURCES, is_test, released, settings
from release_readme import release_readme


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and "__pycache__" not in p.parts
    }


def test_release_is_what_the_source_gives(tmp_path: Path) -> None:
    shutil.copytree(COURSE / "source", tmp_path / "source")
    shutil.copy(COURSE / "nbgrader_config.py", tmp_path)
    for assignment in sorted({source.parent.name for source in SOURCES}):
        nbgrader = [sys.executable, "-m", "nbgrader", "generate_assignment", assignment]
        subprocess.run(nbgrader, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "release/README.md").write_text(release_readme(read_course(tmp_path / "release")))
    made, committed = files(tmp_path / "release"), files(COURSE / "release")
    assert made.keys() == committed.keys()
    assert [name for name in made if made[name] != committed[name]] == [], "run: make release"


@pytest.fixture(scope="session")
def student_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with NumPy, Matplotlib and JupyterLab, at the locked versions, and nothing
    else.
    """
    folder = tmp_path_factory.mktemp("student")
    lock = (COURSE / "requirements.lock").read_text()
    pins = re.findall(r"^(\S+==[^\\\n]*)", lock, re.MULTILINE)
    (folder / "pins.txt").write_text("\n".join(pins))
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv/bin/python"
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        folder / "pins.txt",
    ]
    subprocess.run([*pip, "numpy", "matplotlib", "jupyterlab"], check=True, capture_output=True)
    return python


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_release_runs_up_to_each_stub_with_the_students_packages_alone(
    source: Path, student_python: Path, tmp_path: Path
) -> None:
    folder = tmp_path / source.parent.name
    shutil.copytree(released(source).parent, folder)
    nbconvert: list[str | Path] = [
        student_python,
        "-m",
        "jupyter",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        "--allow-errors",
        "--inplace",
    ]
    subprocess.run([*nbconvert, folder / source.name], check=True, capture_output=True, cwd=folder)
    executed = nbformat.read(str(folder / source.name), as_version=4)
    unexpected, stub_seen = [], False
    for cell in executed.cells:
        errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
        stubs = [
            e
            for e in errors
            if e.ename == "NotImplementedError" or "is not written yet" in e.evalue
        ]
        stub_seen = stub_seen or bool(settings(cell).get("solution"))
        unexpected += [
            f"{cell.id}: {e.ename}: {e.evalue}" for e in errors if e not in stubs or not stub_seen
        ]
    assert unexpected == []
    visible = [
        c for c in executed.cells if is_test(c) and settings(c)["grade_id"].endswith("_check")
    ]
    assert [c.id for c in visible if not any(o.output_type == "error" for o in c.outputs)] == []


@pytest.mark.parametrize("package", ["nbreferee", "nbgrader", "gradcheck", "gradtests"])
def test_package_is_not_in_the_students_environment(package: str, student_python: Path) -> None:
    found = subprocess.run(
        [student_python, "-c", f"import {package}"], capture_output=True, text=True, cwd="/"
    )
    assert "ModuleNotFoundError" in found.stderr
