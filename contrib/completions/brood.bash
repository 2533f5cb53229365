# Completion of brood for bash 4.2 and newer. Behind "--" nothing is asked and nothing run: names of commands and files
# complete there.

_brood_names() { # ACTION WORD: names that the shell itself knows
	local name
	compopt -o filenames 2>/dev/null
	while IFS= read -r name; do
		COMPREPLY+=("$name")
	done < <(compgen -A "$1" -- "$2")
}

_brood() {
	COMPREPLY=()
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			if ((i + 1 == COMP_CWORD)) && [[ ${COMP_WORDS[COMP_CWORD]} != */* ]]; then
				_brood_names command "${COMP_WORDS[COMP_CWORD]}"
			else
				_brood_names file "${COMP_WORDS[COMP_CWORD]}"
			fi
			return
		fi
	done

	# bash takes = : and @ for ends of words, and the @ for a part of the next. What it took for another word stays on the line.
	local line=${COMP_LINE:0:COMP_POINT} kept='' breaks=${COMP_WORDBREAKS//[^=:@]/}
	local cur=${line##*[[:space:]]}
	if [[ -n $breaks && $cur == *["$breaks"]* ]]; then
		kept=${cur%"${cur##*["$breaks"]}"}
		kept=${kept%@}
	fi

	local word about then=''
	while IFS=$'\t' read -r word about; do
		case $word in
		'') ;;
		:*) then=${word#:} ;;
		*) COMPREPLY+=("${word#"$kept"}") ;;
		esac
	done < <(command brood __complete line "$line" 2>/dev/null)
	case $then in
	files) _brood_names file "${cur#"$kept"}" ;;
	dirs) _brood_names directory "${cur#"$kept"}" ;;
	command) _brood_names command "${cur#"$kept"}" ;;
	esac
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:] ]]; then
		compopt -o nospace 2>/dev/null
	fi
}

complete -F _brood brood
