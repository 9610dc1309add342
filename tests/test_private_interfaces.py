"""Each interface of another package that is not public, and that nbreferee depends on.

When a new version of a package breaks one, a test here fails and says in a sentence which one,
where it is used and what it is for.
"""

from __future__ import annotations

import _random
import ast
import atexit
import ctypes
import dataclasses
import functools
import inspect
import pickle
import random
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core import pylabtools
from IPython.core.displayhook import DisplayHook
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell
from matplotlib._tight_bbox import adjust_bbox
from matplotlib.axis import Axis
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.cbook import CallbackRegistry
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import Affine2D
from nbgrader.api import Base, BaseCell, Comment, Grade, GradeCell, SubmittedNotebook, TaskCell
from nbgrader.plugins import ExportPlugin
from nbgrader.preprocessors import AssignLatePenalties
from notebooks import COURSE

PACKAGE = COURSE / "nbreferee"


def takes(function: Callable[..., object], *names: str) -> bool:
    """Return whether a function's first parameters, after self, have these names."""
    return tuple(inspect.signature(function).parameters)[1 : len(names) + 1] == names


def figures_are_packed_alike() -> bool:
    """Return whether equal figures give equal bytes, and unpack with what they show."""
    from nbreferee.engine.box.figures import _packed

    def drawn() -> Figure:
        figure, axes = plt.subplots()
        axes.plot([1, 2, 4])
        plt.close(figure)
        return figure

    one, two = (_packed(drawn(), {}, {}) for _ in range(2))
    figure = pickle.loads(one)[0]
    return one == two != b"" and len(figure.axes[0].lines) == 1


def twisters_lie_in_memory() -> bool:
    """Return whether the generators' states are read where CPython and NumPy keep them."""
    from nbreferee.engine.wire.protocol import NUMPY_RANDOM, TWISTER_BYTES, RandomState

    in_memory = RandomState()._in_memory
    before = in_memory()
    random.random()
    after_python = in_memory()
    np.random.random()
    after_numpy = in_memory()
    keys = np.random.get_state(legacy=False)["state"]["key"].tobytes()
    address = NUMPY_RANDOM.get_bit_generator().ctypes.state_address
    own_bytes = _random.Random.__basicsize__ - object.__basicsize__
    return (
        len(before) == own_bytes + TWISTER_BYTES
        and before[:own_bytes] != after_python[:own_bytes]
        and after_python[own_bytes:] != after_numpy[own_bytes:]
        and ctypes.string_at(address, len(keys)) == keys
    )


def columns(table: type[Base], *names: str) -> bool:
    """Return whether a table of nbgrader's has these columns."""
    return set(names) <= set(table.__table__.c.keys())


def new_ids_are_made() -> bool:
    """Return whether nbgrader's ids come from a function that takes the context."""
    return all(
        type(table.__table__.c.id.default.arg(None)) is str
        for table in (Grade, Comment, SubmittedNotebook)
    )


def frames_take_on_others() -> bool:
    """Return whether a frame takes on the contents of another, in place."""
    old, new = pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [2.0, 3.0]})
    old._update_inplace(new)
    return bool(old.equals(new))


def state_of(value: object) -> dict[str, Any]:
    """Return what a value is packed as."""
    state = value.__getstate__()
    assert isinstance(state, dict)
    return state


def fill_value_of(array: Any) -> Any:
    """Return a masked array's own fill value, of which its type says nothing."""
    return array._fill_value


def field_type(field: Any) -> Any:
    """Return what kind of field a dataclass has, of which its type says nothing."""
    return field._field_type


def kind_of_field(name: str) -> Any:
    """Return one of the kinds of fields that dataclasses know."""
    return getattr(dataclasses, name)


@dataclass(frozen=True)
class Interface:
    """`holds` tells whether it is still as nbreferee uses it."""

    owner: str
    name: str  # as the code has it
    used_in: str
    purpose: str
    holds: Callable[[], bool]


def pool_is_as_it_was() -> bool:
    with ProcessPoolExecutor(1) as pool:
        return pool._processes == {} and hasattr(pool._result_queue, "_writer")


