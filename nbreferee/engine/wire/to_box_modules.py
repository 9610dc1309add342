"""What a box is asked about the modules that a student has written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from nbreferee.engine.wire.to_box import BoxRequest, Order, Texts, Value

A = TypeVar("A")


@dataclass(frozen=True)
class ModuleRequest(BoxRequest[A]):
    """A question about a module that the student has written."""

    module: str

    @property
    def label(self) -> str:
        """What the answer is the value of, for a person."""
        return self.module


@dataclass(frozen=True)
class FoundModule:
    """Whether the student has written a module, and whether it is a package."""

    is_there: bool
    is_package: bool


@dataclass(frozen=True)
class FindModule(ModuleRequest[FoundModule], operation="find_module"):
    """Look for a module in the working folder."""

    def read(self, answer: Any) -> FoundModule:
        """Return what was found; nothing where the answer is of another shape."""
        match answer:
            case (True, bool(is_package)):
                return FoundModule(True, is_package)
        return FoundModule(False, False)


@dataclass(frozen=True)
class ImportModule(ModuleRequest[None], Order, operation="import_module"):
    """Import a module; import it `again` if it is there already."""

    again: bool


@dataclass(frozen=True)
class ModuleNames(ModuleRequest[list[str]], Texts, operation="module_names"):
    """Say which names a module has."""


@dataclass(frozen=True)
class ModuleAttribute(ModuleRequest[Any], Value, operation="module_attribute"):
    """Give the value of a name in a module."""

    attribute: str

    @property
    def label(self) -> str:
        """What the answer is the value of, for a person."""
        return f"{self.module}.{self.attribute}"


@dataclass(frozen=True)
class SetModuleAttribute(ModuleRequest[None], Order, operation="set_module_attribute"):
    """Give a name in a module another value."""

    attribute: str
    value: Any
