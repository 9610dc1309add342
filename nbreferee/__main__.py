"""`python -m nbreferee` is the command `nbreferee`."""

from nbreferee.cli import main

main(prog_name="nbreferee")
