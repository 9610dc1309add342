"""What people read: notebooks without anything that acts in a browser, and without hidden tests."""
