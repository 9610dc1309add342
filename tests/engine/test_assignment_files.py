"""The instructor's files, and what students hand in, make and remove, are where stock nbgrader has
them; no code of a student's runs for it.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from building import answer, cell, graded
from refereed import Court, verdicts

from nbreferee.engine import assignment_files
from nbreferee.engine.assignment_files import (
    FilesChanged,
    FilesMissing,
    deliveries,
    local_copy,
    take,
)
from nbreferee.engine.placing import COPIED_BYTES, WorkingFolder
from nbreferee.grading.course_files import read_assignment_files
from nbreferee.grading.notebook import GradedNotebook

LARGE = COPIED_BYTES + 1
FILES = {
    "large.bin": bytes(LARGE),
    "data/rows.csv": b"1,2\n",
    "log.txt": b"first\n",
    "helper.py": b"def double(x):\n    return 2 * x\n",
    "rewritten.py": b"value = 1\n",
    **{f"many/{n}.txt": b"%d" % n for n in range(700)},
}
CELLS = (
    cell("import os\nos.makedirs('out', exist_ok=True)", grade_id="makes", locked=True),
    answer(
        "size = os.path.getsize('large.bin')\n"
        "total = sum(int(open(f'many/{n}.txt').read()) for n in range(700))",
        "reads",
    ),
    graded(
        "import os\nassert size == os.path.getsize('large.bin') and total == sum(range(700))",
        "reads_tests",
    ),
    answer(
        "with open('large.bin', 'ab') as file:\n    file.write(b'x')\n"
        "with open('log.txt', 'a') as file:\n    file.write('more\\n')\n"
        "logged = open('log.txt').read()\nnow = os.path.getsize('large.bin')",
        "appends",
    ),
    graded(f"assert now == {LARGE + 1} and logged == 'first\\nmore\\n'", "appends_tests"),
    graded(
        "import os\nassert len(os.listdir('many')) == 700\nwith open('many/3.txt', 'w') as file:\n"
        "    file.write('30')\nos.remove('many/4.txt')\nassert open('many/5.txt').read() == '5'",
        "many_tests",
    ),
    answer(
        "third = open('many/3.txt').read(), os.path.exists('many/4.txt'), len(os.listdir('many'))",
        "sees_many",
    ),
    graded("assert third == ('30', False, 699)", "sees_many_tests"),
    answer("import mine\ntwice = mine.twice", "uses"),
    graded(
        "import mine\nassert mine.twice(4) == 8\nfrom mine import start, Pair\n"
        "assert start == 3 and Pair(1, 2).total() == 3",
        "module_tests",
    ),
    graded("import helper\nassert helper.double(2) == 4", "helper_tests"),
    answer(
        "import helper\nwith open('rewritten.py', 'w') as file:\n    file.write('value = 2\\n')\n"
        "import rewritten\nvalue = rewritten.value\n"
        "flags = open(helper.__cached__, 'rb').read()[4:8]",
        "imports",
    ),
    # bytecode that comes with a box has the hash of its source
    graded("assert value == 2 and flags == bytes([3, 0, 0, 0])", "bytecode_tests"),
    graded("assert open('notes.txt').read() == 'mine'", "handed_in_tests"),
    answer(
        "os.makedirs('out/deep')\nopen('out/deep/a.txt', 'w').write('a')\n"
        "open('gone.txt', 'w').close()",
        "makes_files",
    ),
    graded(
        "assert os.listdir('out/deep') == ['a.txt'] and os.path.exists('gone.txt')", "made_tests"
    ),
    answer("os.remove('gone.txt')", "removes"),
    graded("assert not os.path.exists('gone.txt')", "removed_tests"),
    graded(
        "os.rename('out/deep/a.txt', 'out/b.txt')\nos.rmdir('out/deep')\nos.mkdir('new')\n"
        "_ = open('new/c.txt', 'w').write('c')",
        "changes_tests",
    ),
    answer("seen = sorted(os.listdir('out')), os.listdir('new'), open('new/c.txt').read()", "sees"),
    graded("assert seen == (['b.txt'], ['c.txt'], 'c')", "sees_tests"),
    graded(
        "import sys\ntry:\n    import pwned\nexcept ImportError:\n    pass\n"
        "assert 'pwned' not in sys.modules",
        "absent_tests",
    ),
)
MINE = (
    b"start = 3\ndef twice(x):\n    return 2 * x\nclass Pair:\n    def __init__(self, a, b):\n"
    b"        self.a, self.b = a, b\n    def total(self):\n        return self.a + self.b\n"
)
HANDED_IN = {
    "mine.py": MINE,
    "notes.txt": b"mine",
    "helper.py": b"def double(x):\n    return 0\n",
    "data": b"a file in the place of a folder",
}


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    with Court() as court:
        yield court


@pytest.fixture(scope="module")
def graded_(court: Court) -> GradedNotebook:
    material = replace(
        court.material(*CELLS, files=FILES),
        solution_files={name: HANDED_IN[name] for name in ("mine.py", "notes.txt")},
    )
    answers = {
        one.metadata.nbgrader.grade_id: one.source
        for one in CELLS
        if one.metadata.get("nbgrader", {}).get("solution")
    }
    return court.grade(material, answers, files=HANDED_IN)


@pytest.mark.parametrize(
    "test",
    [
        one.metadata.nbgrader.grade_id
        for one in CELLS
        if one.metadata.get("nbgrader", {}).get("grade")
    ],
)
def test_cell_finds_the_files_that_stock_nbgrader_would_have_there(
    test: str, graded_: GradedNotebook
) -> None:
    verdict = verdicts(graded_)[test]
    assert (verdict.status, verdict.score) == ("passed", 2), verdict.message


def test_no_part_of_a_task_grows_with_the_files(court: Court) -> None:
    material = court.material(*CELLS, files=FILES)
    assert len(pickle.dumps(material)) < 200_000 < LARGE


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another machine's folder for copies."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setattr(assignment_files, "own_folder", lambda: folder)
    return folder


def course(folder: Path) -> Path:
    for name, data in {
        **FILES,
        "key.secret": b"k",
        "tests only.bin": b"t",
        ".hidden/x.py": b"1",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "empty/inner").mkdir(parents=True)
    return folder


def test_manifest_holds_what_nbgrader_copies(tmp_path: Path) -> None:
    from nbgrader.utils import find_all_files

    folder = course(tmp_path / "ps1")
    ignore = ["*.secret", "many"]
    files = read_assignment_files(folder, ignore, ["*.py", "*.csv", "*.txt"], {"log.txt"})
    theirs = {
        os.path.relpath(path, folder) for path in find_all_files(str(folder), [*ignore, "*.ipynb"])
    }
    assert files.names == theirs - {"log.txt"}
    assert {one.name for one in files.files if not one.is_released} == {
        "large.bin",
        "tests only.bin",
    }
    assert {"empty", "empty/inner"} <= set(files.folders)


def test_files_reach_another_machine_in_bounded_parts_and_whole(
    tmp_path: Path, apart: Path
) -> None:
    files = read_assignment_files(course(tmp_path / "ps1"), ["*.secret"])
    parts = list(deliveries(files))
    assert len(parts) > 1
    assert (
        max(sum(len(data) for _, _, data in part.pieces) for part in parts)
        <= assignment_files.CHUNK_BYTES
    )
    with pytest.raises(FilesMissing):
        local_copy(parts[0].files)
    for part in parts:
        take(part)
    there = local_copy(parts[0].files) / "released"
    assert {
        str(path.relative_to(there)): path.read_bytes()
        for path in there.rglob("*")
        if path.is_file()
    } == {one.name: (tmp_path / "ps1" / one.name).read_bytes() for one in files.files}


def test_file_that_changes_while_a_class_is_graded_is_named(tmp_path: Path, apart: Path) -> None:
    files = read_assignment_files(course(tmp_path / "ps1"), [])
    (tmp_path / "ps1/log.txt").write_text("other")
    with pytest.raises(FilesChanged, match=r"log\.txt has been changed"):
        local_copy(
            read_assignment_files(tmp_path / "ps1", []).__class__(
                files.source, files.files, files.folders, str(apart)
            )
        )


def test_linked_file_becomes_a_copy_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, folder = tmp_path / "store", tmp_path / "work"
    (store / "sub").mkdir(parents=True)
    folder.mkdir()
    (store / "sub/large.txt").write_text("read-only")
    placed = WorkingFolder([store], folder, copied_bytes=1)
    monkeypatch.chdir(folder)
    assert Path("sub/large.txt").is_symlink()
    placed.on_event("open", ("sub/large.txt", "r", os.O_RDONLY))
    assert Path("sub/large.txt").is_symlink()
    placed.on_event("open", ("sub/large.txt", "a", os.O_WRONLY | os.O_APPEND))
    assert not Path("sub/large.txt").is_symlink()
    assert (Path("sub/large.txt").read_text(), (store / "sub/large.txt").read_text()) == (
        "read-only",
        "read-only",
    )


def test_copy_links_to_what_is_the_same_in_an_earlier_one_and_to_nothing_else(
    tmp_path: Path,
) -> None:
    source, earlier, now = (tmp_path / name for name in ("source", "earlier", "now"))
    source.mkdir()
    for name in ("same.csv", "edited.csv", "linked.csv", "new.csv"):
        (source / name).write_text("1,2\n")
    files = read_assignment_files(source, ())
    files.copy_into(earlier, tmp_path / "none")
    (earlier / "edited.csv").write_text("1,3\n")
    (earlier / "new.csv").unlink()
    (earlier / "linked.csv").unlink()
    (earlier / "linked.csv").symlink_to(source / "linked.csv")
    files.copy_into(now, earlier)
    assert [path.read_text() for path in now.iterdir()] == ["1,2\n"] * 4
    assert not any(path.is_symlink() for path in now.iterdir())
    links = {path.name: path.stat().st_nlink for path in now.iterdir()}
    assert links == {"same.csv": 2, "edited.csv": 1, "linked.csv": 1, "new.csv": 1}
