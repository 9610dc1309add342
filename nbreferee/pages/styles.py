"""Style that stays where it is: declarations from a list, and rules turned into such declarations.

A rule (`<style>`) reaches the whole page, so none is kept. pandas, for one, styles tables by rules;
what these give to an element is written into its own `style`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_PROPERTIES = re.compile(
    r"(background|background-color|border(-(top|right|bottom|left))?(-(color|style|width))?|border-(collapse|spacing|radius)|caption-side|color"
    r"|cursor|display|empty-cells|float|clear|font|font-(family|size|style|variant|weight)|(min-|max-)?(width|height)|letter-spacing|line-height"
    r"|list-style|list-style-type|margin(-(top|right|bottom|left))?|padding(-(top|right|bottom|left))?|opacity|overflow(-[xy])?|overflow-wrap"
    r"|table-layout|text-(align|decoration|indent|overflow|transform)|vertical-align|visibility|white-space|word-break|word-spacing|word-wrap)"
)
_VALUE = re.compile(r"[\w\s.,#%()+!/-]{1,200}", re.ASCII)
_FUNCTION = re.compile(r"([\w-]*)\(")
_FUNCTIONS = {"rgb", "rgba", "hsl", "hsla", "linear-gradient"}
_TOO_FAR = re.compile(
    r"(?<![\w.)])-\s*[\d.]|(?<![.\d#\w])\d{5,}"
)  # a negative length, or one beyond any screen


def _is_safe(name: str, value: str) -> bool:
    return bool(
        _PROPERTIES.fullmatch(name)
        and _VALUE.fullmatch(value)
        and all(found in _FUNCTIONS for found in _FUNCTION.findall(value))
        and not _TOO_FAR.search(value)
    )


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for one in style.split(";"):
        name, _, value = one.partition(":")
        if name.strip():
            yield name.strip().lower(), value.strip()


def is_safe_style(style: str) -> bool:
    """Return whether all declarations of a `style` are from the list."""
    return all(_is_safe(name, value) for name, value in _declarations(style))


def safe_style(style: str) -> str:
    """Return the declarations of a `style` that are from the list; of two for a property, the later
    one.
    """
    kept: dict[str, str] = {}
    for name, value in _declarations(style):
        if _is_safe(name, value):
            kept.pop(name, None)
            kept[name] = value
    return "; ".join(f"{name}: {value}" for name, value in kept.items())


@dataclass(frozen=True)
class Element:
    """What selectors look at."""

    tag: str
    element_id: str = ""
    classes: frozenset[str] = frozenset()
    number: int = 1  # among its parent's elements


# Selectors may begin outside: these are the elements that Jupyter puts around an output.
AROUND = Element(
    "div",
    "",
    frozenset(
        {
            "output_html",
            "rendered_html",
            "output_subarea",
            "jp-RenderedHTML",
            "jp-RenderedHTMLCommon",
        }
    ),
)

_COMPOUND = re.compile(
    r"(?P<tag>\*|[a-zA-Z][\w-]*)?(?P<rest>(?:[#.][\w-]+|:nth-child\((?:odd|even|\d+)\)|:first-child)*)"
)
_PART = re.compile(
    r"#(?P<id>[\w-]+)|\.(?P<class>[\w-]+)|:nth-child\((?P<nth>\w+)\)|(?P<first>:first-child)"
)


@dataclass(frozen=True)
class _Compound:
    tag: str
    ids: frozenset[str]
    classes: frozenset[str]
    nth: str
    is_child: bool  # of what the compound before it means

    def matches(self, element: Element) -> bool:
        nth = {"": True, "odd": element.number % 2 == 1, "even": element.number % 2 == 0}
        return (
            self.tag in ("", "*", element.tag)
            and self.ids <= {element.element_id}
            and self.classes <= element.classes
            and nth.get(self.nth, str(element.number) == self.nth)
        )


@dataclass(frozen=True)
class _Rule:
    order: tuple[int, int, int, int]  # weight of its selector, then its number
    selector: tuple[_Compound, ...]
    style: str


WORK = 2_000_000  # how often a rule is held against an element, at most


class Rules:
    """The rules of style sheets, of the simple kinds that tables are styled by; others are left
    out.

    Parameters
    ----------
    sheets
        their text.
    elements
        how many elements will be asked for, about: with very many, only rules for an id count.
    """

    def __init__(self, sheets: Sequence[str], elements: int) -> None:
        self._other_rules = min(200, WORK // (elements + 1))
        self._by_id: dict[str, list[_Rule]] = {}
        self._others: list[_Rule] = []
        number = 0
        for sheet in sheets:
            sheet = re.sub(r"/\*.*?\*/|<!--|-->", "", sheet, flags=re.DOTALL)
            for selectors, style in re.findall(r"([^{}]*)\{([^{}]*)\}", sheet):
                kept = safe_style(style)
                for one in selectors.split(",") if kept else ():
                    selector = _read_selector(one.strip())
                    if selector:
                        number += 1
                        self._add(_Rule((*_weight(selector), number), selector, kept))

    def _add(self, rule: _Rule) -> None:
        ids = rule.selector[-1].ids
        if len(ids) == 1:
            self._by_id.setdefault(next(iter(ids)), []).append(rule)
        elif len(self._others) < self._other_rules:
            self._others.append(rule)

    def style_of(self, path: Sequence[Element], own: str) -> str:
        """Return the style of the last element of a path from the root, `own` coming last."""
        rules = [*self._by_id.get(path[-1].element_id, ()), *self._others]
        found = sorted(
            (rule for rule in rules if _matches(rule.selector, path)), key=lambda rule: rule.order
        )
        return safe_style(";".join([*(rule.style for rule in found), own]))


def _read_selector(text: str) -> tuple[_Compound, ...]:
    """Return a selector's compounds; none where it is not of a simple kind."""
    compounds: list[_Compound] = []
    is_child = False
    for word in re.sub(r"\s*>\s*", " > ", text).split():
        if word == ">":
            is_child = True
            continue
        found = _COMPOUND.fullmatch(word)
        if not found:
            return ()
        parts = list(_PART.finditer(found["rest"]))
        nth = next((part["nth"] or "1" for part in parts if part["nth"] or part["first"]), "")
        ids = frozenset(part["id"] for part in parts if part["id"])
        classes = frozenset(part["class"] for part in parts if part["class"])
        compounds.append(_Compound((found["tag"] or "").lower(), ids, classes, nth, is_child))
        is_child = False
    return tuple(compounds) if len(compounds) <= 8 else ()


def _weight(selector: tuple[_Compound, ...]) -> tuple[int, int, int]:
    return (
        sum(len(one.ids) for one in selector),
        sum(len(one.classes) + bool(one.nth) for one in selector),
        sum(one.tag not in ("", "*") for one in selector),
    )


def _matches(selector: tuple[_Compound, ...], path: Sequence[Element]) -> bool:
    """Return whether a selector means the last element of a path."""
    if not selector[-1].matches(path[-1]):
        return False
    ends = [
        n for n, element in enumerate(path) if selector[0].matches(element)
    ]  # of what has been matched so far
    for compound in selector[1:]:
        if not ends:
            return False
        places = (
            [n + 1 for n in ends if n + 1 < len(path)]
            if compound.is_child
            else range(ends[0] + 1, len(path))
        )
        ends = [n for n in places if compound.matches(path[n])]
    return bool(ends) and ends[-1] == len(path) - 1


def element_of(tag: str, attributes: Mapping[str, str], number: int) -> Element:
    """Return what selectors see of a tag."""
    return Element(
        tag, attributes.get("id", ""), frozenset(attributes.get("class", "").split()), number
    )
