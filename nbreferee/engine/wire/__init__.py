"""What travels between box and tester, and in which form."""
