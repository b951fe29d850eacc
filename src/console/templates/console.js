// Comforts for pages that work without any script: copying, focus on what is wrong, one submit at a time.
"use strict";
(() => {
  // A form that got no answer can be sent again after this, in milliseconds.
  const PATIENCE = 15000;
  // Between two looks at a list that is followed, in milliseconds.
  const EVERY = 5000;
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

  const put = async (source) => {
    const text = "value" in source ? source.value : source.textContent;
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // No permission, or no secure context: the old way asks for none.
      if (source.select) source.select();
      else getSelection().selectAllChildren(source);
      return document.execCommand("copy");
    }
  };

  each("[data-copy]", (button) => {
    const source = document.getElementById(button.dataset.copy);
    if (!source) return;
    const told = button.parentElement.querySelector("[data-copied]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await put(source);
      if (!told) return;
      // Emptied first, so that a second copy is announced too.
      told.textContent = "";
      requestAnimationFrame(() => { told.textContent = done ? told.dataset.copied : ""; });
    });
  });

  const release = (form) => {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  };

  addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
    setTimeout(release, PATIENCE, form);
  });

  // Back out of the browser's cache: what was sent then may be sent anew.
  addEventListener("pageshow", (event) => { if (event.persisted) each("form[data-sent]", release); });

  // Follows a list that changes. Nothing is read out: whoever wants to hear it goes there.
  each("[data-follow]", (button) => {
    const list = document.getElementById(button.dataset.follow);
    if (!list) return;
    let timer;
    const look = async () => {
      if (document.hidden) return;
      const answer = await fetch(location.href).catch(() => null);
      if (!answer?.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(list.id);
      if (fresh) list.replaceChildren(...fresh.childNodes);
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const follows = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!follows));
      clearInterval(timer);
      if (!follows) timer = setInterval(look, EVERY);
    });
  });

  document.getElementById("errors")?.focus();
})();
