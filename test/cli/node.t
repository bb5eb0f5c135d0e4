#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mckube-node: help, errors, completion and the manual page
. "$(dirname "$0")/lib.sh"

MCKUBE=${MCKUBE_NODE:-$(dirname "$MCKUBE")/cmd/mckube-node/mckube-node}
if [ ! -x "$MCKUBE" ]; then
	skip "mckube-node" "not built"
	done_testing
fi

# complete NAME EXPECTED WORD...: the choices without their descriptions, on one line.
complete() {
	name=$1 expected=$2
	shift 2
	is "$name" "$("$MCKUBE" __complete "$@" | cut -f1 | tr '\n' ' ')" "$expected "
}

check "without arguments the commands are listed" -o '^  status ' -O '__' --
check "help is the same" -o '^  set-rt ' -- help
check "options of a command have their defaults" -o 'state.json' -O 'default \)' -- run --help
check "an unknown command is an error" -c 1 -e '^error: unknown command "xyzzy" for "mckube-node"$' -- xyzzy
check "with the nearest one" -c 1 -e 'did you mean status\?\)$' -- stats
check "an unknown option is an error" -c 1 -e '^error: unknown flag: --foo$' -- check --foo
check "set-rt needs a container" -c 1 -e '^error: --container: is missing$' -- set-rt

export MCKUBE_CGROUP_ROOT=/nonexistent
check "a container's environment says where the cgroups are" -c 1 -e '^error: cgroup root /nonexistent: ' -- status
unset MCKUBE_CGROUP_ROOT

complete "commands" "status set-rt seccomp :4" s
complete "options of a command and of all" "--static --secure-metrics-bind-address --state-file --sys-root :4" run --s
complete "choices" "json :4" check -o j
complete "backends" "hcbs-max hcbs-multi hcbs-v2 :4" run --backend h
complete "files" ":0" run --static ""
complete "no arguments" ":4" run x

for shell in bash zsh fish; do
	is "the $shell script names the program" "$(grep -c kubectl "$(dirname "$MCKUBE")/mckube-node.$shell")" 0
done
bash -n "$(dirname "$MCKUBE")/mckube-node.bash" && ok "the bash script parses" || not_ok "the bash script parses"
# A helper that writes nothing to the kernel records all the same.
record() {
	mkdir -p tree/cpu/kubepods/podbrake/c0ffee
	"$MCKUBE" run --static test/example/node.yaml --cgroup-root tree --backend noop --poll --node-name front \
		--state-file state.json --history-file history.jsonl >log 2>&1 &
	for _ in $(seq 300); do
		grep -q '"kind":"pod"' history.jsonl 2>/dev/null && break
		kill -0 $! 2>/dev/null || break
		sleep 0.2
	done
	kill $! 2>/dev/null
	wait $!
	"$(dirname "$MCKUBE")/../../kubectl-mckube" replay history.jsonl || cat log
}
if [ "$(id -u)" -eq 0 ]; then
	is "--history-file is what replay reads" "$(record 2>&1 | grep '^vehicle/')" "vehicle/brake"
else
	skip "--history-file is what replay reads" "needs root"
fi
check "the manual page has every command" -o '^\.SS seccomp$' -- __man
check "and its options" -o '^\.B \\-\\-keep\\-while NAMESPACE/NAME$' -- __man
done_testing
