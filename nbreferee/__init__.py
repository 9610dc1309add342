"""Grade nbgrader courses: see README.md for what it does and nbreferee.cli for its commands."""

import sys

__version__ = "0.1.0"

# Or jsonschema loads a grammar of internationalised addresses, a second in every process; no notebook has such a field.
sys.modules.setdefault("rfc3987_syntax", None)
