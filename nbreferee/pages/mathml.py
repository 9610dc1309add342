"""Elements of MathML: written anew from what is allowed, and measured."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

_ELEMENTS = set(
    "mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle msub msup msubsup munder mover "
    "munderover mmultiscripts mprescripts none mtable mtr mtd mphantom mpadded merror".split()
)
_LENGTH = re.compile(r"[+-]?\d{0,3}(\.\d{1,4})?(em|ex|px|pt|%|mu)?")
_FLAG = re.compile(r"true|false")
_ATTRIBUTES = {
    "stretchy": _FLAG,
    "fence": _FLAG,
    "separator": _FLAG,
    "symmetric": _FLAG,
    "largeop": _FLAG,
    "movablelimits": _FLAG,
    "accent": _FLAG,
    "accentunder": _FLAG,
    "displaystyle": _FLAG,
    "form": re.compile("prefix|infix|postfix"),
    "scriptlevel": re.compile(r"[+-]?\d"),
    "minsize": _LENGTH,
    "maxsize": _LENGTH,
    "lspace": _LENGTH,
    "rspace": _LENGTH,
    "width": _LENGTH,
    "height": _LENGTH,
    "depth": _LENGTH,
    "linethickness": _LENGTH,
    "mathvariant": re.compile("normal"),
    "columnspan": re.compile(r"\d"),
    "rowspan": re.compile(r"\d"),
}
_BOLD = {"bold", "bold-italic"}
_OPEN = set("([{⟨|‖⌊⌈")
_RELATIONS = set("=≈≠<>≤≥≪≫→←⇒⇔↦∈∝≡∼,;+−-⊗")


def clean(element: ElementTree.Element) -> ElementTree.Element:
    """Return an element, written anew from what is allowed: `math` becomes a row."""
    name = element.tag.rpartition("}")[2]
    new = ElementTree.Element(name if name in _ELEMENTS else "mrow")
    for key, value in element.attrib.items():
        if key in _ATTRIBUTES and _ATTRIBUTES[key].fullmatch(value):
            new.set(key, value)
    new.text = (
        _letters(element.text or "", element.get("mathvariant", "")) if not len(element) else None
    )
    children = [clean(child) for child in element]
    if name in ("msub", "msup", "msubsup") and children and children[0].get("minsize"):
        row = ElementTree.Element("mrow")  # \Bigr)^2: browsers stretch it in a row alone
        row.extend([ElementTree.Element("mspace"), children[0]])
        children[0] = row
    new.extend(children)
    _space_names(children)
    if name == "mtable":
        _align_columns(element, new)
    if name in ("mover", "munder", "munderover") and len(children) > 1:
        _stretch_arrow(new)
    return new


def _align_columns(element: ElementTree.Element, table: ElementTree.Element) -> None:
    """Name the alignment of each cell of a table in its class: browsers do not know `columnalign`
    any longer.
    """
    of_table = element.get("columnalign", "").split()
    for row, new_row in zip(element, table, strict=True):
        of_row = row.get("columnalign", "").split() or of_table
        for number, (cell, new_cell) in enumerate(zip(row, new_row, strict=True)):
            sides = [cell.get("columnalign", ""), *of_row[number : number + 1], *of_row[-1:]]
            side = next((one for one in sides if one), "center")
            if side in ("left", "right"):
                new_cell.set("class", side)


def _letters(text: str, variant: str) -> str:
    """Return letters as their bold twins: browsers do not know `mathvariant` any longer."""
    if variant not in _BOLD:
        return text
    upper, lower, digit = 0x1D400, 0x1D41A, 0x1D7CE
    greek = dict(zip("αβγδεζηθικλμνξοπρςστυφχψω", range(0x1D6C2, 0x1D6DB), strict=True))

    def bold(one: str) -> str:
        if "A" <= one <= "Z":
            return chr(upper + ord(one) - ord("A"))
        if "a" <= one <= "z":
            return chr(lower + ord(one) - ord("a"))
        if "0" <= one <= "9":
            return chr(digit + ord(one) - ord("0"))
        return chr(greek[one]) if one in greek else one

    return "".join(map(bold, text))


def _space_names(children: list[ElementTree.Element]) -> None:
    """Give names of functions, operators of several letters, the spaces of TeX."""
    for number, child in enumerate(children):
        text = child.text or ""
        if child.tag == "mo" and len(text) > 1 and text.isalpha():
            after = children[number + 1] if number + 1 < len(children) else None
            has_bracket = after is None or (after.text or "") in _OPEN
            child.set("lspace", "0.17em" if number and children[number - 1].tag != "mo" else "0")
            child.set("rspace", "0" if has_bracket else "0.17em")
        elif child.tag == "mi" and text == "′":
            child.tag = "mo"


def _stretch_arrow(over: ElementTree.Element) -> None:
    """Let an arrow grow with what stands above it: browsers know no relative `width`."""
    base = over[0]
    arrow = base[0] if base.tag == "mstyle" and len(base) == 1 else base
    if arrow.tag != "mo" or (arrow.text or "") not in "→←⇒⇐↔⇔↦":
        return
    arrow.set("stretchy", "true")
    over.remove(base)
    over.insert(0, arrow)
    for number, above in enumerate(list(over)[1:], 1):
        row = ElementTree.Element("mrow")
        row.extend(
            [
                ElementTree.Element("mspace", width="0.5em"),
                *_without_padding(above),
                ElementTree.Element("mspace", width="0.5em"),
            ]
        )
        over.remove(above)
        over.insert(number, row)


def _without_padding(above: ElementTree.Element) -> list[ElementTree.Element]:
    return [one for one in above if one.tag != "mspace"] if above.tag == "mpadded" else [above]


def width(element: ElementTree.Element) -> float:
    """Return about how many characters stand side by side."""
    widths = [width(child) for child in element]
    if element.tag in ("mfrac", "munder", "mover", "munderover"):
        return max(widths, default=0)
    if element.tag in ("msub", "msup", "msubsup") and widths:
        return widths[0] + 0.7 * max(widths[1:], default=0)
    if element.tag == "mtable":
        rows = [[width(cell) for cell in row] for row in element]
        return sum(
            max(row[n] for row in rows if n < len(row)) + 1.5
            for n in range(max(map(len, rows), default=0))
        )
    own = len((element.text or "").strip())
    return (
        own
        + sum(widths)
        + (0.8 if element.tag == "mo" and own else 0.0)
        + (1.5 if element.tag == "mspace" else 0.0)
    )


def pieces_of(root: ElementTree.Element) -> list[list[ElementTree.Element]]:
    """Return the elements of a row in pieces between which a line may end: after relations, as TeX
    does.
    """
    row = root
    while len(row) == 1 and row[0].tag == "mrow":
        row = row[0]
    pieces: list[list[ElementTree.Element]] = [[]]
    brackets = 0
    for child in row:
        text = (child.text or "").strip()
        brackets += (text in ("(", "[", "{", "⟨")) - (text in (")", "]", "}", "⟩"))
        pieces[-1].append(child)
        if (
            child.tag == "mo"
            and text in _RELATIONS
            and brackets <= 0
            and sum(map(width, pieces[-1])) > 5
        ):
            child.set("form", "infix")
            pieces.append([])
        elif child.tag == "mspace" and len(pieces[-1]) > 1:
            pieces.append([])
    return [piece for piece in pieces if piece]


def inner(element: ElementTree.Element) -> str:
    while (
        len(element) == 1
        and element[0].tag == "mrow"
        and not element.text
        and not element[0].attrib
    ):
        element = element[0]
    return html.escape(element.text or "", quote=False) + "".join(map(write, element))


def write(element: ElementTree.Element) -> str:
    if element.tag == "mrow" and len(element) == 1 and not element.attrib and not element.text:
        return write(element[0])
    attributes = "".join(
        f' {name}="{html.escape(value)}"' for name, value in element.attrib.items()
    )
    return f"<{element.tag}{attributes}>{inner(element)}</{element.tag}>"
