"""What sets a course up: nbreferee's lines in its configuration, and notebooks to start from."""
