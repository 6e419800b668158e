// What a partner's page shows of Kapdir: /partners says how to use it. It keeps nothing, sets no cookie, and asks for our answer alone.
(() => {
	"use strict";
	const me = document.currentScript, set = me ? me.dataset : {}, id = set.embed;
	if (!/^emb_[0-9a-z]{26}$/.test(id || "")) return console.error("Kapdir: data-embed must be the id of an embed, emb_…");
	const WORDS = {
		en: { down: "Kapdir could not be reached, or may not be shown on this page. Nothing is shown past its date.", look: "Look at Kapdir", tab: "opens in a new tab" },
		es: { down: "No se pudo conectar con Kapdir, o no puede mostrarse en esta página. No se muestra nada después de su fecha.", look: "Ver en Kapdir", tab: "se abre en otra pestaña" },
	};
	const at = new URL("embed/" + id + ".json", me.src), home = new URL("./", me.src).href;
	if (WORDS[set.lang]) at.search = "?lang=" + set.lang;
	let words = WORDS[set.lang] || WORDS.en, theme = set.theme, answer, base, tick0, date0, checks = [], timer, fails = 0, asking;

	// Ours is the clock: as of the answer, and on by whichever clock of the reader's ran further. One of them stands while a machine sleeps.
	const now = () => base + Math.max(performance.now() - tick0, Date.now() - date0);

	// The root is open: whoever runs the page can look into it anyhow, and who tests it for accessibility should.
	const host = document.createElement("div"), root = host.attachShadow({ mode: "open" });
	host.className = "kapdir-embed";
	const sheet = new CSSStyleSheet();
	// An accent that could not be read on our ground is not taken.
	const light = (hex) => [.2126, .7152, .0722].reduce((sum, w, i) => {
		const c = parseInt(hex.substr(1 + 2 * i, 2), 16) / 255;
		return sum + w * (c > .04045 ? ((c + .055) / 1.055) ** 2.4 : c / 12.92);
	}, .05);
	const reads = (a, b) => Math.max(light(a), light(b)) / Math.min(light(a), light(b)) >= 4.5;
	const own = /^#[0-9a-f]{6}$/i.test(set.accent || "") ? (reads(set.accent, "#ffffff") ? "--kapdir-accent:" + set.accent + ";" : "") + (reads(set.accent, "#192123") ? "--kapdir-accent-dark:" + set.accent : "") : "";
	sheet.replaceSync(/*CSS*/"" + ":host{" + own + "}");
	root.adoptedStyleSheets = [sheet];

	const el = (tag, name, ...kids) => {
		const e = document.createElement(tag);
		if (name) { e.className = name; e.setAttribute("part", name.split(" ")[0]); }
		e.append(...kids.filter(Boolean));
		return e;
	};
	const link = (text, href) => {
		const a = el("a", "link", text, el("span", "away", " (" + words.tab + ")"));
		a.href = href; a.target = "_blank"; a.rel = "noopener noreferrer"; a.referrerPolicy = "no-referrer";
		return a;
	};
	const box = el("section", "ke"), status = el("p", "status");
	status.setAttribute("role", "status");
	const dress = () => {
		box.className = "ke " + (["light", "dark"].includes(theme) ? theme : "auto");
		box.lang = answer ? answer.language : set.lang || "en";
	};
	const place = () => {
		if (host.isConnected) return;
		const old = me.previousElementSibling;
		if (old && old.dataset.kapdir === id) old.remove();
		me.after(host);
	};
	root.append(box);

	const check = (c, whole, page) => {
		const li = el("li", "check " + c.tone, el("p", "line", el("strong", "name", c.title), " ", el("span", "tag", c.label)));
		if (whole || c.say) li.append(el("p", "sentence", c.sentence));
		const from = c.from.flatMap((s, i) => [i ? "; " : "", whole && s.url ? link(s.words, s.url) : s.words]);
		li.append(el("small", "note", ...from, from.length ? ". " : "", c.dated));
		if (c.valid_until) checks.push([Date.parse(c.valid_until), () => {
			li.className = "check care";
			li.replaceChildren(el("p", "line", el("strong", "name", c.title), " ", el("span", "tag", words.out)), el("p", "sentence", link(words.again, page)));
		}]);
		return li;
	};
	const draw = () => {
		const focus = root.activeElement && root.activeElement.href, a = answer, title = el("h2", "title", a.title), whole = a.kind === "provider";
		title.id = "t";
		box.setAttribute("aria-labelledby", "t");
		checks = [];
		dress();
		const list = a.providers.map((p) => el(whole ? "div" : "li", "provider", el("h3", "who", link(p.name, p.url)), p.about && el("p", "soft about", p.about),
			el("ul", "checks", ...p.checks.map((c) => check(c, whole, p.url)))));
		const notice = (a.notice || []).map((n) => { const p = el("p", "notice", n.text); p.lang = n.language; return p; });
		box.replaceChildren(title, ...(a.demo ? [el("p", "soft demo", a.demo)] : []), ...notice, ...(whole ? list : [el("p", "count", a.found), el("ol", "people", ...list)]), status,
			el("p", "soft more", link(words.look, a.url)), el("p", "soft terms", a.dated, " ", a.ranking ? a.ranking + " " : "", a.terms));
		if (focus) for (const e of box.querySelectorAll("a")) if (e.href === focus) { e.focus({ preventScroll: true }); break; }
	};
	const say = (text) => { if (status.textContent !== text) status.textContent = text; };

	const plan = (wait) => {
		clearTimeout(timer);
		const next = Math.min(...checks.map((c) => c[0] - now()), wait, 3e5);
		timer = setTimeout(look, Math.max(0, next) + 50);
	};
	// What has passed its date is taken away at that moment, without a question; then we ask.
	const look = () => {
		if (asking || !host.isConnected) return;
		clearTimeout(timer);
		const t = now(), held = checks.length;
		checks = checks.filter(([until, fall]) => until > t || fall());
		const fell = checks.length < held;
		if (fell) say(words.fell);
		if (fell) timer = setTimeout(ask, 3e3 * Math.random()); // not all pages in one moment
		else if (!answer || fails || !document.hidden && now() - base > 6e4) ask();
		else plan(3e5);
	};
	const down = () => {
		fails++;
		if (!answer) {
			dress();
			box.replaceChildren(status, el("p", "soft more", link(words.look, home)));
		}
		say(words.down);
		place();
		plan(Math.min(3e5, 5e3 * 2 ** fails));
	};
	const ask = async () => {
		asking = true;
		let r, said;
		try {
			r = await fetch(at, { mode: "cors", credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", signal: AbortSignal.timeout(1e4) });
			said = await r.json();
		} catch { said = null; }
		asking = false;
		if (said && r.status === 410) {
			answer = null; checks = []; fails = 0;
			dress();
			box.replaceChildren(el("h2", "title", said.title), el("p", "detail", said.detail), el("p", "soft more", link(words.look, home)));
			place();
		} else if (said && r.ok) {
			fails = 0; answer = said; words = { ...words, ...said.words };
			base = Date.parse(said.as_of) + 1e3 * (+r.headers.get("Age") || 0); tick0 = performance.now(); date0 = Date.now();
			theme = set.theme || said.theme;
			status.textContent = "";
			draw();
			place();
			plan(3e5);
		} else down();
	};
	const back = () => { if (!document.hidden) look(); };
	document.addEventListener("visibilitychange", back);
	addEventListener("pageshow", back);
	base = 0; tick0 = performance.now(); date0 = Date.now();
	ask();
})();
