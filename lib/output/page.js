/* Points at a pod: lights all its places up and tells about it below. */
(function () {
	var told = document.getElementById("told");

	function light(pod, on) {
		document.querySelectorAll('[data-pod="' + pod + '"]').forEach(function (e) {
			e.classList.toggle("lit", on);
		});
	}

	function point(event) {
		var at = event.target.closest("[data-pod]");
		var old = document.querySelector(".lit");

		if (old)
			light(old.dataset.pod, false);
		if (at)
			light(at.dataset.pod, true);
		told.textContent = at ? at.title : "";
	}

	document.addEventListener("pointerover", point);
	document.addEventListener("click", point);
})();
