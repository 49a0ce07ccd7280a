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

function __git_mlops_at
    # whether `git` is the command and the words before the cursor number $argv[1]
    set -l words (commandline -opc)
    test "$words[1]" = git; and test (count $words) -eq $argv[1]
end

function __git_mlops_inside
    set -l words (commandline -opc)
    test "$words[1]" = git; and test "$words[2]" = mlops
end

complete -c git-mlops -f -a '(__git_mlops_complete)'
complete -c git -n "__git_mlops_at 1" -a mlops -d 'Git-native MLOps'
complete -c git -n __git_mlops_inside -f -a '(__git_mlops_complete)'
