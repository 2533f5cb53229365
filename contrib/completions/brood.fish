# Completion of brood for fish. Behind "--" nothing is asked and nothing run: names of commands and files complete there.

function __brood_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -e words[1]
    if contains -- -- $words
        __fish_complete_path "$current"
        if test "$words[-1]" = --
            __fish_complete_command
        end
        return
    end
    for line in (command brood __complete words $words "$current" 2>/dev/null)
        switch $line
            case :files
                set -l value (string replace -r '^--[a-z-]*=' '' -- "$current")
                set -l flag (string replace -- "$value" '' "$current")
                for path in (__fish_complete_path "$value")
                    echo "$flag$path"
                end
            case :dirs
                __fish_complete_directories "$current"
            case :command
                __fish_complete_command
                __fish_complete_path "$current"
            case ':*'
            case '*'
                echo $line
        end
    end
end

complete -c brood -e
complete -c brood -f -a '(__brood_complete)'
