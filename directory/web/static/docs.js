// What is tried in the reference is answered beneath the form; without this the form leads to the answer by itself.
(() => {
  const key = document.getElementById("docs-key");
  if (!key) return;
  key.closest("p").hidden = false;
  const most = 200000;
  const tell = ["Content-Type", "ETag", "Cache-Control", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "Location"];
  for (const form of document.querySelectorAll("form.docs-try")) {
    const box = form.querySelector(".docs-answer");
    const [line, failed, large] = box.querySelectorAll("p");
    const out = box.querySelector("pre");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      let path = form.dataset.path;
      const query = new URLSearchParams();
      for (const [name, value] of new FormData(form)) {
        if (name === "operation" || value === "") continue;
        if (path.includes("{" + name + "}")) path = path.replace("{" + name + "}", encodeURIComponent(value));
        else query.append(name, value);
      }
      const address = path + (String(query) ? "?" + query : "");
      box.hidden = false;
      failed.hidden = large.hidden = true;
      out.textContent = "";
      line.textContent = "GET " + address;
      const headers = key.value.trim() ? { Authorization: "Bearer " + key.value.trim() } : {};
      const begun = performance.now();
      try {
        const answer = await fetch(address, { headers, cache: "no-store", credentials: "omit" });
        line.textContent = answer.status + " " + answer.statusText + " · " + Math.round(performance.now() - begun) + " ms · " + address;
        const head = tell.filter((n) => answer.headers.has(n)).map((n) => n + ": " + answer.headers.get(n)).join("\n");
        const kind = answer.headers.get("Content-Type") || "";
        let body = "";
        if (/gzip/.test(kind) || Number(answer.headers.get("Content-Length")) > 20 * most) {
          large.hidden = false;
          answer.body && answer.body.cancel();
        } else {
          body = await answer.text();
          if (/json/.test(kind)) body = JSON.stringify(JSON.parse(body), null, 2);
          if (body.length > most) {
            body = body.slice(0, most);
            large.hidden = false;
          }
        }
        out.textContent = head + "\n\n" + body;
      } catch {
        failed.hidden = false;
      }
    });
  }
})();
