# SPDX-License-Identifier: Apache-2.0
# What the tests of the program's command line share; they speak TAP. A test file is
#
#	. "$(dirname "$0")/lib.sh"
#	check "unknown flag is named" -c 1 -e '^error: unknown flag: --foo$' -- plan --foo
#	done_testing
#
# check NAME [-c CODE] [-o REGEX] [-O REGEX] [-e REGEX] [--] ARGUMENT...
#	runs the program and compares: exit code (default 0), extended regular expressions that some
#	line of standard output must match (-o) or no line may match (-O), and one for standard error
#	(-e; without it standard error must be empty).
# Every test file runs in an empty folder with test/example in it. The program is $MCKUBE.
# shellcheck shell=sh
set -u

TOP=$(cd "$(dirname "$0")/../.." && pwd)
MCKUBE=${MCKUBE:-$TOP/build/kubectl-mckube}
SNAPSHOT=test/example/cluster.yaml

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/test" && cp -r "$TOP/test/example" "$scratch/test/example"
cd "$scratch" || exit 1

unset MCKUBE_CONFIG NO_COLOR KUBECONFIG KUBERNETES_SERVICE_HOST
export HOME=$scratch
export LC_ALL=C.UTF-8 TERM=xterm
n_tests=0 n_failed=0

ok() {
	n_tests=$((n_tests + 1))
	echo "ok $n_tests - $1"
}

# not_ok NAME [TEXT]
not_ok() {
	n_tests=$((n_tests + 1)) n_failed=$((n_failed + 1))
	echo "not ok $n_tests - $1"
	[ -z "${2-}" ] || printf '%s\n' "$2" | sed 's/^/# /'
}

skip() {
	n_tests=$((n_tests + 1))
	echo "ok $n_tests - $1 # SKIP $2"
}

# is NAME ACTUAL EXPECTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', expected '$3'"; fi
}

# Says what does not hold; nothing when all does.
faults() {
	[ "$code" -eq "$want_code" ] || echo "exit code $code, expected $want_code"
	[ -z "$want_out" ] || grep -qE -e "$want_out" out || echo "no line of the output matches $want_out"
	[ -z "$bad_out" ] || ! grep -qE -e "$bad_out" out || echo "a line of the output matches $bad_out"
	if [ -z "$want_err" ]; then
		[ ! -s err ] || echo "something stands on standard error"
	else
		grep -qE -e "$want_err" err || echo "no line of standard error matches $want_err"
	fi
}

check() {
	name=$1 want_code=0 want_out='' bad_out='' want_err=''
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		-c) want_code=$2 && shift 2 ;;
		-o) want_out=$2 && shift 2 ;;
		-O) bad_out=$2 && shift 2 ;;
		-e) want_err=$2 && shift 2 ;;
		--) shift && break ;;
		*) break ;;
		esac
	done
	"$MCKUBE" "$@" >out 2>err </dev/null
	code=$?
	text=$(faults)
	if [ -z "$text" ]; then
		ok "$name"
	else
		not_ok "$name" "$text
output: $(head -c 1000 out)
errors: $(head -c 1000 err)"
	fi
}

done_testing() {
	echo "1..$n_tests"
	exit $((n_failed > 0))
}
