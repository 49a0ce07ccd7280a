#compdef git-mlops
# zsh completion for `git-mlops …` and, through git's own completion, `git mlops …`

_git-mlops() {
    local -a names
    local line files=
    while IFS= read -r line; do
        case $line in
            plain,*) names+=("${line#plain,}") ;;
            file,* | dir,*) files=1 ;;
        esac
    done < <(COMP_WORDS="git-mlops ${words[2,-1]}" COMP_CWORD=$((CURRENT - 1)) \
        _GIT_MLOPS_COMPLETE=bash_complete git-mlops 2>/dev/null)
    [[ -n $files ]] && _files
    (( ${#names} )) && compadd -a names
}

zstyle ':completion:*:*:git:*' user-commands mlops:'git-native MLOps'
(( $+functions[compdef] )) && compdef _git-mlops git-mlops
