"""A program that imports the package, or grades through its preprocessors, is afterwards as it was
before.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from building import answer, graded, write
from notebooks import COURSE

# All of a process that code could change for others in it, as texts by name.
STATE = """
import builtins, decimal, faulthandler, gc, importlib, json, locale, logging, os, pkgutil, signal, socket, sys, threading, warnings

def state():
    import matplotlib, numpy
    mask = os.umask(0); os.umask(mask)
    loggers = {name: logging.getLogger(name) for name in known_loggers}
    return {
        "environment": dict(os.environ), "folder": os.getcwd(), "umask": mask, "path": list(sys.path), "finders": len(sys.meta_path),
        "hooks of paths": len(sys.path_hooks), "modules made absent": sorted(name for name, one in sys.modules.items() if one is None),
        "warnings": [repr(one) for one in warnings.filters], "root's level": logging.root.level, "root's handlers": len(logging.root.handlers),
        "loggers": {name: [one.level, len(one.handlers), one.propagate, one.disabled] for name, one in loggers.items()},
        "disabled": logging.root.manager.disable, "signals": {str(n): repr(signal.getsignal(n)) for n in sorted(signal.valid_signals())},
        "blocked signals": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))), "alarm": signal.getitimer(signal.ITIMER_REAL),
        "figures": {name: repr(value) for name, value in dict.items(matplotlib.rcParams)}, "backend": matplotlib.rcParams._get_backend_or_none(),
        "locale": locale.setlocale(locale.LC_ALL), "hooks": [repr(sys.excepthook), repr(sys.displayhook), repr(sys.unraisablehook), repr(threading.excepthook)],
        "streams": [id(sys.stdin), id(sys.stdout), id(sys.stderr)], "builtins": {name: id(value) for name, value in vars(builtins).items() if name != "_"},
        "recursion": sys.getrecursionlimit(), "collector": [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()], "timeout": socket.getdefaulttimeout(),
        "numpy": [numpy.geterr(), repr(numpy.get_printoptions())], "random": repr(numpy.random.get_state()[1][:3]), "decimal": repr(decimal.getcontext()),
        "bytecode": sys.dont_write_bytecode, "tracing": [repr(sys.gettrace()), repr(sys.getprofile())], "threads": [one.name for one in threading.enumerate()],
        "traced faults": faulthandler.is_enabled(), "nice": os.nice(0), "digits": sys.get_int_max_str_digits(),
    }

def import_all():
    import nbreferee
    for found in pkgutil.walk_packages(nbreferee.__path__, "nbreferee."):
        importlib.import_module(found.name)

def print_changes(before, after):
    changes = {}
    for name, old in before.items():
        new = after[name]
        if old != new and type(old) is dict:
            changes[name] = {key: [repr(old.get(key)), repr(new.get(key))] for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        elif old != new:
            changes[name] = [repr(old), repr(new)]
    print(json.dumps(changes, indent=1))
"""
LIST_THEIRS = """
import_all()
print(json.dumps([name for name, one in sys.modules.items() if one is not None and name.partition(".")[0] not in ("nbreferee", "__main__")]))
"""
# Other packages do change a process when they are imported: they are before the first look at it.
IMPORT = """
for name in json.load(sys.stdin):
    try: importlib.import_module(name)
    except Exception: pass
known_loggers = list(logging.root.manager.loggerDict)
before = state()
import_all()
print_changes(before, state())
"""
GRADE = """
import_all()
import nbgrader.apps
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from nbgrader.converters import Autograde
import matplotlib.pyplot
import nbconvert.preprocessors, nbgrader.preprocessors

config = Config()
config.CourseDirectory.root = sys.argv[1]
config.CourseDirectory.course_id = "c"
config.CourseDirectory.db_url = f"sqlite:///{sys.argv[1]}/gradebook.db"
config.Autograde.sanitize_preprocessors = ["nbreferee.preprocessors.RebuildSubmission"]
config.Autograde.autograde_preprocessors = ["nbreferee.preprocessors.GradeSubmission", "nbgrader.preprocessors.SaveAutoGrades"]
course = CourseDirectory(config=config)
course.assignment_id = "ps1"
known_loggers = list(logging.root.manager.loggerDict)
before = state()
grading = Autograde(coursedir=course, parent=None, config=config)
grading.start()
del grading
gc.collect()
print_changes(before, state())
"""


def changes(code: str, *arguments: str, stdin: str = "") -> str:
    """Run code in a process of its own, and return what it prints."""
    command = [sys.executable, "-W", "default", "-c", STATE + code, *arguments]
    ran = subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=COURSE)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_importing_every_module_changes_nothing_else() -> None:
    theirs = changes(LIST_THEIRS)
    assert changes(IMPORT, stdin=theirs) == "{}"


def test_addresses_are_still_checked_where_the_package_is_imported() -> None:
    code = (
        "import_all(); import jsonschema; print('idn-email' in jsonschema.FormatChecker.checkers, "
        "'iri' in jsonschema.FormatChecker.checkers)"
    )
    assert changes(code) == "True True"


def test_grading_through_the_preprocessors_changes_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "source/ps1").mkdir(parents=True)
    write(tmp_path / "source/ps1", answer(), graded())
    (tmp_path / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "c"\n'
    )
    nbgrader = Path(sys.executable).with_name("nbgrader")
    subprocess.run(
        [nbgrader, "generate_assignment", "ps1"], cwd=tmp_path, check=True, capture_output=True
    )
    handed_in = tmp_path / "submitted/anna/ps1/one.ipynb"
    handed_in.parent.mkdir(parents=True)
    handed_in.write_text(
        (tmp_path / "release/ps1/one.ipynb")
        .read_text()
        .replace("raise NotImplementedError()", "return x")
    )
    assert changes(GRADE, str(tmp_path)) == "{}"
    assert (tmp_path / "autograded/anna/ps1/one.ipynb").exists()
