/* Pointing at a pod highlights all its places and shows its details at the bottom. */
(function () {
	var details = document.getElementById("details");

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
		details.textContent = at ? at.title : "";
	}

	document.addEventListener("pointerover", point);
	document.addEventListener("click", point);
})();
