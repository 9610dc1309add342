"""How a cell becomes Python: as IPython does it, but quicker for cells that are Python already."""

from __future__ import annotations

import re

from IPython.core.inputtransformer2 import TransformerManager

# What IPython's own syntax needs: a question mark, one of these signs at the beginning of a line,
# or an assignment of a magic or a command. In a string or a comment it is none.
MAY_BE_SPECIAL = re.compile(r"\?|(?:\A|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])\s*[!%,;/]|=[\s\\]*[%!]")


class Transformer(TransformerManager):
    """Turns cells into Python: plain Python is not taken apart into tokens, which takes time."""

    own_transformers = tuple(TransformerManager().token_transformers)

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # IPython's

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        """Transform what is recognised by its tokens."""
        is_plain = MAY_BE_SPECIAL.search("".join(lines)) is None
        if is_plain and tuple(self.token_transformers) == self.own_transformers:
            return lines
        transformed: list[str] = super().do_token_transforms(lines)  # type: ignore[no-untyped-call]  # IPython's
        return transformed
