"""How deep YAML nests, asked before it is built: libyaml's loader ends the process on a deep one."""


def too_deep(content: bytes, most: int) -> int | None:
    """The 1-based line where collections nest deeper than `most`, or None. Constant memory, no recursion.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    import yaml

    depth = 0
    for event in yaml.parse(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > most:
                return event.start_mark.line + 1 if event.start_mark else 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None
