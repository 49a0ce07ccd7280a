"""What came from what: data, code, experiments, models, stages, people; and what is tainted by it.

Everything is read from refs, tags and pointers. Nothing is kept beside them that could disagree with them.
"""
