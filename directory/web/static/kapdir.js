// Suggestions for the search box, and filters that stand open on a wide screen. Everything works without.
(() => {
  const filters = document.querySelector("details.filters");
  if (filters && window.matchMedia("(min-width: 60rem)").matches) filters.open = true;
  const input = document.querySelector("[data-suggest]");
  const list = document.getElementById("suggestions");
  if (!input || !list || !window.fetch) return;
  let timer, last = "", stop;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const text = input.value.trim();
      if (text.length < 2 || text === last) return;
      last = text;
      if (stop) stop.abort();
      stop = new AbortController();
      try {
        const r = await fetch("/api/v1/suggest?q=" + encodeURIComponent(text), { signal: stop.signal, credentials: "omit", referrerPolicy: "no-referrer" });
        if (!r.ok) return;
        const found = (await r.json()).suggestions;
        list.replaceChildren(...found.map((s) => {
          const o = document.createElement("option");
          o.value = s.text;
          return o;
        }));
      } catch { /* typed on, or offline: no suggestions */ }
    }, 180);
  });
})();
