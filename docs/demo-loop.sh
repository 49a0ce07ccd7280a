#!/bin/sh
# The tour of the loop: serve, drift, retrain, pull request, promote, serve. Real data, no network.
#
#   make demo-loop          or, with git-mlops and scikit-learn installed: sh docs/demo-loop.sh
#   KEEP=1 make demo-loop   keeps the directory
#
# Every line that starts with `$` is a command you can type. Every `ok:` was verified; the first claim that does
# not hold ends the tour with status 1. The project is docs/demo-loop/project; the forge is a stand-in on this machine.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=docs/demo-common.sh
. "$here/demo-common.sh"
loop=$here/demo-loop

# the forge is on this machine, and no CI has a say
for name in $(env | sed -n 's/^\(\(CI\|GITHUB\|GITLAB\|GITEA\|FORGEJO\|BITBUCKET\|JENKINS\|CIRCLE\|SYSTEM\|BUILD\|TF\)\(_[A-Za-z0-9_]*\)*\)=.*/\1/p'); do
    unset "$name"
done
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

ends() { # STATUS WORD...: show it, run it; it must end with this status. What it printed is in $top/said
    expected=$1
    shift
    show "$@"
    got=0
    "$@" >"$top/said" 2>&1 || got=$?
    cat "$top/said"
    [ "$got" -eq "$expected" ] || fail "status $got instead of $expected: $*"
}

behind() { # FILE WORD...: show it, start it behind us; what it prints goes to FILE
    said_to=$1
    shift
    show "$@" '&'
    "$@" >"$said_to" 2>&1 &
    servers="$servers $!"
}

until_said() { # FILE TEXT: wait for the line, and print it
    tries=0
    until grep -q -- "$2" "$1" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || { cat "$1"; fail "nothing said: $2"; }
        sleep 0.1
    done
    grep -m 1 -- "$2" "$1"
}

value() { # FILE EXPRESSION: of a JSON document `it`
    python -c 'import json, sys; it = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"
}

holder() { git mlops model show 'progression#prod' --json | python -c 'import json, sys; print(json.load(sys.stdin)["data"]["version"])'; }

cd "$top"
printf '%sA model in production is watched, trained again, proposed and promoted, without a server of ours.%s\n' \
    "$bold" "$plain"
git mlops --version
printf 'Everything happens in %s\n' "$top"

# --- the story ---------------------------------------------------------------------------------------------------
step 'A model in production'
say '442 real patients with diabetes: their measures, and how far it had progressed a year later (from scikit-learn).'
run python "$loop/tables.py" visits
say 'A practice for people under 50 trains on its first 130 patients: how far will it have progressed in a year?'
run git init --quiet progression
go progression
cp -R "$loop/project/." .
mkdir data
cp ../visits/first.csv data/patients.csv
run cat mlops.yaml
run git mlops init
run dvc remote add --quiet --default store ../store
run git mlops add data/patients.csv
run git add --all
run git commit --quiet -m 'Start with 130 patients'
run git mlops exp run -n young -m 'The first patients'
run git add --all
run git commit --quiet -m 'Train on the first patients'
run git init --quiet --bare ../remote.git
run git remote add origin ../remote.git
run git push --quiet --set-upstream origin main
say 'A version is a tag, and so is the stage that it holds.'
run git mlops model register progression
run git mlops model promote progression prod --push

step 'Serve it'
say 'Whoever holds the stage answers, also if that changes. Every request and answer is logged.'
behind "$top/server.txt" git mlops model serve 'progression#prod' --port 0 --poll 0.5
url=$(until_said "$top/server.txt" 'http://' | sed 's#.*\(http://[0-9.:]*\).*#\1#')
printf 'It answers at %s\n' "$url"
say 'Older people come to the practice: 140 patients of 50 years and more, one request each.'
run python "$loop/visits.py" "$url" ../visits/older.csv

