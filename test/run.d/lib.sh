# SPDX-License-Identifier: Apache-2.0
# What the parts of test/run share. Sourced, with the tree's top as the current folder.
# shellcheck shell=bash
set -u
: "${TOP:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${BUILD_ROOT:=$TOP/build}"
: "${JOBS:=$(nproc)}"
# What Debian does not have, from pip: Python modules, and Go.
PYTHON_EXTRA=$TOP/build-python
export PYTHONPATH=$PYTHON_EXTRA${PYTHONPATH:+:$PYTHONPATH}
[ ! -x "$PYTHON_EXTRA/go/bin/go" ] || PATH=$PYTHON_EXTRA/go/bin:$PATH
export TOP BUILD_ROOT JOBS
cd "$TOP" || exit 1

n_failed=0

pass() {
	echo "PASS $1"
}

# fail NAME [TEXT]: the text explains, indented.
fail() {
	echo "FAIL $1"
	[ -n "${2-}" ] && printf '%s\n' "$2" | sed 's/^/    /'
	n_failed=$((n_failed + 1))
}

skip() {
	echo "SKIP $1: $2"
}

# only_full NAME WHAT: says, without --full, what is left out.
only_full() {
	[ -n "${FULL-}" ] || echo "FULL $1: $2"
}

# check NAME COMMAND...: passes when the command does, and returns that; shows the end of its output
# when it does not.
check() {
	local name=$1 text
	shift
	if text=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "$(printf '%s\n' "$text" | tail -n 40)"
		return 1
	fi
}

# configure FOLDER [CMAKE OPTION]...
configure() {
	local folder=$1
	shift
	cmake -S "$TOP" -B "$folder" -G Ninja -DMCKUBE_WERROR=ON "$@"
}

# build NAME FOLDER [CMAKE OPTION]...
build() {
	local name=$1 folder=$2
	shift 2
	check "$name/configure" configure "$folder" "$@" && check "$name/build" ninja -C "$folder" -j "$JOBS"
}

# The C files of the tree.
sources() {
	git ls-files -- '*.c' '*.h' | grep -v '/vmlinux\.h$'
}

# has PROGRAM...: is one missing, its name is printed.
has() {
	local program
	for program; do
		command -v "$program" >/dev/null || { echo "$program" && return 1; }
	done
}

finish() {
	exit $((n_failed > 0))
}
