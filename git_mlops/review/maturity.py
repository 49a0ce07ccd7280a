"""What a range does to the audit's score: read only when it is asked for, as that takes a while."""

import time
from typing import TYPE_CHECKING

from git_mlops import config
from git_mlops.checks.scope import Scope
from git_mlops.config import Config

if TYPE_CHECKING:
    from git_mlops.audit.compare import Delta


def delta(scope: Scope) -> "Delta | None":
    """Both ends of the range audited; None where the range has no beginning."""
    if scope.base is None or scope.tip is None:
        return None
    from git_mlops.audit import compare
    from git_mlops.audit.gather import Reading

    ends = compare.Ends(scope.base, scope.tip, (scope.base[:12], scope.tip[:12]))
    return compare.between(scope.repo, ends, Reading(config.parse, Config()), int(time.time()))[1]
