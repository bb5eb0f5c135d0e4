#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kubectl's flag syntax, through the real program
. "$(dirname "$0")/lib.sh"

bind='^pod/brake$'
check "long option, separate value" -o "$bind" -- plan --snapshot $SNAPSHOT --output name
check "long option, joined value" -o "$bind" -- plan --snapshot=$SNAPSHOT --output=name
check "letter, separate value" -o "$bind" -- plan --snapshot $SNAPSHOT -o name
check "letter, attached value" -o "$bind" -- plan --snapshot $SNAPSHOT -oname
check "letter, value behind =" -o "$bind" -- plan --snapshot $SNAPSHOT -o=name
check "letters in a group" -o "$bind" -- plan -ARoname --snapshot $SNAPSHOT
check "bool off" -o "$bind" -- plan -A=false --recursive=F --snapshot $SNAPSHOT -oname
check "options before the command" -o "$bind" -- -n vehicle --color never plan --snapshot $SNAPSHOT -o name
check "options after arguments" -c 1 -e 'no-such-plan.json: No such file' -- \
	apply no-such-plan.json --snapshot $SNAPSHOT
check "-- ends options" -c 1 -e '^error: --snapshot: No such file' -- \
	apply --snapshot $SNAPSHOT -- --snapshot
check "no abbreviations" -c 1 -e 'unknown flag: --snap \(did you mean --snapshot\?\)' -- \
	plan --snap $SNAPSHOT
check "bare --dry-run" -o '^Plan: ' -- plan --dry-run --snapshot $SNAPSHOT
check "--dry-run=client" -o '^Plan: ' -- plan --dry-run=client --snapshot $SNAPSHOT
check "--dry-run takes no separate value" -c 1 -e 'unexpected argument "client"' -- \
	plan --dry-run client --snapshot $SNAPSHOT
check "--dry-run=server needs a server" -c 1 -e 'cannot be used with --snapshot' -- \
	plan --dry-run=server --snapshot $SNAPSHOT
check "another namespace is not listed" -O brake -o '^Plan: ' -- plan --snapshot $SNAPSHOT -n other
check "-A overrides -n" -o brake -- plan --snapshot $SNAPSHOT -n other -A
check "the last one wins" -o "$bind" -- plan --snapshot $SNAPSHOT -o json -o name
check "a policy with its weight" -o "$bind" -- \
	plan --snapshot $SNAPSHOT --policy binpack=3 --policy spread -o name
check "an unknown policy" -c 1 -e 'binpak' -- plan --snapshot $SNAPSHOT --policy binpak
done_testing
