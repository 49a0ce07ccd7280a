"""Rules over the index, the workspace or a range of commits; all of them yield `Finding`s."""
