"""A stage is given under the rules of mlops.yaml, and not otherwise."""

from collections.abc import Callable

import pytest

from git_mlops.errors import MlopsError, NotFoundError
from git_mlops.git.repo import Repo
from git_mlops.git.run import git
from git_mlops.git.trust import Trust
from git_mlops.models import approve, promote, retire
from git_mlops.models.settings import Bound, Settings, Stage
from git_mlops.registry import read
from tests.models.conftest import CONTEXT, Persona, missing, promoted, registered, trained

Listed = Callable[..., Trust]


def holders(repo: Repo) -> dict[str, str | None]:
    return {stage: event.version for stage, event in read.artifact(repo, "m").stages.items()}


def test_without_rules_any_stage_is_given_and_once_only(project: Repo) -> None:
    first = registered(project)
    done = promoted(project, "m", "prod", Settings())
    again = promoted(project, f"m@{first}", "prod", Settings())
    assert (done.before, done.made and done.made.tag, again.made) == (None, "m#prod#1", None)
    assert holders(project) == {"prod": first}


def test_a_stage_that_mlops_yaml_does_not_have_is_no_stage(project: Repo) -> None:
    registered(project)
    rules = Settings(stages={"staging": Stage(), "prod": Stage()}, only={"other*": {"eu": Stage()}})
    with pytest.raises(MlopsError, match=r"mlops\.yaml has no stage `pord` for the model `m`") as error:
        promoted(project, "m", "pord", rules)
    assert error.value.hint == "did you mean `prod`?"
    with pytest.raises(MlopsError, match=r"mlops\.yaml has no stage `pord`"):
        approve.approve(project, "m", "pord", "", CONTEXT._replace(models=rules))
    assert promoted(project, "m", "prod", rules).made is not None


def test_a_stage_asks_for_those_before_it(project: Repo) -> None:
    registered(project)
    rules = Settings(stages={"staging": Stage(), "prod": Stage(after=("staging",))})
    refused = promoted(project, "m", "prod", rules)
    assert (refused.made, missing(refused)) == (None, ["it has not held the stage `staging`"])
    assert refused.refused[0].hint == "`git mlops model promote m@v0.1.0 staging`"
    promoted(project, "m", "staging", rules)
    trained(project, 0.95, "3" * 32)
    registered(project)
    promoted(project, "m", "staging", rules)
    assert promoted(project, "m@v0.1.0", "prod", rules).made is not None, "it has held staging"


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"auc": Bound(min=0.95)}, ["its metric `auc` is 0.9; it must be >= 0.95"]),
        ({"loss": Bound(max=0.05)}, ["its metric `loss` is 0.1; it must be <= 0.05"]),
        ({"f1": Bound(min=0.5, max=1)}, ["its metric `f1` is not recorded; it must be >= 0.5 and <= 1"]),
        ({"auc": Bound(min=0.9), "loss": Bound(min=0, max=0.1)}, []),
    ],
)
def test_a_stage_asks_for_metrics(project: Repo, bounds: dict[str, Bound], said: list[str]) -> None:
    registered(project)
    done = promoted(project, "m", "prod", Settings(stages={"prod": Stage(metrics=bounds)}))
    assert (missing(done), done.made is None) == (said, bool(said))


def test_a_version_may_not_be_worse_than_the_one_that_holds_the_stage(project: Repo) -> None:
    rules = Settings(stages={"prod": Stage(no_worse=("auc", "loss"))})
    registered(project)
    assert promoted(project, "m", "prod", rules).made is not None, "nobody holds it"
    trained(project, 0.895, "3" * 32)
    registered(project)
    refused = promoted(project, "m", "prod", rules)
    assert missing(refused) == [
        "its metric `auc` is worse than that of the version that holds it: 0.895, that of v0.1.0 0.9"
    ]
    assert refused.verdict.checked == ("loss is no worse: 0.105, that of v0.1.0 0.1",)
    trained(project, 0.93, "4" * 32)
    registered(project)
    assert promoted(project, "m", "prod", rules).before == "v0.1.0"
    assert missing(
        promoted(project, "m@v0.1.0", "prod", Settings(stages={"prod": Stage(no_worse=("x",))}))
    ) == ["is more of `x` better, or less?"]


