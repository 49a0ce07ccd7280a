# fish completion for `git-mlops …` and `git mlops …`

function __git_mlops_complete
    set -l words (commandline -opc)
    # `git mlops x` becomes `git-mlops x`
    if test "$words[1]" = git
        set words git-mlops $words[3..-1]
    end
    set -l current (commandline -ct)
    for line in (env COMP_WORDS="$words $current" COMP_CWORD=(count $words) \
            _GIT_MLOPS_COMPLETE=bash_complete git-mlops 2>/dev/null)
        switch $line
            case 'plain,*'
                string replace 'plain,' '' -- $line
            case 'file,*' 'dir,*'
                __fish_complete_path $current
        end
    end
end

complete -c git-mlops -f -a '(__git_mlops_complete)'
complete -c git -n __fish_git_needs_command -a mlops -d 'Git-native MLOps'
complete -c git -n '__fish_git_using_command mlops' -f -a '(__git_mlops_complete)'
