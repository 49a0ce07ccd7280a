"""Rules over the index, the workspace or a range of commits. `RULES` is the whole list."""
