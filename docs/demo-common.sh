# shellcheck shell=sh
# What the tours have in common: `. docs/demo-common.sh` makes a sealed directory $top, and the words they speak in.

top=$(mktemp -d "${TMPDIR:-/tmp}/git-mlops-tour.XXXXXX")
started=$(date +%s)
steps=0 commands=0 claims=0 times='' servers=''
finish() {
    status=$?
    trap - EXIT
    for server in $servers; do kill "$server" 2>/dev/null || true; done
    wait
    if [ "$status" -ne 0 ]; then printf '\nThe tour failed (status %s).\n' "$status" >&2; fi
    if [ -n "${KEEP:-}" ]; then printf 'Kept: %s\n' "$top"; else rm -rf "$top"; fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- sealed: a home of its own, no git configuration of yours, no way to the network -----------------------------
for name in $(env | sed -n 's/^\(\(GIT\|DVC\|MLOPS\|MLFLOW\|XDG\)_[A-Za-z0-9_]*\)=.*/\1/p'); do unset "$name"; done
mkdir "$top/home"
export HOME="$top/home" XDG_CONFIG_HOME="$top/home/.config" XDG_CACHE_HOME="$top/home/.cache"
export GIT_CONFIG_GLOBAL="$top/home/gitconfig" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_EDITOR=false
export DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$top/home/dvc" MLFLOW_DISABLE_TELEMETRY=true PYTHONDONTWRITEBYTECODE=1
export GIT_ALLOW_PROTOCOL=file
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 no_proxy=''
git config --file "$GIT_CONFIG_GLOBAL" user.name 'git-mlops tour'
git config --file "$GIT_CONFIG_GLOBAL" user.email 'tour@example.com'
git config --file "$GIT_CONFIG_GLOBAL" init.defaultBranch main
git config --file "$GIT_CONFIG_GLOBAL" advice.detachedHead false

# --- how the tour tells its story --------------------------------------------------------------------------------
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi

step() { # TITLE: a chapter
    now=$(date +%s)
    times="$times$now "
    steps=$((steps + 1))
    printf '\n%s== %s. %s%s\n' "$bold" "$steps" "$1" "$plain"
}

say() { printf '\n# %s\n' "$*"; } # what the next command does

show() { # WORD...: the command as one would type it
    commands=$((commands + 1))
    printf '%s$' "$bold"
    for word; do
        case $word in
        *[!A-Za-z0-9_./=:@%+,-]* | '') printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '%s\n' "$plain"
}

run() { # WORD...: show it, run it; it must succeed
    show "$@"
    "$@" || fail "status $? of: $*"
}

refused() { # WORD...: show it, run it; it must fail. What it printed is in $top/said
    show "$@"
    if "$@" >"$top/said" 2>&1; then cat "$top/said"; fail "this should have been refused: $*"; fi
    cat "$top/said"
}

go() { show cd "$1"; cd "$1"; }

ok() { # CLAIM WORD...: the command verifies the claim
    claim=$1
    shift
    "$@" >"$top/proof" 2>&1 || { cat "$top/proof"; fail "not true: $claim"; }
    claims=$((claims + 1))
    printf 'ok: %s\n' "$claim"
}

fail() { printf 'tour: %s\n' "$1" >&2; exit 1; }
said() { for words; do grep -qF -- "$words" "$top/said" || { echo "not said: $words"; return 1; }; done; }
same() { [ "$1" = "$2" ] || { printf '%s\nis not\n%s\n' "$1" "$2"; return 1; }; }
lacks() { ! "$@"; }

summary() {
    finished=$(date +%s)
    printf '\n%s== Summary%s\n' "$bold" "$plain"
    printf '%s chapters, %s commands, %s claims verified, none failed\n' "$steps" "$commands" "$claims"
    printf 'seconds per chapter:'
    before=''
    for time in $times $finished; do
        if [ -n "$before" ]; then printf ' %s' "$((time - before))"; fi
        before=$time
    done
    printf '; %s in all\n' "$((finished - started))"
}
