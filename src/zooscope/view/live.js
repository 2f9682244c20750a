"use strict";

// Loads the page again when the study has grown: not while nobody looks, and not more often than every few seconds. The address
// stays as it is, with whatever stands behind its #.
(() => {
  const settings = { since: "SINCE", pause: 3000 };
  let isDue = false;
  const look = () => {
    if (isDue && !document.hidden && performance.now() > settings.pause) location.reload();
  };
  const events = new EventSource(`events?since=${settings.since}`);
  events.addEventListener("grown", () => {
    isDue = true;
    look();
  });
  window.addEventListener("beforeunload", () => events.close());
  document.addEventListener("visibilitychange", look);
  setInterval(look, 500);
})();