step 'It drifts'
logged() { # VERSION: its requests are in the log, which is written every ten seconds
    tries=0
    until ls ".git/mlops/serve/progression/$1/"*.parquet >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "no log of $1"
        sleep 0.1
    done
}
logged v0.1.0
behind "$top/forge-port.txt" python "$loop/forge.py" serve ../forge.json
port=$(until_said "$top/forge-port.txt" '^[0-9]')
say 'The forge is a stand-in for GitHub on this machine. A job of GitHub Actions finds these variables, and so do we.'
run export GITHUB_ACTIONS=true GITHUB_API_URL="http://127.0.0.1:$port" GITHUB_REPOSITORY=practice/progression \
    GITHUB_TOKEN=a-token-of-this-tour
say 'The log against the data of the tag: nothing was set up, and nobody was asked. What is found becomes an issue.'
ends 1 git mlops monitor 'progression#prod' --alert
ok 'they are older than everybody before' said 'leaves 19 to 49 in 100 % of the rows'
run python "$loop/forge.py" list ../forge.json
opened() { value ../forge.json "[(one['title'], one['state']) for one in it['issues']]"; }
ok 'one issue for each rule that found something' same "$(opened)" \
    "[('git-mlops: progression, prod: drift', 'open'), ('git-mlops: progression, prod: values out of range', 'open')]"
say 'A year later it is known how far their disease did progress. The figures join the log by the request.'
ends 1 git mlops monitor 'progression#prod' --labels ../visits/older-a-year-later.csv --key request --json -o ../found.json
ok 'the model errs more than when it was registered' value ../found.json \
    'next(f["message"] for f in it["data"]["findings"] if f["rule"] == "quality")'
cat "$top/proof"
say 'Each run is recorded, and travels with git.'
run git mlops monitor push progression

step 'Train again'
say 'Their records are new data. Nothing says why: the last record of the monitor does.'
run git mlops retrain progression --data data/patients.csv=../visits/first-and-older.csv --dry-run
say 'It is having a bad day: the request that opens the pull request will be done, and its answer will get lost.'
run python "$loop/forge.py" ill lost "$port"
before=$(git rev-parse HEAD)
say 'In a worktree of its own: new data, pipeline, experiment, branch; champion and challenger on the same patients.'
run git mlops retrain progression --data data/patients.csv=../visits/first-and-older.csv --register --pull-request
ok 'one pull request is open' same "$(value ../forge.json '[p["head"]["ref"] for p in it["pulls"]]')" \
    "['retrain/progression-drift']"
ok 'the workspace is as it was' same "$(git rev-parse HEAD) $(git status --porcelain)" "$before "
say 'The job of the next hour does the same, and it changes nothing.'
run git mlops retrain progression --data data/patients.csv=../visits/first-and-older.csv --register --pull-request -o ../again.txt
ok 'still one' same "$(value ../forge.json 'len(it["pulls"])')" 1
say 'What people read there:'
run python "$loop/forge.py" show ../forge.json

step 'People decide'
say 'Merged with plain git. The challenger was registered, with both figures; promoting it is a decision.'
run git fetch --quiet origin
run git merge --quiet --no-ff -m 'Merge the retrained model' origin/retrain/progression-drift
run git push --quiet origin main
run python "$loop/forge.py" merged "$(value ../forge.json 'it["pulls"][0]["number"]')" "$port"
say 'Requests are under way all the time; the server goes on, and looks who holds the stage.'
behind "$top/under-way.txt" python "$loop/visits.py" "$url" ../visits/older.csv --until v0.1.1
asking=$!
run git mlops model promote progression@v0.1.1 prod --push
wait "$asking" || { cat "$top/under-way.txt" "$top/server.txt"; fail 'a request got no answer'; }
cat "$top/under-way.txt"
ok 'production is the new version' same "$(holder)" v0.1.1

step 'Calm'
say 'The newest patients, young and old: 172 whom neither version knows.'
run python "$loop/visits.py" "$url" ../visits/newest.csv
sleep 11 # the log is written every ten seconds
ends 0 git mlops monitor 'progression#prod' --alert
run python "$loop/forge.py" list ../forge.json
ok 'the issues are closed' same "$(value ../forge.json '{one["state"] for one in it["issues"]}')" "{'closed'}"
run git mlops monitor history progression
say 'What is this model, and why is there one?'
show git mlops lineage 'progression#prod' --up
git mlops lineage 'progression#prod' --up >"$top/said"
cat "$top/said"
ok 'the lineage leads from production to what the monitor found' said 'because: the data has drifted'

summary
