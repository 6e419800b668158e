// Keys for the desk. Every key does what a link, a button or a fold of the page does; without this script they are
// there all the same. The page itself names its keys: data-key, with what it does in data-says.
"use strict";
(() => {
  const keyed = () => [...document.querySelectorAll("[data-key]")];
  const rows = () => [...document.querySelectorAll("a[data-row]")];
  const typing = (e) => e.target.closest("textarea, select, input:not([type=checkbox], [type=radio])");

  function press(el) {
    if (el.tagName !== "DETAILS") {
      if (el.tagName === "A") el.focus();
      el.click();
      return;
    }
    for (let d = el.parentElement.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    el.open = true;
    const first = el.querySelector("select[required], input[required], textarea[required]") || el.querySelector("button") || el.querySelector("summary");
    first.focus();
  }

  function step(by) {
    const all = rows();
    if (all.length === 0) return false;
    const at = all.indexOf(document.activeElement);
    all[Math.max(0, Math.min(all.length - 1, at + by))].focus();
    return true;
  }

  function help() {
    const old = document.getElementById("keys");
    if (old) { old.close(); return; }
    const d = document.createElement("dialog");
    d.id = "keys";
    d.setAttribute("aria-label", "Keys of this page");
    const h = document.createElement("h2");
    h.textContent = "Keys of this page";
    const list = document.createElement("dl");
    const say = (key, what) => {
      const row = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd"), k = document.createElement("kbd");
      k.textContent = key;
      dt.append(k);
      dd.textContent = what;
      row.append(dt, dd);
      list.append(row);
    };
    if (rows().length > 0) {
      say("j", "Down the list");
      say("k", "Up the list");
      say("Enter", "Open the case");
    }
    for (const el of keyed()) say(el.dataset.key, el.dataset.says || el.textContent.trim());
    if (document.querySelector("[data-send]")) say("Ctrl Enter", "Send the form that is open");
    say("Esc", "Leave a field, close a fold");
    say("?", "Show or hide the keys");
    const close = document.createElement("button");
    close.textContent = "Close";
    close.addEventListener("click", () => d.close());
    d.append(h, list, close);
    d.addEventListener("close", () => d.remove());
    document.body.append(d);
    d.showModal();
  }

  document.addEventListener("keydown", (e) => {
    const form = e.target.closest("form");
    if (e.key === "Enter" && e.ctrlKey && form) {
      const send = form.querySelector("[data-send]") || form.querySelector("button");
      if (send) { e.preventDefault(); form.requestSubmit(send); }
      return;
    }
    if (e.key === "Escape") {
      const fold = e.target.closest("details[data-key][open]");
      if (fold) { fold.open = false; fold.querySelector("summary").focus(); } else if (typing(e)) e.target.blur();
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || typing(e)) return;
    if (e.key === "?") { e.preventDefault(); help(); return; }
    if (document.getElementById("keys")) return;
    if (rows().length > 0 && (e.key === "j" || e.key === "k") && step(e.key === "j" ? 1 : -1)) { e.preventDefault(); return; }
    const el = keyed().find((x) => x.dataset.key === e.key);
    if (el) { e.preventDefault(); press(el); }
  });

  // A form is sent once.
  document.addEventListener("submit", (e) => {
    if (e.target.dataset.sent) { e.preventDefault(); return; }
    e.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => { for (const f of document.forms) delete f.dataset.sent; });
})();