INTERFACES = (
    Interface(
        "IPython",
        "_showtraceback",
        "engine/shell.py",
        "errors of cells become outputs",
        lambda: takes(InteractiveShell._showtraceback, "etype", "evalue", "stb"),
    ),
    Interface(
        "IPython",
        "_format_exception_for_storage",
        "engine/shell.py",
        "no history of errors is kept",
        lambda: callable(InteractiveShell._format_exception_for_storage),
    ),
    Interface(
        "IPython",
        "_is_active",
        "engine/shell.py",
        "the display hook shows one result a cell",
        lambda: "_is_active" in inspect.getsource(DisplayHook),
    ),
    Interface(
        "IPython",
        "_render_traceback_",
        "engine/tester/process.py",
        "a failed check shows its own text",
        lambda: "_render_traceback_" in inspect.getsource(InteractiveShell.showtraceback),
    ),
    Interface(
        "IPython",
        "HistoryManager.enabled",
        "engine/shell.py",
        "no history file is opened",
        lambda: hasattr(HistoryManager, "enabled"),
    ),
    Interface(
        "IPython",
        "print_figure",
        "engine/box/figures.py",
        "figures are drawn when the notebook has run",
        lambda: (
            tuple(inspect.signature(pylabtools.print_figure).parameters)[:4]
            == ("fig", "fmt", "bbox_inches", "base64")
        ),
    ),
    Interface(
        "Python",
        "_processes",
        "grading/pool.py",
        "a pool whose workers are killed ends, whatever one of them was writing",
        pool_is_as_it_was,
    ),
    Interface(
        "Python",
        "_result_queue._writer",
        "grading/pool.py",
        "a pool whose workers are killed ends, whatever one of them was writing",
        pool_is_as_it_was,
    ),
    Interface(
        "Matplotlib",
        "_restore_to_pylab",
        "engine/box/packing.py",
        "equal figures are packed as equal bytes",
        figures_are_packed_alike,
    ),
    Interface(
        "Matplotlib",
        "_tight_bbox",
        "engine/box/drawing.py",
        "a figure is drawn once, and cut to its tight box",
        lambda: (
            tuple(inspect.signature(adjust_bbox).parameters)[:3]
            == ("fig", "bbox_inches", "renderer")
        ),
    ),
    Interface(
        "Matplotlib",
        "_update_ticks",
        "engine/box/drawing.py",
        "an axis finds its ticks once for a drawing",
        lambda: "_update_ticks()" in inspect.getsource(Axis.get_tightbbox),
    ),
    Interface(
        "Matplotlib",
        "_get_ticklabel_bboxes",
        "engine/box/drawing.py",
        "an axis finds the boxes of its ticks' labels once for a drawing",
        lambda: (
            "_get_ticklabel_bboxes(ticks_to_draw, renderer)"
            in inspect.getsource(Axis.get_tightbbox)
        ),
    ),
    Interface(
        "Matplotlib",
        "_set_marker",
        "engine/box/drawing.py",
        "a marker that is made of another one shares its parts",
        lambda: "self._set_marker(marker)" in inspect.getsource(MarkerStyle.__init__),
    ),
    Interface(
        "Matplotlib",
        "_is_saving",
        "engine/box/drawing.py",
        "a figure is drawn with its animated parts, as savefig does",
        lambda: "_is_saving" in inspect.getsource(FigureCanvasBase.is_saving),
    ),
    Interface(
        "Matplotlib",
        "_parents",
        "engine/box/packing.py",
        "transforms are packed without addresses",
        lambda: "_parents" in state_of(Affine2D()),
    ),
    Interface(
        "Matplotlib",
        "_cid_gen",
        "engine/box/packing.py",
        "callbacks are packed without a counter",
        lambda: {"_cid_gen", "callbacks"} <= set(state_of(CallbackRegistry())),
    ),
    Interface(
        "Python",
        "_random",
        "engine/wire/protocol.py",
        "a draw of random numbers is seen in memory",
        twisters_lie_in_memory,
    ),
    Interface(
        "Python",
        "_field_type",
        "engine/wire/known_types.py",
        "fields of dataclasses are copied",
        lambda: field_type(dataclasses.field()) is None,
    ),
    Interface(
        "Python",
        "_FIELD",
        "engine/wire/known_types.py",
        "fields of dataclasses are copied",
        lambda: (
            field_type(dataclasses.fields(Interface)[0]) is kind_of_field("_FIELD")
            and kind_of_field("_FIELD").name == "_FIELD"
        ),
    ),
    Interface(
        "Python",
        "_FIELD_CLASSVAR",
        "engine/wire/known_types.py",
        "fields of dataclasses are copied",
        lambda: kind_of_field("_FIELD_CLASSVAR").name == "_FIELD_CLASSVAR",
    ),
    Interface(
        "Python",
        "_FIELD_INITVAR",
        "engine/wire/known_types.py",
        "fields of dataclasses are copied",
        lambda: kind_of_field("_FIELD_INITVAR").name == "_FIELD_INITVAR",
    ),
    Interface(
        "Python",
        "_lru_cache_wrapper",
        "engine/box/stand_ins.py",
        "a function behind a cache is found",
        lambda: type(functools.cache(len)) is functools._lru_cache_wrapper,
    ),
    Interface(
        "Python",
        "_ParameterKind",
        "engine/box/references.py",
        "signatures are copied",
        lambda: inspect._ParameterKind(0) is inspect.Parameter.POSITIONAL_ONLY,
    ),
    Interface(
        "Python",
        "_run_exitfuncs",
        "commands.py",
        "a second Ctrl-C leaves no folders behind",
        lambda: callable(atexit._run_exitfuncs),
    ),
    Interface(
        "Python",
        "_clear",
        "grading/task.py",
        "a worker that is a fork does not do what its parent does when it ends",
        lambda: callable(atexit._clear),
    ),
    Interface(
        "NumPy",
        "_fill_value",
        "engine/wire/known_types_numpy.py",
        "masked arrays are copied",
        lambda: (
            fill_value_of(np.ma.array([1], fill_value=7)) == 7
            and fill_value_of(np.ma.array([1])) is None
        ),
    ),
    Interface(
        "pandas",
        "_update_inplace",
        "engine/wire/known_types_pandas.py",
        "a student's change of a frame reaches the test's own frame",
        frames_take_on_others,
    ),
    Interface(
        "nbgrader",
        "GradeCell.__table__",
        "grading/marks.py",
        "scores are read in bulk",
        lambda: (
            columns(GradeCell, "id", "max_score")
            and columns(TaskCell, "id", "max_score")
            and columns(BaseCell, "id", "name")
            and columns(Grade, "auto_score", "manual_score", "extra_credit", "needs_manual_grade")
        ),
    ),
    Interface(
        "nbgrader",
        "__table__.c.id.default",
        "grading/gradebook.py",
        "rows are written in bulk, with ids of their own",
        new_ids_are_made,
    ),
    Interface(
        "nbgrader",
        "plugin_inst",
        "grading/gradebook.py",
        "the course's penalty for handing in late is asked for",
        lambda: (
            "plugin_inst" in inspect.getsource(AssignLatePenalties)
            and callable(AssignLatePenalties.init_plugin)
        ),
    ),
    Interface(
        "nbgrader",
        "ExportPlugin",
        "lms/plugins.py",
        "nbgrader export writes platforms' files",
        lambda: takes(ExportPlugin.export, "gradebook"),
    ),
)

