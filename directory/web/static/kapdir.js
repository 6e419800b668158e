// What is nicer with a script: suggestions, results that change in place, a map in step with the list,
// buttons to copy and print. Everything works without, and nothing is asked of anybody else.
(() => {
  const main = document.getElementById("main");
  const quiet = { credentials: "omit", referrerPolicy: "no-referrer" };
  const on = (what, f) => document.addEventListener(what, f);

  // Filters and map stand open on a wide screen.
  const unfold = () => {
    if (matchMedia("(min-width: 60rem)").matches) for (const d of main.querySelectorAll(".filters, .map")) d.open = true;
  };
  unfold();

  // Suggestions for the search box.
  let typing, asked = "", earlier;
  on("input", (e) => {
    const list = document.getElementById("suggestions"), box = e.target;
    if (!list || !box.matches("[data-suggest]")) return;
    clearTimeout(typing);
    typing = setTimeout(async () => {
      const text = box.value.trim();
      if (text.length < 2 || text.length > 200 || text === asked) return;
      asked = text;
      earlier?.abort();
      earlier = new AbortController();
      try {
        const r = await fetch("/api/v1/suggest?lang=" + document.documentElement.lang + "&q=" + encodeURIComponent(text), { ...quiet, signal: earlier.signal });
        if (!r.ok) return;
        const found = (await r.json()).suggestions;
        list.replaceChildren(...found.map((s) => Object.assign(document.createElement("option"), { value: s.text })));
      } catch { /* typed on, or offline: no suggestions */ }
    }, 180);
  });

  // Copy and print.
  for (const b of document.querySelectorAll("[data-copy], [data-print]")) b.hidden = false;
  on("click", async (e) => {
    if (e.target.closest("[data-print]")) print();
    const b = e.target.closest("[data-copy]");
    if (!b) return;
    const field = document.getElementById(b.dataset.copy);
    if (field.select) field.select(); else getSelection().selectAllChildren(field);
    try { await navigator.clipboard.writeText(field.value ?? field.textContent); } catch { document.execCommand("copy"); }
    document.getElementById(b.dataset.copy + "-done").textContent = b.dataset.done;
  });

  // A pin and its card.
  const mark = (e) => {
    const n = e.target.closest?.("[data-n]")?.dataset.n;
    for (const x of main.querySelectorAll("[data-n]")) x.classList.toggle("on", x.dataset.n === n);
  };
  on("mouseover", mark);
  on("focusin", mark);

  // Results in place: the page of the new search is fetched, and what it has in main replaces what is here.
  const form = () => document.getElementById("search");
  if (!form() || !window.AbortController || !history.pushState) return;
  const said = Object.assign(document.createElement("p"), { className: "hidden" });
  said.setAttribute("role", "status");
  document.body.append(said);
  const place = () => location.pathname + location.search;
  let here = place(), stop;

  // keyOf names a control so that its twin on the next page can be found.
  const keyOf = (x) => x.id ? "#" + CSS.escape(x.id) : x.name && x.value ? `[name="${x.name}"][value="${CSS.escape(x.value)}"]` : "";
  const nameOf = (d) => d.classList.contains("group") ? d.firstElementChild.textContent : d.className;

  async function show(url, how) {
    stop?.abort();
    const mine = stop = new AbortController();
    main.setAttribute("aria-busy", "true");
    let page;
    try {
      const r = await fetch(url, { ...quiet, signal: mine.signal });
      if (!r.ok && r.status !== 400) throw r;
      page = new DOMParser().parseFromString(await r.text(), "text/html");
      if (!page.getElementById("search")) throw r;
    } catch {
      if (!mine.signal.aborted) how === "back" ? location.reload() : location.assign(url);
      return;
    }
    if (mine.signal.aborted) return;
    if (how !== "back") {
      history.replaceState({ y: scrollY }, "");
      history.pushState(null, "", url);
    }
    here = place();
    const active = document.activeElement, key = main.contains(active) ? keyOf(active) : "", typed = active.type === "text" ? active.value : null;
    const folds = new Map();
    for (const d of main.querySelectorAll("details")) folds.set(nameOf(d), d.open);
    const lost = main.contains(active);
    main.replaceChildren(...page.getElementById("main").childNodes);
    for (const d of main.querySelectorAll("details")) if (folds.has(nameOf(d))) d.open = folds.get(nameOf(d));
    unfold();
    document.title = page.title;
    const tongues = page.querySelectorAll(".tongue");
    document.querySelectorAll(".tongue").forEach((a, i) => { a.href = tongues[i].getAttribute("href"); });
    main.removeAttribute("aria-busy");

    const head = main.querySelector(".notice, #errors, #results");
    head?.setAttribute("tabindex", "-1");
    const twin = key && how !== "page" && main.querySelector(key);
    if (twin) {
      twin.focus({ preventScroll: true });
      if (typed !== null && how === "filter") twin.value = typed;
    } else if (lost) head?.focus({ preventScroll: true });
    if (how === "back") scrollTo(0, history.state?.y || 0);
    else if (how !== "filter" && head) {
      const top = head.getBoundingClientRect().top;
      if (top < 0 || top > innerHeight * .7) head.scrollIntoView();
    }
    said.textContent = (main.querySelector("#errors h2") || main.querySelector("#results") || head)?.textContent || "";
  }

  const asking = () => {
    const q = new URLSearchParams();
    for (const [k, v] of new FormData(form())) if (v && k + v !== "radius50" && k + v !== "sortrelevance") q.append(k, v);
    const words = q.toString();
    return new URL(form().action).pathname + (words ? "?" + words : "");
  };
  on("submit", (e) => {
    if (e.target !== form()) return;
    e.preventDefault();
    show(asking(), "search");
  });
  let soon;
  on("change", (e) => {
    if (e.target.form !== form() || !e.target.closest(".columns")) return;
    clearTimeout(soon);
    soon = setTimeout(() => show(asking(), "filter"), 250);
  });
  on("click", (e) => {
    const a = e.target.closest("main a[href]");
    if (!a || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const to = new URL(a.href.baseVal ?? a.href, location.href);
    if (to.origin !== location.origin || to.hash || to.pathname !== new URL(form().action).pathname) return;
    e.preventDefault();
    show(to.pathname + to.search, a.closest(".paging") ? "page" : "link");
  });
  addEventListener("popstate", () => { if (place() !== here) show(place(), "back"); });
})();
