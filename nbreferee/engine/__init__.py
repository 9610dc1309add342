"""How one notebook is run and judged (`referee`).

`box/`: what runs in the student's process; `tester/`: what runs in the trusted process; `wire/`:
what they send each other."""
