#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A release as krew would install it.
. "$(dirname "$0")/lib.sh"

# version NAME EXPECTED: what the tree at hand, without a commit's digits, is called.
version() {
	is "$1" "$(cmake -D FOLDER="$PWD/tree" -D VERSION=0.1.0 -P "$TOP/cmd/version.cmake" 2>&1 |
		sed -E 's/[0-9a-f]{12}/COMMIT/g')" "$2"
}
mkdir tree && cd tree && git init -q . && git config user.name x && git config user.email x@example.com
echo 1 >file && git add file && git commit -qm one && cd ..
version "without a tag the version is CMake's" "0.1.0 COMMIT"
git -C tree tag v1.2.3
version "with one it is git's" "1.2.3 COMMIT"
echo 2 >tree/file
version "changes that are not committed" "1.2.3-dirty COMMIT-dirty"
git -C tree commit -qam two
version "commits after the tag" "1.2.3-1-gCOMMIT COMMIT"
git -C tree tag other
version "tags of other kinds are none" "1.2.3-1-gCOMMIT COMMIT"

release=$TOP/manifests/krew-release
if ! python3 -c 'import yaml' 2>/dev/null; then
	skip "a release" "no PyYAML"
	done_testing
	exit
fi

archive=$("$release" --pack "$MCKUBE" out)
is "one archive, named after its machine" "$(basename "$archive" | sed 's/amd64\|arm64/ARCH/')" \
	kubectl-mckube-linux-ARCH.tar.gz
is "program and licence are in it" "$(tar -tzf "$archive" | tr '\n' ' ')" "LICENSE kubectl-mckube "
is "owner is root" "$(tar --numeric-owner -tvzf "$archive" | awk '{ print $1, $2 }' | tr '\n' ' ')" \
	"-rw-r--r-- 0/0 -rwxr-xr-x 0/0 "

cp "$archive" before.tar.gz
"$release" --pack "$MCKUBE" out >packed
is "packed again it is the same" "$(cmp "$archive" before.tar.gz && echo same)" same

"$release" v1.2.3 https://releases.example/v1.2.3/ out >mckube.yaml 2>err
is "the entry is one that krew takes" "$? $(cat err)" "0 "
"$release" --check mckube.yaml >out2 2>&1
is "... also when it is checked alone" "$? $(cat out2)" "0 "
field() {
	sed -n "s/^ *-\{0,1\} *$1: *//p" mckube.yaml | tr -d "'\""
}
is "version" "$(field version)" v1.2.3
is "address" "$(field uri)" "https://releases.example/v1.2.3/$(basename "$archive")"
is "checksum" "$(field sha256)" "$(sha256sum "$archive" | cut -d ' ' -f 1)"

# krew: fetch, check, unpack, take the files of the entry, link `bin`.
mkdir store bin && tar -xzf "$archive" -C store
ln -s "$PWD/store/$(field bin)" bin/kubectl-mckube
is "what is unpacked runs" "$(bin/kubectl-mckube version | head -n 1)" \
	"$("$MCKUBE" version | head -n 1)"
is "the licence is ours" "$(cmp store/LICENSE "$TOP/LICENSE" && echo same)" same

cp "$archive" out/kubectl-mckube-plan9-mips.tar.gz
"$release" v1.2.3 https://releases.example out >/dev/null 2>err
is "an archive that the entry has no platform for" "$? $(sed 's/.* has/has/' err)" \
	"1 has no platform for kubectl-mckube-plan9-mips.tar.gz"
echo '#!/bin/sh' >script
"$release" --pack script out >/dev/null 2>err
is "a script is no program to pack" "$? $(cat err)" "1 error: script is no program of Linux"
done_testing
