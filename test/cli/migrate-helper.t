#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mckube-migrate: help, errors, completion and the manual page
. "$(dirname "$0")/lib.sh"

MCKUBE=${MCKUBE_MIGRATE:-$(dirname "$MCKUBE")/cmd/mckube-migrate/mckube-migrate}
if [ ! -x "$MCKUBE" ]; then
	skip "mckube-migrate" "not built"
	done_testing
fi

# complete NAME EXPECTED WORD...: the choices without their descriptions, on one line.
complete() {
	name=$1 expected=$2
	shift 2
	is "$name" "$("$MCKUBE" __complete "$@" | cut -f1 | tr '\n' ' ')" "$expected "
}

check "the help has options with their defaults" -o '^      --pause-limit TIME .*' -- --help
check "and examples" -o '^  mckube-migrate --node-name edge-1' -- -h
check "its version, as a word" -o '^mckube-migrate: [0-9]' -- version
check "and as an option, with what it was built by" -o '^compiler: ' -- --version
check "an unknown option is an error" -c 1 -e '^error: unknown flag: --foo$' -- --foo
check "so is an argument" -c 1 -e '^error: unknown argument "x"$' -- x
check "the node's name is needed" -c 1 -e '^error: --node-name: must be given$' -- --address 192.0.2.1:1
check "and where others reach it" -c 1 -e '^error: --address: must be given$' -- --node-name n

complete "options" "--host-root --help :4" --h
complete "files" ":0" --containerd ""
complete "folders" ":0" --folder=/
complete "no arguments" ":4" ""

for shell in bash zsh fish; do
	is "the $shell script names the program" "$(grep -c kubectl "$(dirname "$MCKUBE")/mckube-migrate.$shell")" 0
done
bash -n "$(dirname "$MCKUBE")/mckube-migrate.bash" && ok "the bash script parses" || not_ok "the bash script parses"
check "the manual page has the options" -o '^\.B \\-\\-pause\\-limit TIME$' -- __man
check "and says what restoring permits" -o '^\.SH SECURITY$' -- __man
done_testing
