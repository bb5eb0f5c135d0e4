#compdef kubectl-mckube
# Completes kubectl-mckube in zsh. 'kubectl mckube' is completed by kubectl itself, through
# kubectl_complete-mckube.

_kubectl_mckube()
{
	local directive=0 line
	local -a choices

	while IFS= read -r line; do
		if [[ $line =~ '^:[0-9]+$' ]]; then
			directive=${line#:}
		else
			choices+=("${${line//:/\\:}/$'\t'/:}")
		fi
	done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)

	if (( ${#choices} )); then
		[[ $PREFIX == -*=* ]] && compset -P '*='
		_describe 'choice' choices
	elif (( !(directive & 4) )); then
		[[ $PREFIX == -*=* ]] && compset -P '*='
		_files
	fi
}

if [[ ${funcstack[1]} == _kubectl-mckube ]]; then
	_kubectl_mckube "$@"	# autoloaded from fpath
else
	compdef _kubectl_mckube kubectl-mckube
fi
