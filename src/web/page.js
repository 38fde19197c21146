// Fetches this page again every few seconds and puts the new one in. Without it the page is as whole, and as old.
(() => {
  "use strict";
  const EVERY = 5000, LATE = 20000;
  const fresh = document.getElementById("fresh");
  let since = Date.now(), busy = false;
  const clock = (at) => new Date(at).toLocaleTimeString([], { hour12: false });
  const say = (text, late) => { if (fresh.textContent !== text) { fresh.textContent = text; } fresh.classList.toggle("late", late); };
  const reading = () => {
    const chosen = document.getSelection();
    return (chosen && !chosen.isCollapsed) || document.hidden;
  };
  const turn = async () => {
    if (busy || reading()) { return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(LATE) });
      if (!answer.ok) { throw new Error(String(answer.status)); }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const [now, next] = [document.getElementById("main"), page.getElementById("main")];
      if (next && !reading()) {
        const held = now.contains(document.activeElement) && document.activeElement.getAttribute("href");
        // What was unfolded stays so: rows come at the end, or everything is another page.
        const unfolded = [...now.querySelectorAll("details")].map((part) => part.open);
        [...next.querySelectorAll("details")].forEach((part, place) => { part.open = unfolded[place] ?? false; });
        if (now.innerHTML !== next.innerHTML) {
          now.replaceChildren(...next.childNodes);
          if (held) { [...now.querySelectorAll("a")].find((link) => link.getAttribute("href") === held)?.focus({ preventScroll: true }); }
        }
        since = Date.now();
      }
    } catch { /* Said below, once it has lasted. */ }
    busy = false;
    const late = Date.now() - since > LATE;
    say(late ? `Not reached since ${clock(since)}: what you see is old` : "Refreshes by itself", late);
  };
  say("Refreshes by itself", false);
  setInterval(turn, EVERY);
  document.addEventListener("visibilitychange", turn);
})();