def test_what_was_registered_long_ago_is_too_old(project: Repo) -> None:
    version = registered(project)
    old = read.artifact(project, "m").find(version)
    assert old
    content = project.git("cat-file", "tag", old.event.oid).replace(
        str(old.event.time).encode(), b"1700000000"
    )
    oid = project.text("hash-object", "-t", "tag", "-w", "--stdin", stdin=content)
    project.git("update-ref", f"refs/tags/m@{version}", oid)
    done = promoted(project, "m", "prod", Settings(stages={"prod": Stage(max_age="90d")}))
    assert "days ago; at most 90d are allowed" in missing(done)[0]


def test_the_tag_of_a_stage_says_what_was_asked_and_who_approved(
    project: Repo, persona: Persona, listed: Listed
) -> None:
    persona("ada")
    registered(project)
    persona("bob")
    approve.approve(project, "m", "prod", "looks fine", CONTEXT)
    persona("ada")
    rules = Settings(stages={"prod": Stage(approvals=1, metrics={"auc": Bound(min=0.8)}, signed=True)})
    done = promoted(project, "m", "prod", rules, listed("ada", "bob"))
    assert missing(done) == []
    assert done.made
    said = read.messages(project, [done.made.oid])[done.made.oid]
    approval = read.approvals(project, "m", "v0.1.0")[0]
    assert said.facts == {
        "version": 1, "kind": "assignment", "model": "m", "model_version": "v0.1.0", "stage": "prod",
        "registration": done.version.oid,
        "gate": {"outcome": "pass", "rules": "workspace", "checked": [
            "auc = 0.9 is >= 0.8", "signed by ada@example.com", "approved by bob@example.com"]},
        "approvals": [
            {"who": "bob@example.com", "tag": approval.tag, "oid": approval.oid, "time": approval.time}],
    }  # fmt: skip
    assert said.trailers == (("Mlops-Approved-By", "bob@example.com"),)


def test_only_signatures_of_other_trusted_people_count_and_each_once(
    project: Repo, persona: Persona, listed: Listed
) -> None:
    rules = Settings(stages={"prod": Stage(approvals=2)})
    persona("ada")
    registered(project)
    with pytest.raises(MlopsError, match=r"you registered m v0\.1\.0: somebody else has to approve it"):
        approve.approve(project, "m", "prod", "", CONTEXT)
    again = []
    for name in ("bob", "bob", "eve"):
        persona(name)
        again.append(approve.approve(project, "m", "prod", "", CONTEXT).again)
    assert again == [False, True, False]
    persona("dan")
    approve.approve(project, "m", "staging", "", CONTEXT)
    trust = listed("ada", "bob", "cas", "dan")
    said = missing(promoted(project, "m", "prod", rules, trust))[0]
    assert said.startswith(
        "1 of 2 approvals by other people (eve@example.com: nobody trusted has the key SHA256:"
    )
    persona("bob")  # whoever promotes is nobody else
    assert "0 of 2" in missing(promoted(project, "m", "prod", rules, trust))[0]
    persona("cas")
    approve.approve(project, "m", "prod", "", CONTEXT)
    persona("ada")
    assert missing(promoted(project, "m", "prod", rules, trust)) == []


def test_an_approval_holds_for_that_registration_alone_and_not_for_ever(
    project: Repo, persona: Persona, listed: Listed
) -> None:
    persona("ada")
    registered(project)
    persona("bob")
    done = approve.approve(project, "m", "prod", "", CONTEXT)
    persona("ada")
    trust = listed("ada", "bob")
    rules = Settings(stages={"prod": Stage(approvals=1, approvals_expire="1h")})
    assert missing(promoted(project, "m", "prod", rules, trust)) == []
    old = {"GIT_COMMITTER_DATE": "1700000000 +0000"}
    persona("bob")
    git("tag", "-d", done.made.tag, cwd=project.root)
    git("tag", "-s", "-m", "old", done.made.tag, done.version.oid, cwd=project.root, extra=old)
    persona("ada")
    assert missing(promoted(project, "m", "canary", Settings(), trust)) == []
    refused = promoted(
        project, "m", "prod", Settings(stages={"prod": Stage(approvals=1, approvals_expire="1h")}), trust
    )
    assert missing(refused) == ["0 of 1 approvals by other people (bob@example.com: expired)"]
    git("tag", "-d", "m@v0.1.0", cwd=project.root)
    registered(project, version="v0.1.0", message="another one")
    lasting = Settings(stages={"prod": Stage(approvals=1)})
    assert missing(promoted(project, "m", "prod", lasting, trust)) == [
        "0 of 1 approvals by other people (bob@example.com: of another registration of that version)"
    ]


