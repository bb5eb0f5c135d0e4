#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# the live view: on a terminal that tmux makes, without one, and how it leaves the terminal
. "$(dirname "$0")/lib.sh"

cluster=$TOP/test/golden/output/top/cluster.yaml

check "without a terminal one listing is printed" -o '^default +brake' -- top --snapshot "$cluster"
check "--once does so anywhere" -O "$(printf '\033')" -- top nodes --snapshot "$cluster" --once
check "cores have no names" -c 1 -e '^error: -o name: cores have no names$' -- \
	top cores -o name --snapshot "$cluster"

if ! command -v tmux >/dev/null; then
	skip "the screen" "tmux is not installed"
	done_testing
	exit
fi

on_tmux() {
	tmux -L "mckube-$$" -f /dev/null "$@"
}
trap 'on_tmux kill-server 2>/dev/null; rm -rf "$scratch"' EXIT

keys() {
	on_tmux send-keys -t top "$@"
}

# Waits for a line that matches, or (with -v) for none.
shows() {
	name=$1
	shift
	for _ in $(seq 300); do
		on_tmux capture-pane -p -t top >screen 2>/dev/null
		if grep -qE "$@" screen; then
			ok "$name"
			return
		fi
		sleep 0.1
	done
	not_ok "$name" "$(cat screen)"
}

shows_no() {
	name=$1
	for _ in $(seq 300); do
		on_tmux capture-pane -p -t top >screen 2>/dev/null
		if ! grep -qE "$2" screen; then
			ok "$name"
			return
		fi
		sleep 0.1
	done
	not_ok "$name" "$(cat screen)"
}

# The shell says how the program ended; the settings of the terminal must be as before.
cat >shell.sh <<END
stty -g >before
n=0
while :; do
	n=\$((n + 1))
	echo "ready to begin"
	read -r _
	"$MCKUBE" top --snapshot "$cluster"
	echo "run \$n ended with \$?"
	stty -g >after
	cmp before after && echo "run \$n: terminal as before"
done
END
on_tmux new-session -d -s top -x 80 -y 24 "sh shell.sh"
on_tmux set-option -t top window-size manual >/dev/null 2>&1
shows "a shell waits" '^ready to begin'
keys Enter
shows "pods are listed" '^brake +edge-1 .* hi +500ms'
shows "keys are named" '^q quit  1 pods  2 nodes  3 cores'
is "80 columns and 24 lines have room for it" "$(awk 'length > 80' screen | wc -l),$(wc -l <screen)" 0,24
keys /
keys video
shows "what is typed is shown" '^/video_'
keys Enter
shows "rows are filtered" "^pods: 1 of 3, .* with 'video'"
shows_no "others are left out" '^brake'
keys Escape
shows "Esc clears the filter" '^brake'
keys 2
shows "nodes are listed" '^NODE +CORES +PODS'
keys 3
shows "cores are listed" '^edge-1 +1 +1 +0.010'
keys 1 s
shows "the next column is sorted by" '^NAME.* P99\*|^pods: 3, by P99'
on_tmux resize-window -t top -x 40 -y 12 2>/dev/null
shows_no "a narrow window leaves out columns" 'OVERRUNS'
shows "and keeps the names" '^brake'
on_tmux resize-window -t top -x 80 -y 24 2>/dev/null
shows "a wide one shows them again" 'OVERRUNS'
keys q
shows "q ends it" '^run 1 ended with 0'
shows "the terminal is as before" '^run 1: terminal as before'
shows_no "nothing of it is left" 'q quit'
n=1
for signal in INT TERM HUP; do
	n=$((n + 1))
	keys Enter
	shows "it begins again ($signal)" 'q quit'
	pid=$(pgrep -P "$(on_tmux list-panes -t top -F '#{pane_pid}')" -x kubectl-mckube)
	kill -s $signal "$pid"
	case $signal in INT) code=130 ;; TERM) code=143 ;; HUP) code=129 ;; esac
	shows "SIG$signal ends it" "^run $n ended with $code"
	shows "the terminal is as before (SIG$signal)" "^run $n: terminal as before"
done
done_testing
