#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# exit codes, and what becomes of output that cannot be written
. "$(dirname "$0")/lib.sh"

check "a plan with changes is 0 by itself" -o '^Plan: ' -- plan --snapshot $SNAPSHOT
check "3 when a pod cannot be placed" -c 3 -o 'cannot be placed' -- \
	plan --snapshot $SNAPSHOT --detailed-exitcode

cat >node.yaml <<'YAML'
apiVersion: v1
kind: Node
metadata: { name: a }
status:
  capacity: { cpu: "2", memory: 1Gi, pods: "10" }
  allocatable: { cpu: "2", memory: 1Gi, pods: "10" }
YAML
cat >pod.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: p
  uid: u1
  labels: { sdv.com: p }
  annotations:
    mckube.io/rt-period: "100000"
    mckube.io/rt-runtime-low: "10000"
    mckube.io/rt-runtime-hi: "10000"
spec:
  schedulerName: mckube
  containers: [{ name: main, image: x }]
status: { phase: Pending }
YAML
check "0 when nothing changes" -o '^Plan: nothing to do.$' -- plan --snapshot node.yaml --detailed-exitcode
check "2 when something changes" -c 2 -o '^Plan: 1 to bind.$' -- \
	plan --snapshot node.yaml -f pod.yaml --detailed-exitcode
echo '{"apiVersion":"v1","kind":"List","items":[]}' >empty.json
check "an empty cluster is fine" -o 'nothing to do' -- plan --snapshot empty.json

check "apply writes the new state" -o '^Applied 1 of 1 actions.$' -- apply --snapshot node.yaml -f pod.yaml --out new.yaml
check "a second pass changes nothing" -o 'nothing to do' -- plan --snapshot new.yaml --detailed-exitcode
check "a plan is saved" -o bind -- plan --snapshot node.yaml -f pod.yaml --out plan.json
check "a saved plan is applied" -o 'Done' -- apply plan.json --snapshot node.yaml -f pod.yaml --out new.yaml
sed 's/uid: u1/uid: u2/' pod.yaml >other.yaml
check "a stale plan is refused, object by object" -c 1 -e '^Pod default/p: uid u1 in the plan, u2 now$' -- \
	apply plan.json --snapshot node.yaml -f other.yaml --out never.yaml
is "a refused plan leaves no file" "$(ls never.yaml* 2>/dev/null)" ""
check "--replan makes a new one" -o 'Done' -e 'uid u1 in the plan' -- \
	apply plan.json --snapshot node.yaml -f other.yaml --out new.yaml --replan
check "plans are compared" -o '^The plans do not differ.$' -- \
	plan --snapshot node.yaml -f pod.yaml --diff plan.json
check "what differs is shown" -o '^- Bind Pod default/p' -- plan --snapshot node.yaml --diff plan.json

"$MCKUBE" plan --snapshot $SNAPSHOT >/dev/full 2>err
is "a full disk is an error" "$?" 1
is "a full disk is named" "$(cat err)" "error: write standard output: No space left on device"
{ "$MCKUBE" plan --snapshot $SNAPSHOT -o html 2>err; echo $? >code; } | :
is "a closed pipe is quiet" "$(cat err)" ""
is "a closed pipe is 141" "$(cat code)" 141

"$MCKUBE" plan --snapshot - <$SNAPSHOT >out 2>err
is "a snapshot from standard input" "$?" 0
"$MCKUBE" apply --snapshot - <node.yaml >out 2>err
is "apply from standard input" "$?" 0
"$MCKUBE" plan --snapshot $SNAPSHOT -o json >one && "$MCKUBE" plan --snapshot $SNAPSHOT -o json >two
is "the same input gives the same bytes" "$(cmp one two)" ""

mkfifo pipe
"$MCKUBE" plan --snapshot pipe >out 2>err &
pid=$!
exec 3>pipe # opens when the program reads
kill -TERM $pid
wait $pid 2>/dev/null
is "SIGTERM is 143" "$?" 143
exec 3>&-
done_testing
