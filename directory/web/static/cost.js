// The sums of the cost page, done in the page: nothing that is typed leaves it. cost.go does the same without JavaScript.
(() => {
  const form = document.getElementById("cost");
  if (!form) return;
  const field = (name) => form.elements.namedItem(name);
  const tidy = (s) => s.replace(/[$,% ]/g, "");
  const count = (s, shape) => (s = tidy(s)) === "" ? 0 : shape.test(s) ? Number(s) : NaN;
  const cents = (s) => {
    if ((s = tidy(s)) === "") return 0;
    if (!/^[0-9]{1,6}(\.[0-9]{1,2})?$/.test(s)) return NaN;
    const [whole, part = ""] = s.split(".");
    const n = Number(whole + (part + "00").slice(0, 2));
    return n <= 10000000 ? n : NaN;
  };
  const money = (c) => {
    const rest = c % 100;
    return "$" + String((c - rest) / 100).replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? "." + String(rest + 100).slice(1) : "");
  };
  const range = (low, high) => low === high ? money(low) : form.dataset.range.replace("{low}", money(low)).replace("{high}", money(high));
  const share = (c, p) => (c * p - (c * p) % 100) / 100;
  const put = (name, text) => {
    const e = document.getElementById("o-" + name);
    if (e && e.textContent !== text) e.textContent = text;
  };
  const read = (name, value) => {
    const bad = Number.isNaN(value);
    if (bad) field(name).setAttribute("aria-invalid", "true"); else field(name).removeAttribute("aria-invalid");
    return bad;
  };
  const add = () => {
    let wrong = false, more = "", low = 0, high = 0, tLow = 0, tHigh = 0;
    for (const row of form.querySelectorAll("[data-row]")) {
      const key = row.dataset.row;
      const n = count(field(key).value, /^[0-9]{1,2}$/);
      let a = cents(field(key + "_low").value), b = cents(field(key + "_high").value);
      const bad = [read(key, n), read(key + "_low", a), read(key + "_high", b)].includes(true);
      if (bad) {
        wrong = true;
        put(key, "–");
        continue;
      }
      if (tidy(field(key + "_low").value + field(key + "_high").value) === "" && n > 0) {
        put(key, form.dataset.unpriced);
        more = " " + form.dataset.plus;
        continue;
      }
      if (tidy(field(key + "_high").value) === "") b = a;
      if (tidy(field(key + "_low").value) === "") a = b;
      if (n === 0) {
        put(key, form.dataset.none);
        continue;
      }
      [a, b] = [Math.min(a, b), Math.max(a, b)];
      put(key, n + " × " + range(a, b) + " = " + range(n * a, n * b));
      low += n * a;
      high += n * b;
      if (row.dataset.therapy) {
        tLow += n * a;
        tHigh += n * b;
      }
    }
    const p = count(field("share").value, /^(100|[0-9]{1,2})$/);
    if (read("share", p) || wrong) {
      for (const name of ["sum", "back", "total"]) put(name, "–");
      return;
    }
    const back = [share(tLow, p), share(tHigh, p)];
    put("sum", range(low, high));
    put("back", p + "% × " + range(tLow, tHigh) + " = " + range(back[0], back[1]));
    put("total", range(low - back[0], high - back[1]) + more);
  };
  form.addEventListener("input", add);
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    add();
    document.getElementById("o-total").focus();
  });
  form.classList.add("live");
  add();
})();