# Documented, whatever their names look like.
DOCUMENTED = {
    *("_exit", "_fields", "_field_defaults", "_getframe", "_name_", "_replace", "_value_"),
    "_mapping",  # of SQLAlchemy's rows
}


@pytest.mark.parametrize("one", INTERFACES, ids=lambda one: f"{one.owner} {one.name}")
def test_private_interface_is_as_nbreferee_uses_it(one: Interface) -> None:
    sentence = (
        f"{one.owner}'s {one.name} is not what nbreferee/{one.used_in} needs, so that "
        f"{one.purpose}. Mend it there, or bound the version of {one.owner} in pyproject.toml."
    )
    try:
        holds = one.holds()
    except Exception as error:
        pytest.fail(f"{sentence} ({type(error).__name__}: {error})")
    assert holds, sentence
    assert one.name in (PACKAGE / one.used_in).read_text(), (
        f"nbreferee/{one.used_in} does not use {one.owner}'s {one.name} any more: take it off "
        "this list."
    )


def own_names(trees: Sequence[ast.AST]) -> Iterator[str]:
    """Yield the private names that the package itself defines."""
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield node.name
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif (
                isinstance(node, ast.Attribute)
                and isinstance(node.ctx, ast.Store)
                and isinstance(node.value, ast.Name)
                and node.value.id in ("self", "cls", "made", "proxy")
            ):
                yield node.attr
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value  # of __slots__, or set by its name


def test_no_private_interface_is_missing_from_the_list() -> None:
    trees = [ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))]
    known = {*own_names(trees), *DOCUMENTED}
    listed = {part for one in INTERFACES for part in one.name.split(".")}
    used = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
    }
    assert used - known - listed == set()


def test_upper_bounds_stand_where_private_interfaces_are_used() -> None:
    text = (COURSE / "pyproject.toml").read_text()
    packages = {one.owner.lower() for one in INTERFACES} - {
        "python",
        "pandas",
    }  # pandas is the course's
    bounded = {name for name in packages if re.search(rf'"{name}>=[\d.]+,<[\d.]+"', text)}
    assert packages - bounded == set()
