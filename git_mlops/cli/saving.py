"""`--save FORMAT=FILE`: what one run found, in as many formats as are wanted."""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple, TypeVar

import click

from git_mlops import ui

F = TypeVar("F", bound=Callable[..., object])


class Saved(NamedTuple):
    """One of them."""

    format: str
    path: str


def save_option(formats: Collection[str]) -> Callable[[F], F]:
    """The option, as the argument `saved`."""

    def parsed(_context: click.Context, _option: click.Parameter, words: Iterable[str]) -> tuple[Saved, ...]:
        found = tuple(Saved(name, path) for name, _, path in (word.partition("=") for word in words))
        for one, word in zip(found, words, strict=True):
            if one.format not in formats or not one.path:
                known = ", ".join(formats)
                raise click.BadParameter(f"`{word}` is not FORMAT=FILE, with one of the formats {known}")
        return found

    return click.option(
        "--save",
        "saved",
        multiple=True,
        metavar="FORMAT=FILE",
        callback=parsed,
        help="Write it to a file as well, in any format (repeatable).",
    )


def save(saved: Iterable[Saved], render: Callable[[str], str]) -> None:
    """Write the files."""
    for one in saved:
        ui.write(render(one.format), one.path)
