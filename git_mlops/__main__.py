"""The entry point of `git mlops`: quick answers first, then click."""

import sys


def main() -> None:
    """Run the command line and exit with its documented code."""
    words = sys.argv[1:]
    if words in ([], ["-h"], ["--help"]):
        from git_mlops.cli import overview

        print(overview())  # noqa: T201  # before ui: this answer takes no import
        sys.exit(0)
    if words == ["--version"]:
        from git_mlops import __version__

        print(f"git-mlops {__version__}")  # noqa: T201  # as above
        sys.exit(0)
    from git_mlops.cli.run import run

    sys.exit(run(words))


if __name__ == "__main__":
    main()