def test_a_stage_that_asks_for_signatures_asks_them_of_earlier_stages_too(
    project: Repo, persona: Persona, listed: Listed
) -> None:
    persona("ada")
    version = registered(project)
    project.git("tag", "-a", "--no-sign", "-m", "by hand", "m#staging#1", f"m@{version}^{{}}")
    rules = Settings(stages={"staging": Stage(), "prod": Stage(after=("staging",), signed=True)})
    trust = listed("ada")
    assert missing(promoted(project, "m", "prod", rules, trust)) == [
        "that it has held the stage `staging` is signed by nobody trusted"
    ]
    project.git("tag", "-s", "-m", "by hand", "m#staging#2", f"m@{version}^{{}}")
    assert missing(promoted(project, "m", "prod", rules, trust)) == []
    assert missing(promoted(project, "m", "prod", rules, listed("bob")))[-1].startswith(
        "its registration has no good signature: nobody trusted has the key"
    )


def test_who_cannot_sign_cannot_approve(project: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(project)
    with pytest.raises(MlopsError, match="an approval needs your signature") as error:
        approve.approve(project, "m", "prod", "", CONTEXT)
    assert error.value.exit_code == 3


def test_who_is_not_trusted_is_told_that_it_does_not_count(
    project: Repo, persona: Persona, listed: Listed
) -> None:
    registered(project)
    persona("eve")
    context = CONTEXT._replace(trust=lambda: listed("bob"))
    done = approve.approve(project, "m", "prod", "", context)
    assert (done.problem or "").startswith("nobody trusted has the key SHA256:")


def test_a_rollback_goes_back_step_by_step(project: Repo) -> None:
    for number in range(3):
        trained(project, 0.9 + number / 100, str(number + 3) * 32)
        promoted(project, f"m@{registered(project)}", "prod", Settings())
    promoted(project, "m@v0.1.0", "prod", Settings())
    promoted(project, "m@v0.1.2", "prod", Settings())
    assert [promote.rollback(project, "m", "prod").version.version for _ in range(4)] == [
        "v0.1.0",
        "v0.1.2",
        "v0.1.1",
        "v0.1.0",
    ]
    with pytest.raises(
        NotFoundError, match=r"no other version of model `m` held the stage `prod` before v0\.1\.0"
    ):
        promote.rollback(project, "m", "prod")


def test_a_rollback_of_a_version_that_was_promoted_again_goes_to_the_one_it_replaced(project: Repo) -> None:
    for number in range(2):
        trained(project, 0.9 + number / 100, str(number + 3) * 32)
        promoted(project, f"m@{registered(project)}", "prod", Settings())
    promoted(project, "m@v0.1.0", "prod", Settings())
    assert promote.rollback(project, "m", "prod").version.version == "v0.1.1"


def test_a_rollback_passes_over_what_was_taken_back(project: Repo) -> None:
    for number in range(3):
        trained(project, 0.9 + number / 100, str(number + 3) * 32)
        promoted(project, f"m@{registered(project)}", "prod", Settings())
    retire.retire(project, "m@v0.1.1")
    assert promote.rollback(project, "m", "prod").version.version == "v0.1.0"


def test_a_stage_that_is_emptied_stays_empty(project: Repo) -> None:
    for number in range(2):
        trained(project, 0.9 + number / 100, str(number + 3) * 32)
        promoted(project, f"m@{registered(project)}", "prod", Settings())
    done = retire.retire(project, "m#prod")
    assert ([one.tag for one in done.made], holders(project)) == (["m#prod!#3", "m#prod!#4"], {})


def test_a_deprecated_model_gets_no_stage_until_there_is_a_new_version(project: Repo) -> None:
    registered(project)
    retire.retire(project, "m")
    assert missing(promoted(project, "m", "prod", Settings())) == ["the model `m` is deprecated"]
    with pytest.raises(MlopsError, match="deprecated already"):
        retire.retire(project, "m")
    registered(project)
    assert promoted(project, "m", "prod", Settings()).made is not None
    retire.retire(project, "m@v0.1.1")
    with pytest.raises(MlopsError, match=r"v0\.1\.1 was taken back"):
        promoted(project, "m@v0.1.1", "prod", Settings())
