#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# one line that says what is wrong, exit code 1, and how to get help
. "$(dirname "$0")/lib.sh"

see="See 'kubectl mckube plan --help' for usage."
check "unknown command" -c 1 -e '^error: unknown command "pln" .*did you mean plan' -- pln
check "unknown command without a neighbour" -c 1 -e '^error: unknown command "xyzzy" for "kubectl mckube"$' -- xyzzy
check "how to get help, without a command" -c 1 -e "^See 'kubectl mckube --help' for usage.$" -- xyzzy
check "unknown flag" -c 1 -e '^error: unknown flag: --foo$' -- plan --foo
check "how to get help, with a command" -c 1 -e "^$see\$" -- plan --foo
check "unknown letter" -c 1 -e "^error: unknown shorthand flag: 'x' in -x$" -- plan -x
check "flag without its value" -c 1 -e '^error: flag needs an argument: --out$' -- plan --out
check "unknown choice lists the choices" -c 1 -e 'must be one of table\|wide\|json\|yaml\|name\|html$' -- \
	plan -o xml
check "value out of range" -c 1 -e '"-v, --v" flag: must be a whole number from 0 to 10$' -- version -v 11
check "argument too many" -c 1 -e 'unexpected argument "extra"' -- plan extra --snapshot $SNAPSHOT
check "kind and name may be two words" -o 'vehicle/brake' -- explain pod brake -n vehicle --snapshot $SNAPSHOT
check "kind and name of a node" -o 'core 0|^ +0 ' -- status node front --snapshot $SNAPSHOT
check "but not three" -c 1 -e 'unexpected argument' -- explain pod brake extra --snapshot $SNAPSHOT
check "explain needs a pod" -c 1 -e '^error: explain needs an argument: pod/NAME[|]wo/NAME ' -- explain --snapshot $SNAPSHOT
check "explain: a node is no pod" -c 1 -e '^error: "node/front": must be pod/NAME or wo/NAME$' -- \
	explain node/front --snapshot $SNAPSHOT
check "explain: a pod of another namespace" -c 1 -e 'there is one in "vehicle": -n vehicle\)$' -- \
	explain pod/brake --snapshot $SNAPSHOT
check "explain: unknown format" -c 1 -e 'must be one of text\|json\|yaml$' -- \
	explain pod/brake -n vehicle --snapshot $SNAPSHOT -o table
check "no cluster" -c 1 -e '^error: no cluster is configured: set KUBECONFIG' -- plan
check "a difference has one form" -c 1 -e '^error: --diff cannot be used with -o json$' -- \
	plan --snapshot $SNAPSHOT --diff x.json -o json
check "a core scheduler that is not asked" -c 1 -e '^error: --core-scheduler cannot be used without --ask-policy$' -- \
	plan --snapshot $SNAPSHOT --core-scheduler http://127.0.0.1:1
check "what is assumed is not saved" -c 1 -e '^error: --out cannot be used with --drain, --add-node' -- \
	plan --snapshot $SNAPSHOT --drain front --out x.json
check "to drain a node that there is not" -c 1 -e '^error: node "nope" not found$' -- plan --snapshot $SNAPSHOT --drain nope
check "to scale by a word that means nothing" -c 1 -e '^error: --scale: "x=2" must be like deploy/NAME=5$' -- \
	plan --snapshot $SNAPSHOT --scale x=2
check "to scale beyond the bound" -c 1 -e '"99999" is not a number from 0 to 1000$' -- \
	plan --snapshot $SNAPSHOT --scale rs/logger=99999 -n vehicle
check "no such snapshot" -c 1 -e '^error: nothing.yaml: No such file or directory$' -- plan --snapshot nothing.yaml
check "standard input twice" -c 1 -e 'read only once' -- plan --snapshot - -f -
check "standard input as plan and snapshot" -c 1 -e 'read only once' -- apply - --snapshot -
check "standard input as configuration and snapshot" -c 1 -e 'read only once' -- plan --config - --snapshot -
check "watch follows a server" -c 1 -e '^error: --snapshot and --filename cannot be used with watch' -- \
	watch --snapshot $SNAPSHOT
check "watch: an interval that is none" -c 1 -e '^error: --interval: must be at least 1s$' -- \
	watch --interval=1ms
check "watch: a Lease without namespace" -c 1 -e '^error: --lease x: must be NAMESPACE/NAME$' -- \
	watch --lease x --server http://127.0.0.1:1
check "watch: an address that is none" -c 1 \
	-e "^error: --metrics-bind-address: 'x:y' is not unix:/PATH, PORT or HOST:PORT$" -- \
	watch --metrics-bind-address=x:y --server http://127.0.0.1:1

printf 'kind: Node\n\tmetadata: {}\n' >tab.yaml
check "broken YAML names file and line" -c 1 -e '^error: tab.yaml:2: ' -- plan --snapshot tab.yaml
printf '{"kind":"List","items":[' >cut.json
check "broken JSON names the file" -c 1 -e '^error: cut.json' -- plan --snapshot cut.json
printf '{}\n' >empty-plan.json
check "what is no plan is not applied" -c 1 -e '^error: empty-plan.json: ' -- \
	apply empty-plan.json --snapshot $SNAPSHOT

printf 'apiVersion: mckube.io/v1alpha1\nkind: Configuration\nrtCapacty: 1\n' >bad.yaml
check "unknown key of the configuration" -c 1 \
	-e "^error: bad.yaml: unknown key 'rtCapacty' \(did you mean 'rtCapacity'\?\)$" -- \
	plan --snapshot $SNAPSHOT --config bad.yaml
export MCKUBE_CONFIG=bad.yaml
check "the configuration may come from the environment" -c 1 -e 'rtCapacty' -- plan --snapshot $SNAPSHOT
unset MCKUBE_CONFIG
export MCKUBE_RT_CAPACITY=2
check "a bad variable is named" -c 1 \
	-e '^error: environment variable MCKUBE_RT_CAPACITY: must be a number from 0.01 to 1$' -- \
	plan --snapshot $SNAPSHOT
unset MCKUBE_RT_CAPACITY
export MCKUBE_RT_CAPCITY=0.9 MCKUBE_WATCH_SERVICE_HOST=10.0.0.1 MCKUBE_WATCH_PORT_9870_TCP=tcp://10.0.0.1:9870
check "a variable that nothing reads" -e 'environment variable MCKUBE_RT_CAPCITY: not known, did you mean MCKUBE_RT_CAPACITY\?$' \
	-- plan --snapshot $SNAPSHOT
unset MCKUBE_RT_CAPCITY MCKUBE_WATCH_SERVICE_HOST MCKUBE_WATCH_PORT_9870_TCP

check "escape sequences do not get through" -c 1 -e 'unknown flag: --\?\[31m' -- plan "--$(printf '\033')[31m"
check "a folder that cannot take the plan" -c 1 -e '^error: no/such/folder/plan.json: ' -- \
	plan --snapshot $SNAPSHOT --out no/such/folder/plan.json
done_testing
