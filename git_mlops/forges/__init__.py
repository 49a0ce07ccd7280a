"""Reports posted to the forge of a pull request: `find` where, `post` what; statuses; issues of alerts."""

from git_mlops.forges import bundle
from git_mlops.forges.client import Pace
from git_mlops.forges.comments import post, pull_request, room
from git_mlops.forges.find import Overrides, find, target
from git_mlops.forges.issues import Kept, Notice, keep_issues
from git_mlops.forges.pulls_open import Draft, Opened, open_pull
from git_mlops.forges.registry import FORGES
from git_mlops.forges.statuses import annotate, state_of, status
from git_mlops.forges.values import Posted, Secret, State, Target

__all__ = [
    "FORGES",
    "Draft",
    "Kept",
    "Notice",
    "Opened",
    "Overrides",
    "Pace",
    "Posted",
    "Secret",
    "State",
    "Target",
    "annotate",
    "bundle",
    "find",
    "keep_issues",
    "open_pull",
    "post",
    "pull_request",
    "room",
    "state_of",
    "status",
    "target",
]
