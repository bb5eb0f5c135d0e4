#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# what is drawn where: terminals, files, pages
. "$(dirname "$0")/lib.sh"
export LC_ALL=C.UTF-8

esc=$(printf '\033')
hostile=$TOP/test/golden/output/hostile-text/cluster.yaml

# On a terminal, which script(1) makes; its output is in the file "typed".
on_terminal() {
	script -qec "$*" typed >/dev/null 2>&1
}

check "no colour in a file" -O "$esc" -- plan --snapshot $SNAPSHOT
check "--color=always" -o "$esc\[32m" -- plan --snapshot $SNAPSHOT --color=always
if command -v script >/dev/null; then
	on_terminal "$MCKUBE" plan --snapshot $SNAPSHOT
	is "colour on a terminal" "$(grep -c "$esc\[32m" typed | sed 's/^[1-9][0-9]*$/some/')" some
	NO_COLOR=1 on_terminal "$MCKUBE" plan --snapshot $SNAPSHOT
	is "NO_COLOR" "$(grep -c "$esc" typed)" 0
	NO_COLOR='' on_terminal "$MCKUBE" plan --snapshot $SNAPSHOT
	is "an empty NO_COLOR says nothing" "$(grep -c "$esc\[32m" typed | sed 's/^[1-9][0-9]*$/some/')" some
	TERM=dumb on_terminal "$MCKUBE" plan --snapshot $SNAPSHOT
	is "TERM=dumb" "$(grep -c "$esc" typed)" 0
	on_terminal "$MCKUBE" plan --snapshot $SNAPSHOT --color=never
	is "--color=never" "$(grep -c "$esc" typed)" 0
	printf '{"kind":"Node","metadata":{"name":"a","annotations":{"mckube.io/rt-cores":"\302\2331m"}}}' >c1.json
	on_terminal "$MCKUBE" plan --snapshot c1.json -o json
	is "no C1 code on a terminal, in JSON either" "$(grep -c "$(printf '\302\233')" typed)" 0
else
	skip "terminals" "script(1) is not installed"
fi
check "explain: no colour in a file" -O "$esc" -- explain pod/brake -n vehicle --snapshot $SNAPSHOT
check "explain: --color=always" -o "$esc\[32mIt gets core 2" -- \
	explain pod/brake -n vehicle --snapshot $SNAPSHOT --color=always
check "explain: no escape sequence of the input" -O "$esc" -- explain pod/brake --snapshot "$hostile"
check "-v says what is done" -e '^I[0-9]{4} [0-9:.]{15} +[0-9]+ inputs.c:[0-9]+\] read 3 nodes' -- \
	plan --snapshot $SNAPSHOT -v 1
check "no escape sequence of the input" -O "$esc" -- plan --snapshot "$hostile"
check "no script of the input in the page" -O '<script>alert|<img|</title><' -o '&lt;/title&gt;' -- \
	plan --snapshot "$hostile" -o html
check "the page needs nothing else" -O 'https?:|src=|@import|url\(' -- plan --snapshot $SNAPSHOT -o html
economy=$TOP/test/golden/economy/close-two-nodes
check "the page has cost and power before and after" \
	-o '0.538 → 0.154 \$/h, 54.888 → 19.575 W' -- \
	plan --snapshot "$economy/cluster.yaml" --config "$economy/config.yaml" -o html

"$MCKUBE" plan --snapshot $SNAPSHOT -o html >page.html
cat >page.py <<'PY'
import html.parser, sys

class Page(html.parser.HTMLParser):
    VOID = {"meta", "br", "img", "link", "input", "hr"}
    def __init__(self):
        super().__init__()
        self.open, self.bad = [], []
    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append((tag, self.getpos()))

page = Page()
page.feed(open(sys.argv[1]).read())
print(page.bad + page.open)
PY
if command -v python3 >/dev/null; then
	is "every tag of the page is closed" "$(python3 page.py page.html)" "[]"
fi

"$MCKUBE" __man >page.1
if command -v mandoc >/dev/null; then
	is "the manual page is good roff" "$(mandoc -T lint -W warning page.1)" ""
elif command -v groff >/dev/null; then
	is "the manual page is good roff" "$(groff -man -Tutf8 -ww page.1 2>&1 >/dev/null)" ""
else
	skip "the manual page is good roff" "neither mandoc nor groff is installed"
fi
done_testing
