#compdef brood
# Completion of brood for zsh. Behind "--" nothing is asked and nothing run: names of commands and files complete there.

_brood() {
	local -i at=${words[(i)--]}
	if ((at < CURRENT)); then
		if ((at + 1 == CURRENT)); then
			_alternative 'commands:command:_path_commands' 'files:file:_files'
		else
			_files
		fi
		return
	fi

	local -a ends ends_about opens opens_about
	local line word about then=''
	for line in "${(@f)$(command brood __complete words "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
		word=${line%%$'\t'*}
		about=${line#*$'\t'}
		[[ $line == *$'\t'* ]] && about="$word  -- $about" || about=$word
		case $word in
		'') ;;
		:*) then=${word#:} ;;
		*[=:]) opens+=("$word") opens_about+=("$about") ;;
		*) ends+=("$word") ends_about+=("$about") ;;
		esac
	done
	(($#ends)) && compadd -l -d ends_about -a ends
	(($#opens)) && compadd -l -S '' -d opens_about -a opens
	case $then in
	files) [[ $PREFIX == --*=* ]] && compset -P '*='; _files ;;
	dirs) [[ $PREFIX == --*=* ]] && compset -P '*='; _files -/ ;;
	command) _alternative 'commands:command:_path_commands' 'files:file:_files' ;;
	esac
	((compstate[nmatches]))
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
	_brood "$@"
else
	compdef _brood brood
fi
