#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# help, and every example that it shows, run in one folder in the order of the help
. "$(dirname "$0")/lib.sh"

check "no command shows the overview" -o '^Commands:$'
check "--help" -o '^Commands:$' -- --help
check "-h of a command" -o '^  kubectl mckube plan ' -- plan -h
check "--version" -o '^kubectl-mckube: [0-9]' -- --version
check "--help beats other mistakes in the arguments" -o '^Usage:$' -- plan x y z --help
check "help COMMAND" -o '^  -o, --output FORMAT' -- help plan
check "help config has every key" -o '^  search.preemptionNodes \(1 to 10000, default 8\)$' -- help config
check "help config has the variables" -o '^      MCKUBE_SEARCH_PREEMPTION_NODES$' -- help config
check "help options" -o '^      --color WHEN' -- help options
check "help metrics" -o '^  mckube_run_status \(gauge\)$' -- help metrics
check "help versions" -o '^Kubernetes: 1.30 and later' -- help versions
check "help exit-codes" -o '^ 143  terminated' -- help exit-codes
check "unknown topic" -c 1 -e 'did you mean config' -- help confg
check "hidden commands are not listed" -O '__' -- help
check "the manual page is made of the same tables" -o '^\.B \\-o, \\-\\-output FORMAT$' -- __man

wide=$("$MCKUBE" help plan | awk 'length > 100')
is "help is at most 100 columns wide" "$wide" ""

commands=$("$MCKUBE" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
mkdir bin && ln -s "$MCKUBE" bin/kubectl-mckube
cat >bin/kubectl <<'SH'
#!/bin/sh
shift
exec kubectl-mckube "$@"
SH
chmod +x bin/kubectl
PATH=$PWD/bin:$PATH
for command in $commands; do
	check "$command has help" -o '^Usage:$' -- help "$command"
	"$MCKUBE" help "$command" | sed -e ':a;/\\$/{N;s/\\\n *//;ba}' |
		sed -n '/^Examples:/,/^[A-Z][a-z ]*options:\|^Options:\|^Usage:/s/^  kubectl/kubectl/p' >examples
	while read -r example; do
		case $example in # the others are for test/integration/test_examples.py
		*'| kubectl '*) continue ;;
		*' --snapshot '* | *' replay'* | *' policies'* | *' version'* | *' completion'* | *' crd'*) ;;
		*' manifests'* | 'source '* | *' | '*) ;;
		*) continue ;;
		esac
		text=$(sh -ec "$example" 2>&1) && ok "example: $example" || not_ok "example: $example" "$text"
	done <examples
done
done_testing
