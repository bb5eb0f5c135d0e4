#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kubectl's completion protocol, and the shells' scripts
. "$(dirname "$0")/lib.sh"

# complete NAME EXPECTED WORD...: the choices without their descriptions, on one line.
complete() {
	name=$1 expected=$2
	shift 2
	is "$name" "$("$MCKUBE" __complete "$@" | cut -f1 | tr '\n' ' ')" "$expected "
}

complete "a command" "plan policies :4" p
complete "no word at all" "plan apply watch status top explain replay migrate drain snapshot doctor uninstall crd manifests policies version completion help :4"
complete "options" "--diff --detailed-exitcode --dry-run --drain --disable-compression :4" plan --d
complete "choices, separate" "table :4" plan -o t
complete "choices, joined" "json :4" plan --output=j
complete "choices of an optional value" "client :4" plan --dry-run=c
complete "no choices behind a bare option" ":4" plan --dry-run c
complete "policies" "spread :4" plan --policy sp
complete "files" ":0" plan --snapshot te
complete "an argument that is a file" ":0" apply pl
complete "no second file" ":4" apply plan.json pl
complete "formats of explain" "text json yaml :4" explain pod/x -o ""
complete "no second pod" ":4" explain pod/x po
complete "topics" "config :4" help conf
complete "shells" "bash :4" completion b
complete "options of every command" "--core-scheduler --core-scheduler-ca --core-scheduler-token-file --config --context --color :4" plan --co
complete "after --" ":0" apply -- --o
complete "an unknown command" ":4" nonsense ""
complete "options before the command" "plan :4" -n x pla
check "descriptions stand behind a tab" -o "^plan$(printf '\t')show what would change" -- __complete pla

mkdir bin && ln -s "$MCKUBE" bin/kubectl_complete-mckube && ln -s "$MCKUBE" bin/kubectl-mckube
is "the helper answers by its name" "$(bin/kubectl_complete-mckube pla | cut -f1 | tr '\n' ' ')" "plan :4 "
mkdir bin2
check "the helper is installed" -o '^bin2/kubectl_complete-mckube -> /' -- completion --install bin2
check "it may be installed twice" -o 'kubectl_complete-mckube' -- completion --install bin2
is "what is installed answers" "$(bin2/kubectl_complete-mckube pla | tail -n 1)" ":4"
mkdir bin4 && ln -s "$PWD/bin/kubectl-mckube" bin4/kubectl_complete-mckube
check "a link by way of another one is the same" -o 'kubectl_complete-mckube' -- completion --install bin4
echo other >bin/occupied && mkdir bin3 && echo x >bin3/kubectl_complete-mckube
check "another file is not replaced" -c 1 -e 'File exists' -- completion --install bin3

for shell in bash zsh fish; do
	check "script for $shell" -o 'kubectl-mckube' -- completion $shell
	if command -v $shell >/dev/null; then
		"$MCKUBE" completion $shell >script
		$shell -n script 2>err
		is "$shell can read its script" "$?$(cat err)" 0
	else
		skip "$shell can read its script" "$shell is not installed"
	fi
done

# Presses TAB in bash: fills COMP_WORDS as bash would and prints the replies.
press() {
	"$MCKUBE" completion bash >script.bash
	PATH=$PWD/bin:$PATH bash -c '
		. ./script.bash
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		compopt() { :; }
		_kubectl_mckube
		printf "%s " "${COMPREPLY[@]}"' bash "$@"
}
is "bash: a command" "$(press kubectl-mckube pla)" "plan "
is "bash: a joined value" "$(press kubectl-mckube plan --output = j)" "json "
is "bash: a value behind a joined one" "$(press kubectl-mckube plan --output = json --dry-run = s)" "server "
is "bash: files" "$(press kubectl-mckube plan --snapshot test/exa)" "test/example "


# Names of a kubeconfig are data: what a shell would run is quoted, what would be a line is left out.
cat >hostile.yaml <<'YAML'
apiVersion: v1
kind: Config
contexts:
- { name: 'prod$(touch x)', context: {} }
- { name: "prod\nplan", context: {} }
- { name: "prod\u001b[2J", context: {} }
YAML
KUBECONFIG=$PWD/hostile.yaml check "names with control characters are left out" -O 'plan|2J' -o '^prod\$\(touch x\)$' -- \
	__complete plan --context ""
is "bash: a context is quoted" "$(KUBECONFIG=$PWD/hostile.yaml press kubectl-mckube plan --context pr)" \
	'prod\$\(touch\ x\) '

if command -v kubectl >/dev/null; then
	export PATH="$PWD/bin:$PATH"
	is "kubectl runs the plugin" "$(kubectl mckube version | head -n 1)" "$("$MCKUBE" version | head -n 1)"
	is "kubectl asks the helper" "$(kubectl __complete mckube pl 2>/dev/null | cut -f1 | tr '\n' ' ')" "plan :4 "
	kubectl mckube plan --foo >out 2>err
	is "kubectl hands the exit code on" "$?" 1
else
	skip "through kubectl" "kubectl is not installed"
fi

# A server that takes requests and does what its argument says: hangs, lies, or sends one page and
# then hangs.
cat >server.py <<'EOF'
import socket, sys, threading
PAGE = (b'{"kind":"NodeList","metadata":{"continue":"x"},"items":[{"metadata":{"name":"first"}}]}')
ANSWERS = {
    "hangs": b"",
    "lies": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nwhatever\n",
    "refuses": b"HTTP/1.1 401 No\r\nWarning: 299 - \"noise\"\r\nContent-Length: 0\r\n\r\n",
    "tires": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE),
}
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def serve(client):
    request = client.recv(65536)
    if b"continue" not in request:
        client.sendall(ANSWERS[sys.argv[1]])
    while client.recv(65536):
        pass
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
EOF

# ask SERVER [WORD]: what completion says with such a server: its words, how it ended, and whether it
# took too long.
ask() {
	mkfifo port
	python3 server.py "$1" >port &
	server=$!
	read -r number <port
	printf '%s\n' "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:$number'}}]" \
		"contexts: [{name: x, context: {cluster: c}}]" "current-context: x" >config
	answer status "${2-node/}"
	kill $server
	rm -f port
}

answer() {
	began=$(date +%s%N)
	text=$(KUBECONFIG=$PWD/config bin/kubectl_complete-mckube "$@" 2>err </dev/null | tr '\n' ' ')
	took=$((($(date +%s%N) - began) / 1000000))
	echo "$text$(cat err)$([ $took -lt 20000 ] || echo " after $took ms")"
}

is "a server that hangs" "$(ask hangs)" ":4 "
is "a server that lies" "$(ask lies)" ":4 "
is "a server that does not know us" "$(ask refuses)" ":4 "
is "a server that tires: what came is offered" "$(ask tires)" "node/first :4 "
is "namespaces" "$(ask tires ns/)" "ns/first :4 "
is "objects of each kind" "$(ask tires "" | tr ' ' '\n' | sort | tr '\n' ' ')" " :4 node/first ns/first pod/first wo/first "

cat >plugin <<'EOF'
#!/bin/sh
echo "noise" >&2
[ -t 0 ] && echo "asks on the terminal" >/dev/tty
exec sleep 30
EOF
chmod +x plugin
cat >config <<EOF
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
users:
- name: u
  user: {exec: {command: ./plugin, apiVersion: client.authentication.k8s.io/v1, interactiveMode: IfAvailable}}
current-context: x
EOF
is "a plugin that hangs" "$(answer status node/)" ":4 "
is "no cluster at all" "$(rm config && answer status node/)" ":4 "
done_testing
