#!/bin/sh
# The tour: the whole story of git-mlops on real data, in a temporary directory, without network.
#
#   make demo          or, with git-mlops and scikit-learn installed: sh docs/demo.sh
#   KEEP=1 make demo   keeps the directory
#
# Every line that starts with `$` is a command you can type. Every `ok:` was verified; the first claim that does
# not hold ends the tour with status 1.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=docs/demo-common.sh
. "$here/demo-common.sh"

digest() { python -c 'import hashlib, sys; print(hashlib.md5(open(sys.argv[1], "rb").read()).hexdigest())' "$1"; }
metric() { python -c 'import json, sys; print(json.load(open("metrics.json"))[sys.argv[1]])' "$1"; }
better() { python -c 'import sys; a, b = map(float, sys.argv[1:]); sys.exit(not a > b)' "$1" "$2"; }
experiments() { # the names, sorted, on one line
    git mlops exp list --all --json | python -c '
import json, sys
print(*sorted(experiment["name"] for experiment in json.load(sys.stdin)["data"]))'
}

cd "$top"
printf '%sAny clone of a repository is the whole ML platform, with no server.%s\n' "$bold" "$plain"
git mlops --version
printf 'Everything happens in %s\n' "$top"

# --- the story ---------------------------------------------------------------------------------------------------
step 'A project, from nothing'
say 'A template with real data, a schema, a pipeline, tests and a CI workflow.'
run git mlops new tabular patients
go patients
say 'The data: 569 patients of the Wisconsin breast cancer study, carried by scikit-learn.'
run python src/make_data.py
good=$(digest data/patients.csv)
ok '569 patients, 32 columns' python -c '
import csv
rows = list(csv.reader(open("data/patients.csv")))
assert (len(rows), {len(row) for row in rows}) == (570, {32})'
ok 'the workflow is what mlops.yaml says' git mlops ci generate github --check

step 'Arm it, track the data, commit'
say 'Hooks, diff and merge drivers, DVC: in this repository alone, nothing of yours is touched.'
run git mlops init
say 'Where the data goes when it is pushed. Here a directory; S3, GCS, Azure, SSH and HTTP work the same way.'
run dvc remote add --quiet --default store ../store
say 'The data becomes a small pointer, already staged; the bytes go to the cache.'
run git mlops add data/patients.csv
say 'Code, schema, pipeline and settings are plain files of git.'
run git add --all
say 'The commit hook validates what is staged against schemas/patients.yaml.'
run git commit --quiet -m 'Start with 569 patients'
ok 'git holds the pointer and not the data' same "$(git ls-files data)" data/patients.csv.dvc
ok 'nothing is left to commit' same "$(git status --porcelain)" ''
say 'The pointer: plain DVC.'
run cat data/patients.csv.dvc

step 'Corrupted data is refused'
say 'A careless export: three radii are negative, one diagnosis is empty.'
# shellcheck disable=SC2016  # awk reads the dollars
spoil='BEGIN { FS = OFS = "," } NR > 1 && NR < 5 { $2 = -$2 } NR == 9 { $32 = "" } { print }'
show awk "$spoil" data/patients.csv
awk "$spoil" data/patients.csv >"$top/spoilt.csv"
mv "$top/spoilt.csv" data/patients.csv
ok 'the data is really corrupted' lacks same "$(digest data/patients.csv)" "$good"
run git mlops add data/patients.csv
head=$(git rev-parse HEAD)
say 'The pointer is staged. Committing it fails, and says which column, which check, how many rows and which ones.'
refused git commit -m 'New export'
ok 'nothing was committed' same "$(git rev-parse HEAD)" "$head"
ok 'the column, the check and a bad value were named' said data/patients.csv mean_radius greater_than -17.99
ok 'so was the missing diagnosis' said diagnosis
say 'Mended: the pointer goes back, and the data follows it, as it follows every operation of git.'
run git restore --source=HEAD --staged --worktree data/patients.csv.dvc
ok 'the data is the good data again' same "$(digest data/patients.csv)" "$good"
say 'The same rules as in the hook and in CI, over the whole workspace.'
run git mlops check
ok 'nothing is left to commit' same "$(git status --porcelain)" ''

