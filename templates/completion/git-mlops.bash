# bash completion for `git-mlops …` and, through git's own completion, `git mlops …`

_git_mlops_words() {
    # $1: index of the word being completed; $2…: the words, the first being git-mlops
    local index=$1 line
    shift
    while IFS= read -r line; do
        case $line in
            plain,*) COMPREPLY+=("${line#plain,} ") ;;
            file,* | dir,*) COMPREPLY+=($(compgen -f -- "${@:index+1:1}")) ;;
        esac
    done < <(COMP_WORDS="$*" COMP_CWORD=$index _GIT_MLOPS_COMPLETE=bash_complete git-mlops 2>/dev/null)
}

__git_mlops_alone() {
    COMPREPLY=()
    _git_mlops_words "$COMP_CWORD" git-mlops "${COMP_WORDS[@]:1}"
}

# git's completion calls this one for `git mlops`; __git_cmd_idx (git >= 2.30) says where `mlops` stands
_git_mlops() {
    local at=${__git_cmd_idx:-1}
    COMPREPLY=()
    _git_mlops_words "$((cword - at))" git-mlops "${words[@]:at+1}"
}

complete -o nospace -F __git_mlops_alone git-mlops
