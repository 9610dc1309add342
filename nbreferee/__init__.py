"""Grade nbgrader courses: see README.md for what it does and nbreferee.cli for its commands."""

__version__ = "0.1.0"
