"""`exp list` in plain words, without click: its import takes longer than to list a thousand experiments.

Whatever is not plain (help, abbreviations, an option given twice, a value that may be wrong) is click's.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

_FLAGS = {"--all": "everything", "--snapshots": "snapshots"}
_TEXTS = frozenset(("baseline", "where", "since", "pareto", "sort"))
_FORMS = {"--json": "json", "--csv": "csv", "--md": "md"}


def listing(words: Sequence[str]) -> int | None:
    """Run `exp list` and return the exit code; None: click has to look at it."""
    chosen = _parsed(words)
    if chosen is None:
        return None
    from git_mlops.git import run

    ahead(_questions)
    try:
        from git_mlops import ui
        from git_mlops.cli import exp_listing

        options, view = chosen
        return ui.guard(lambda: exp_listing.listed(options, view))
    finally:
        run.forget()


def ahead(questions: Callable[[], Iterable[Sequence[str]]]) -> None:
    """Ask git what it will be asked, while the modules that ask are still being imported.

    Args:
        questions: those besides where this is; called when git is busy with that.
    """
    from git_mlops.git import repo, run

    here = Path.cwd()
    run.ahead(*repo.QUESTIONS, cwd=here)
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
    if top is not None:
        # where this is not what git takes for the top, nobody asks for the answers
        for words in questions():
            run.ahead(*words, cwd=top)


def _questions() -> Iterable[Sequence[str]]:
    from git_mlops.git import config, refs, repo

    return refs.question("refs/exps/"), repo.question("HEAD"), config.question(config.OURS)


def _parsed(words: Sequence[str]) -> tuple[dict[str, object], dict[str, object]] | None:
    """What `Options` and `View` are made of."""
    options: dict[str, object] = {}
    view: dict[str, object] = {}
    rest = iter(words)
    for word in rest:
        name, joined, value = word.partition("=")
        into, key = options, name[2:]
        found: object = None
        if not joined and name in _FLAGS:
            key, found = _FLAGS[name], True
        elif not joined and name in _FORMS:
            into, key, found = view, "form", _FORMS[name]
        elif not joined and name in ("--no-pager", "--only-changed"):
            into, key, found = view, name[2:].replace("-", "_"), True
        elif name[:2] == "--" and (key in _TEXTS or key in ("limit", "columns")):
            found = value if joined else next(rest, "")
            into = view if key == "columns" else options
        if not found or key in into:
            return None
        into[key] = found
    limit = options.get("limit")
    if isinstance(limit, str):
        if not limit.isascii() or not limit.isdigit() or len(limit) > 9 or not int(limit):
            return None
        options["limit"] = int(limit)
    if any(str(text).startswith("-") for text in (*options.values(), *view.values())):
        return None
    view["pager"] = not view.pop("no_pager", False)
    return options, view
