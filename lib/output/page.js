/* Search, filter, order, keys, and the pod that is pointed at. Without this the page is complete, but
 * still. */
(function () {
	"use strict";

	var details = byId("details"), search = byId("search"), only = byId("only");
	var changes = byId("changes"), nodeList = byId("nodes"), flat = byId("flat");
	var cards = all("#changes .card").map(item), problems = all(".problems .card").map(item);
	var nodes = all(".node").map(item), groups = all(".group");
	var unfolded = null; /* the nodes that stood open when the search began */

	function byId(id) {
		return document.getElementById(id);
	}

	function all(selector, inside) {
		return Array.prototype.slice.call((inside || document).querySelectorAll(selector));
	}

	/* What is found by its words: an action, a problem, or a node with its pods. */
	function item(e, place) {
		var titles = all("[title]", e).map(function (t) {
			return t.title;
		});

		return {
			e: e,
			place: place,
			group: e.parentNode,
			words: (e.textContent + " " + titles.join(" ")).toLowerCase(),
		};
	}

	/* The pod that is pointed at: all its places, and its details at the bottom. */
	function light(event) {
		var at = event.target.closest("[data-pod]");
		var titled = at && document.querySelector('[data-pod="' + at.dataset.pod + '"][title]');

		all(".lit").forEach(function (e) {
			e.classList.remove("lit");
		});
		if (at)
			all('[data-pod="' + at.dataset.pod + '"]').forEach(function (e) {
				e.classList.add("lit");
			});
		details.textContent = titled ? titled.title : "";
	}

	function query() {
		return search.value.toLowerCase().split(/\s+/).filter(Boolean);
	}

	function has(words, wanted) {
		return wanted.every(function (word) {
			return words.indexOf(word) >= 0;
		});
	}

	/* Hides what does not match; how many do. */
	function show(items, wanted, isChange) {
		return items.filter(function (i) {
			i.e.hidden = !has(i.words, wanted) || !(isChange || i.e.classList.contains("changed"));
			return !i.e.hidden;
		});
	}

	function unfold(found, wanted) {
		if (wanted.length && !unfolded)
			unfolded = nodes.filter(function (n) {
				return n.e.open;
			});
		if (wanted.length && found.length <= 4)
			found.forEach(function (n) {
				n.e.open = true;
			});
		if (!wanted.length && unfolded) {
			nodes.forEach(function (n) {
				n.e.open = unfolded.indexOf(n) >= 0;
			});
			unfolded = null;
		}
	}

	function filter() {
		var wanted = query();
		var shownCards = show(cards, wanted, true), shownNodes = show(nodes, wanted, !only.checked);

		show(problems, wanted, true);
		groups.forEach(function (g) {
			g.hidden = !g.querySelector(".card:not([hidden])");
		});
		unfold(shownNodes, wanted);
		all(".m0 [data-pod]").forEach(function (pod) {
			pod.classList.toggle("found", wanted.length > 0 && has(pod.title.toLowerCase(), wanted));
		});
		document.body.classList.toggle("only", only.checked);
		byId("count").textContent = wanted.length || only.checked ?
			shownCards.length + " of " + cards.length + " changes, " + shownNodes.length + " of " +
			nodes.length + " nodes" : "";
	}

	/* By the attribute data-KEY; equal ones, and all without a key, by their place in the page. */
	function sorted(items, key) {
		return items.slice().sort(function (a, b) {
			var x = a.e.dataset[key] || "", y = b.e.dataset[key] || "";

			if (key === "load")
				return y - x || a.place - b.place;
			return x.localeCompare(y, "en", { numeric: true }) || a.place - b.place;
		});
	}

	function sortChanges() {
		var key = byId("sort-changes").value;

		sorted(cards, key).forEach(function (card) {
			(key ? flat : card.group).appendChild(card.e);
		});
		filter();
	}

	function sortNodes() {
		sorted(nodes, byId("sort-nodes").value).forEach(function (node) {
			nodeList.appendChild(node.e);
		});
	}

	function fold() {
		var shown = all("details:not([hidden])");
		var opens = shown.some(function (d) {
			return !d.open;
		});

		shown.forEach(function (d) {
			d.open = opens;
		});
	}

	/* To the next change, problem or node that is shown, or back. */
	function step(by) {
		var stops = all(".card, .node > summary").filter(function (e) {
			return e.offsetParent;
		});
		var at = stops.indexOf(document.activeElement.closest(".card, .node > summary"));
		var to = stops[at < 0 ? (by > 0 ? 0 : stops.length - 1) : at + by];

		if (!to)
			return;
		to.focus({ preventScroll: true });
		to.scrollIntoView({ block: "nearest" });
	}

	function clear() {
		search.value = "";
		only.checked = false;
		search.blur();
		filter();
	}

	/* A link to a node opens it, and everything around what it names. */
	function follow() {
		var to = byId(location.hash.slice(1)), e;

		for (e = to; e; e = e.parentElement) {
			if (e.hidden)
				clear();
			if (e.tagName === "DETAILS")
				e.open = true;
		}
		if (to)
			to.scrollIntoView();
	}

	var keys = {
		"/": function () { search.focus(); },
		j: function () { step(1); },
		k: function () { step(-1); },
		o: function () { only.checked = !only.checked; filter(); },
		x: fold,
		Escape: clear,
	};

	function press(event) {
		var typing = event.target.matches("input[type=search], select");

		if (event.ctrlKey || event.altKey || event.metaKey || (typing && event.key !== "Escape"))
			return;
		if (!Object.prototype.hasOwnProperty.call(keys, event.key))
			return;
		event.preventDefault();
		keys[event.key]();
	}

	/* Paper cannot be opened. */
	var closed = [];
	function beforePrint() {
		closed = closed.concat(all("details:not([open])"));
		closed.forEach(function (d) {
			d.open = true;
		});
	}

	function afterPrint() {
		closed.forEach(function (d) {
			d.open = false;
		});
		closed = [];
	}

	cards.concat(problems).forEach(function (card) {
		card.e.tabIndex = -1;
	});
	all(".m0 [data-pod]").forEach(function (pod) {
		pod.tabIndex = 0;
	});
	search.addEventListener("input", filter);
	only.addEventListener("change", filter);
	byId("sort-changes").addEventListener("change", sortChanges);
	byId("sort-nodes").addEventListener("change", sortNodes);
	byId("fold").addEventListener("click", fold);
	byId("print").addEventListener("click", function () { window.print(); });
	["pointerover", "click", "focusin"].forEach(function (kind) {
		document.addEventListener(kind, light);
	});
	document.addEventListener("keydown", press);
	window.addEventListener("hashchange", follow);
	window.addEventListener("beforeprint", beforePrint);
	window.addEventListener("afterprint", afterPrint);
	byId("tools").hidden = false;
	filter(); /* what a reload has kept in the fields */
	follow();
})();
