"""How mature the practice is, from evidence: files, refs, verdicts, tags, CI, history."""
