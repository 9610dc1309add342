"""`python -m nbreferee` is the command `nbreferee`."""

from nbreferee.cli import main

if __name__ == "__main__":
    main(prog_name="nbreferee")
