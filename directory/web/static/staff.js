// What of signing in a page cannot do alone: passkeys, and a code that came in the address behind a #, which no
// server and no log sees.
(() => {
  "use strict";
  for (const form of document.querySelectorAll("form[data-from-hash]")) {
    const code = decodeURIComponent(location.hash.slice(1));
    if (code) {
      form.elements[form.dataset.fromHash].value = code;
      history.replaceState(null, "", location.pathname);
    }
  }
  const able = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON && PublicKeyCredential.parseCreationOptionsFromJSON;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = !able;
    form.addEventListener("submit", async (event) => {
      if (form.elements.passkey.value) return;
      event.preventDefault();
      const says = form.querySelector("[role=status]");
      says.textContent = "";
      try {
        const asked = await fetch(form.dataset.begin, { method: "POST", body: new URLSearchParams(new FormData(form)) });
        if (!asked.ok) throw new Error();
        const { options, state } = await asked.json();
        const key = form.dataset.passkey === "create"
          ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey) })
          : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey) });
        form.elements.state.value = state;
        form.elements.passkey.value = JSON.stringify(key);
        form.submit();
      } catch {
        says.textContent = "That did not work, or was not allowed. Try again, or use another way.";
      }
    });
  }
})();
