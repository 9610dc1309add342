"""What proxies ask the box about the objects that they stand for."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from nbreferee.engine.tester.class_proxies import ClassProxy
from nbreferee.engine.tester.proxies import Proxy
from nbreferee.engine.tester.references import Reference, own_attributes
from nbreferee.engine.wire.codec import CodecError, encode
from nbreferee.engine.wire.instances import set_state
from nbreferee.engine.wire.to_box import (
    Attributes,
    BoxRequest,
    ClassOf,
    LastTraceback,
    SignatureOf,
    SourceOf,
    State,
)

A = TypeVar("A")


class Questions:
    """Questions about single objects; `Student` knows how to ask them."""

    _references: Any
    lost: str

    def ask(self, request: BoxRequest[A]) -> A:
        """Ask the box something."""
        raise NotImplementedError

    def hold(self, reason: str) -> None:
        """Note a limit if the running cell fails."""
        raise NotImplementedError

    def call(
        self, function: Any, arguments: tuple[Any, ...], named: dict[str, Any] | None = None
    ) -> Any:
        """Call a function in the box."""
        raise NotImplementedError

    def _looked_at(self, value: Any, label: str) -> Any:
        raise NotImplementedError

    def known_class(self, name: str) -> type | None:
        """Return a class of the instructor's or of NumPy's exceptions by its name."""
        kind: type | None = self._references.known_class(name)
        return kind

    def attributes(self, proxy: Proxy | ClassProxy) -> dict[str, Any]:
        """Return the attributes of an object that stays in the box."""
        return self.ask(Attributes(proxy))

    def state(self, reference: Reference) -> tuple[dict[str, Any], Any]:
        """Return the attributes of an object in the box, and what else it holds."""
        return self.ask(State(reference))

    def fill(self, number: int) -> None:
        """Give a copy of an object in the box its attributes."""
        copy = self._references.copies[number]
        attributes, content = self.state(Reference(number))
        attributes = self._looked_at(own_attributes(type(copy), attributes), type(copy).__name__)
        set_state(
            copy,
            attributes,
            self._looked_at(content, type(copy).__name__) if content is not None else None,
        )

    def class_of(self, proxy: Proxy) -> type:
        """Return the class of an object that stays in the box: a proxy, or the instructor's."""
        found = self._references.proxies.get(proxy._facts.type_number)
        if not isinstance(found, type):
            found = self.ask(ClassOf(proxy))
        return found if isinstance(found, type) else type(proxy)

    def is_of(self, operation: str, one: Any, kind: ClassProxy) -> bool:
        """Tell whether something is an instance, or a subclass, of a class that stays in the
        box.
        """
        try:
            encode(one, wrap=self._references.wrap)
        except CodecError:  # the box knows nothing of it
            return False
        return bool(self.call(operation, (one, kind)))

    def run_to_end(self, proxy: Proxy) -> Any:
        """Return what a coroutine that stays in the box gives in the end."""
        self.hold("a coroutine of the student's runs to its end before another goes on")
        return self.call("await", (proxy,))

    def signature(self, proxy: Proxy) -> inspect.Signature:
        """Return the signature of a function that stays in the box."""
        try:
            empty = (inspect.Parameter.empty,)
            said, returned = self.ask(SignatureOf(proxy))
            parameters = [
                inspect.Parameter(
                    name,
                    inspect._ParameterKind(kind),
                    default=(*default, *empty)[0],
                    annotation=(*annotation, *empty)[0],
                )
                for name, kind, default, annotation in said
            ]
            return inspect.Signature(parameters, return_annotation=(*returned, *empty)[0])
        except (TypeError, ValueError) as error:
            raise ValueError(f"no signature: {error}") from None

    def source(self, proxy: Proxy) -> str:
        """Return the source of a function or class that stays in the box."""
        return self.ask(SourceOf(proxy))

    def student_traceback(self) -> list[str]:
        """Return the traceback of the last exception in the box, as the notebook would show it."""
        return [] if self.lost else self.ask(LastTraceback())
