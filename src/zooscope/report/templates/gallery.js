"use strict";

function choosePanel(event) {
  for (const panel of document.querySelectorAll(".panel")) panel.hidden = panel.id !== event.target.value;
}

document.getElementById("source")?.addEventListener("change", choosePanel);
