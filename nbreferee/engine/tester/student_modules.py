"""Modules that a student has written: the tests import them from afar, and their code runs in the
box alone.

The finder is asked last, when no installed module and none of the instructor's has the name, and
only for an import that stands in the instructor's own code: no library gets a student's module.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from typing import Any, Protocol, TypeVar

from nbreferee.engine.wire.to_box import on
from nbreferee.engine.wire.to_box_modules import (
    FindModule,
    ImportModule,
    ModuleAttribute,
    ModuleNames,
    ModuleRequest,
    SetModuleAttribute,
)

A = TypeVar("A")
IMPORT_SYSTEM = (
    importlib.__file__,
    "<frozen importlib._bootstrap>",
    "<frozen importlib._bootstrap_external>",
    "<frozen importlib.util>",
)
OWN_NAMES = {"__all__", "__version__", "__author__", "__doc__"}


class Ask(Protocol):
    """Asks the box something about a module."""

    def __call__(self, request: ModuleRequest[A]) -> A:
        """Return the answer."""


class StudentModule(types.ModuleType):
    """Stands for a module in the box: whatever is asked of it, the box answers."""

    def __init__(self, name: str, ask: Ask) -> None:
        super().__init__(name)
        self.__dict__["_ask_"] = ask

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in OWN_NAMES:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        ask: Ask = self.__dict__["_ask_"]
        return ask(ModuleAttribute(self.__name__, name))

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            ask: Ask = self.__dict__["_ask_"]
            ask(SetModuleAttribute(self.__name__, name, value))

    def __dir__(self) -> list[str]:
        ask: Ask = self.__dict__["_ask_"]
        return ask(ModuleNames(self.__name__))


class StudentFinder:
    """A finder of `sys.meta_path`, and the loader of what it finds."""

    def __init__(self, ask: Ask, is_running: Callable[[], bool], folders: Sequence[str]) -> None:
        self._ask, self._is_running = ask, is_running
        self._folders = tuple(
            f"{os.path.realpath(folder)}{os.sep}" for folder in folders
        )  # of the instructor's modules

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return what is to be loaded, if the student has written such a module."""
        if not self._is_running() or not self._asked_by_instructor():
            return None
        found = self._ask(FindModule(name))
        if not found.is_there:
            return None
        loader: Any = self  # by what it does
        return ModuleSpec(name, loader, is_package=found.is_package)

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """Return what stands for the module."""
        return StudentModule(spec.name, self._ask)

    def exec_module(self, module: types.ModuleType) -> None:
        """Have the box import it; import it again where it is reloaded."""
        self._ask(ImportModule(module.__name__, "_loaded_" in module.__dict__))
        module.__dict__["_loaded_"] = True

    def _asked_by_instructor(self) -> bool:
        frame: types.FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename in IMPORT_SYSTEM:
            frame = frame.f_back
        file = frame.f_code.co_filename if frame is not None else ""
        return file.startswith("<ipython-input") or os.path.realpath(file).startswith(self._folders)


class BoxModules:
    """The same, as the box answers: modules whose files lie in the working folder."""

    def __init__(self) -> None:
        self.operations: dict[str, Callable[..., Any]] = dict(
            (
                on(FindModule, lambda asked: self.find(asked.module)),
                on(ImportModule, self._load),
                on(ModuleNames, lambda asked: dir(self._module(asked.module))),
                on(ModuleAttribute, self._attribute),
                on(SetModuleAttribute, self._set_attribute),
            )
        )

    def find(self, name: str) -> tuple[bool, bool]:
        """Return whether there is such a module here, and whether it is a package."""
        importlib.invalidate_caches()
        loaded = sys.modules.get(name)
        spec = getattr(loaded, "__spec__", None) or importlib.util.find_spec(name)
        places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or ())]
        here = f"{os.path.realpath(os.getcwd())}{os.sep}"
        inside = any(place and os.path.realpath(place).startswith(here) for place in places)
        is_package = spec is not None and spec.submodule_search_locations is not None
        return inside, inside and is_package

    def _load(self, asked: ImportModule) -> None:
        module = self._module(asked.module)
        if asked.again:
            importlib.reload(module)

    def _module(self, name: str) -> types.ModuleType:
        if name not in sys.modules and not self.find(name)[0]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return importlib.import_module(name)

    def _attribute(self, asked: ModuleAttribute) -> Any:
        module, name = self._module(asked.module), asked.attribute
        if name == "__all__" and not hasattr(module, name):
            return [one for one in dir(module) if not one.startswith("_")]
        return getattr(module, name)

    def _set_attribute(self, asked: SetModuleAttribute) -> None:
        setattr(self._module(asked.module), asked.attribute, asked.value)
