"""CI: whether a commit is green, and why not."""
