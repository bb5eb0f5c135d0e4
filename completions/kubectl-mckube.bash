# Completes kubectl-mckube in bash. 'kubectl mckube' is completed by kubectl itself, through
# kubectl_complete-mckube.

_kubectl_mckube()
{
	local current=${COMP_WORDS[COMP_CWORD]} directive=0 is_joining=0 word line quoted
	local -a words=()

	# Bash makes '=' a word of its own: "--output=js" arrives as "--output", "=", "js".
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if ((is_joining)) || [[ $word == "=" && ${#words[@]} -gt 0 ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		[[ $word == "=" ]] && is_joining=1 || is_joining=0
	done
	[[ $current == "=" ]] && current=""

	COMPREPLY=()
	while IFS= read -r line; do
		if [[ $line =~ ^:([0-9]+)$ ]]; then
			directive=${BASH_REMATCH[1]}
		elif [[ $line == "$current"* ]]; then
			printf -v quoted %q "${line%%$'\t'*}"
			COMPREPLY+=("$quoted")
		fi
	done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)

	if ((${#COMPREPLY[@]} == 0 && !(directive & 4))); then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -F _kubectl_mckube kubectl-mckube
