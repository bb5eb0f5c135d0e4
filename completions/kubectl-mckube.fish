# Completes kubectl-mckube in fish. 'kubectl mckube' is completed by kubectl itself, through
# kubectl_complete-mckube.

function __kubectl_mckube_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l prefix (string match --regex -- '^-[^=]*=' $current)
    set -l directive 0
    set -l choices

    for line in ($words[1] __complete $words[2..] "$current" 2>/dev/null)
        if string match --quiet --regex '^:[0-9]+$' -- $line
            set directive (string sub --start 2 -- $line)
        else
            set --append choices "$prefix$line"
        end
    end

    if test (count $choices) -gt 0
        printf '%s\n' $choices
    else if test (math "bitand($directive, 4)") -eq 0
        __fish_complete_path (string replace --regex -- '^-[^=]*=' '' $current)
    end
end

complete --command kubectl-mckube --no-files --arguments '(__kubectl_mckube_complete)'
