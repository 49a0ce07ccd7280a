"""`exp pull` in plain words, without click: git fetches while Python imports what looks at what came.

Whatever is not plain (help, names, `--where`, abbreviations, an option given twice) is click's.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from git_mlops.cli import quick

if TYPE_CHECKING:
    from git_mlops.experiments.fetching import Coming
    from git_mlops.git.repo import Repo

_FLAGS = {"--all": "everything", "--no-data": "no_data", "--json": "as_json"}


class Options(NamedTuple):
    """What was asked for."""

    everything: bool = False
    no_data: bool = False
    as_json: bool = False
    remote: str | None = None


def pulling(words: Sequence[str]) -> int | None:
    """Run `exp pull` and return the exit code; None: click has to look at it."""
    options = parsed(words)
    if options is None:
        return None
    from git_mlops.git import run

    gc.disable()  # nothing that is imported is garbage
    quick.ahead(_questions)
    begun = Begun()
    try:
        begun.begin(options)  # what is cut off between this and the guard, the next pull looks at
        from git_mlops import ui

        return ui.guard(lambda: _pulled(options, begun))
    finally:
        gc.enable()
        run.forget()


def parsed(words: Sequence[str]) -> Options | None:
    """What was asked for, if it is plain."""
    found: dict[str, bool] = {}
    remote: str | None = None
    rest = iter(words)
    for word in rest:
        name, joined, value = word.partition("=")
        if not joined and name in _FLAGS and _FLAGS[name] not in found:
            found[_FLAGS[name]] = True
        elif name == "--remote" and remote is None:
            remote = value if joined else next(rest, "")
            if not remote or remote.startswith("-"):
                return None
        else:
            return None
    return Options(**found, remote=remote)


def _questions() -> Iterable[Sequence[str]]:
    from git_mlops.experiments import names
    from git_mlops.git import config, refs, remotes

    return refs.question(*names.DECISIVE), config.question(remotes.URLS), config.question(config.PLACED)


class Begun:
    """What happens before there is anything that could show an error."""

    repo: Repo
    fetch: Coming | None = None
    error: BaseException | None = None

    def begin(self, options: Options) -> None:
        """Set git to work, if all that it brings may go straight to its place."""
        from git_mlops.errors import MlopsError
        from git_mlops.experiments import fetching, names
        from git_mlops.git import remotes
        from git_mlops.git.repo import discover

        try:
            self.repo = discover()
            if not options.everything:
                return  # which commits are meant has to be found out before
            source = remotes.chosen(self.repo, options.remote)
            here = fetching.direct(self.repo)
            if here is not None:
                self.fetch = fetching.begun(self.repo, source, [names.PREFIX], here)
        except (MlopsError, OSError, KeyboardInterrupt) as error:  # it is shown as every error is
            self.error = error

    def close(self) -> None:
        """End it, whatever came of it."""
        if self.fetch:
            self.fetch.close()


def _pulled(options: Options, begun: Begun) -> int:
    if begun.error:
        raise begun.error
    with closing(begun):
        return _shown(options, begun.repo, begun.fetch)


def _shown(options: Options, repo: Repo, fetch: Coming | None) -> int:
    from git_mlops.cli import exp_sync_output, opened, sections
    from git_mlops.data.settings import Settings as DataSettings
    from git_mlops.experiments import pulling
    from git_mlops.experiments.settings import Settings

    gc.enable()
    opened.warn_unarmed(repo)
    data = sections.section(repo, "data", DataSettings)
    what = pulling.What((), options.everything, not options.no_data)
    if not options.everything:
        what = what._replace(settings=sections.section(repo, "experiments", Settings))
    done = pulling.pull(repo, what, options.remote, data.remote, fetch=fetch)
    if fetch is None or fetch.along:
        from git_mlops.tracking import share

        share.pull(repo, done.remote)
    return exp_sync_output.pulled(done, as_json=options.as_json, chosen=options.everything)
