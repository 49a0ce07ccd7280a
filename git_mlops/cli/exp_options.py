"""Options that several commands of `git mlops exp` have."""

import click

name_option = click.option("-n", "--name", metavar="NAME", help="Its name; default: one is made up.")
message_option = click.option("-m", "--message", default="", metavar="MSG", help="A note to keep with it.")