step 'Two experiments'
say 'The pipeline of dvc.yaml (prepare, train, evaluate). Each run is one commit under refs/exps: code, data, metrics.'
run git mlops exp run -n forest -S train.depth=8 -S train.trees=200 -m 'Deep trees, and many of them'
forest=$(metric log_loss)
forest_metrics=$(cat metrics.json)
run git mlops exp run -n stumps -S train.depth=1 -S train.trees=5 -m 'Or is a handful of stumps enough?'
stumps=$(metric log_loss)
say 'The table, best first; then what differs between the two.'
run git mlops exp list --sort log_loss
run git mlops exp diff stumps forest
ok 'both are recorded' same "$(experiments)" 'forest stumps'
ok 'DVC reads them as its own' same "$(dvc exp list --name-only | sort | tr '\n' ' ')" 'forest stumps '
ok "the forest is better: log loss $forest, the stumps have $stumps" better "$stumps" "$forest"

step 'Take the better one'
say 'The stumps ran last, so the workspace is theirs; now it becomes the forest, model and metrics included.'
model=$(digest models/model.joblib)
run git mlops exp apply forest
ok 'its metrics are in the workspace' same "$(cat metrics.json)" "$forest_metrics"
ok 'its model is, too' lacks same "$(digest models/model.joblib)" "$model"
run git status --short
run git add --all
run git commit --quiet -m 'Train 200 trees of depth 8'
ok 'parameters and metrics are committed' same "$(git show HEAD:metrics.json)" "$forest_metrics"

step 'Share it'
run git init --quiet --bare ../remote.git
run git remote add origin ../remote.git
say 'The pre-push hook uploads the data that the pushed commits need, before git pushes them.'
run git push --quiet --set-upstream origin main
say 'Experiments are pushed when you say so.'
run git mlops exp push --all
ok 'the remote has branch and experiments' same \
    "$(git ls-remote origin 'refs/heads/*' 'refs/exps/*' | wc -l | tr -d ' ')" 3
stored=$(find ../store -type f | wc -l | tr -d ' ')
ok "the data is in the DVC remote ($stored objects)" test -f \
    "../store/files/md5/$(echo "$good" | cut -c1-2)/$(echo "$good" | cut -c3-)"

step 'Elsewhere: one clone is everything'
go ..
say 'The project, its data and its experiments, armed.'
run git mlops clone remote.git elsewhere
mv patients gone # from here on there is only what was shared
go elsewhere
ok 'the data is here, byte for byte' same "$(digest data/patients.csv)" "$good"
run git mlops exp list --all
ok 'the experiments are here' same "$(experiments)" 'forest stumps'
ok 'the model is here' test -s models/model.joblib
ok 'nothing differs from what was pushed' same "$(git status --porcelain)" ''
run git mlops check

step 'A model is a tag'
say 'The version: an annotated tag that says what the model is made of. Then the stage.'
run git mlops model register patients
run git mlops model promote patients prod
ok 'the tags are git, and GTO reads them' same "$(git tag --list | tr '\n' ' ')" 'patients#prod#1 patients@v0.1.0 '
run git mlops lineage patients
git mlops lineage data/patients.csv --down >"$top/said"
ok 'the data leads to the model in production' said 'patients#prod'
say 'Somebody withdraws consent: what came from that data is not promoted any more.'
run git mlops taint data/patients.csv -m 'patient 217 withdrew'
refused git mlops model promote patients canary
ok 'it says why' said 'it came from' 'patient 217 withdrew'
run git mlops taint data/patients.csv --lift -m 'restored without patient 217'

step 'A pull request gets one verdict'
run git switch --quiet --create few-trees
say 'A worse model on a branch; mlops.yaml has gates for its metrics.'
run git mlops exp run -S train.trees=3 -S train.depth=1
run git add --all
run git commit --quiet -m 'Three stumps'
refused git mlops report main...HEAD
ok 'it fails, and says by how much' said 'fail: main...HEAD' 'is worse by'
run git switch --quiet main

step 'Reproduce it there'
say 'Everything the pipeline made is deleted, and computed again from the data on. Any command can be a run.'
run rm -rf data/prepared models metrics.json
run git mlops exp run -n again -- dvc repro --force
run cat metrics.json
ok 'the metrics are the same' same "$(cat metrics.json)" "$forest_metrics"
ok 'so is every file that the pipeline made, byte for byte' git diff --exit-code HEAD -- dvc.lock metrics.json
say "The project's own tests: of data, features and model."
run python -m pytest -q

summary
