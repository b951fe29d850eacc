// Adds the console to the desk's own admin navigation, behind the last of its entries, for whoever the console
// lets in. Everything else on the page stays as the desk's script draws it.
"use strict";

(() => {
  const CONSOLE = "/admin/exchange";
  const NEIGHBOUR = 'a[href$="/admin/smtp"]';
  const MARK = "data-exchange-link";
  // Whether the console lets this person in, by the list that asks: another list may be another person's.
  const answers = new WeakMap();

  const mayEnter = () =>
    fetch(CONSOLE, { method: "HEAD", credentials: "same-origin", redirect: "error" }).then(
      (answer) => answer.ok,
      () => false,
    );

  const isGerman = () =>
    /^de\b/i.test(document.documentElement.lang) || /^\/de(\/|$)/i.test(location.pathname);

  const itemOf = (link) => link.closest("li") ?? link;

  function make(list, neighbour) {
    const entry = itemOf(neighbour).cloneNode(true);
    for (const part of [entry, ...entry.querySelectorAll("[id], [aria-current]")]) {
      part.removeAttribute("id");
      part.removeAttribute("aria-current");
    }
    const link = entry.matches("a") ? entry : entry.querySelector("a");
    entry.setAttribute(MARK, "");
    link.setAttribute("href", CONSOLE);
    // The present page's entry looks otherwise than the rest.
    const other = [...list.querySelectorAll("a[href]")].find((one) => one.pathname !== location.pathname);
    if (other) link.className = other.className;
    const text = link.querySelector("span") ?? link;
    text.textContent = isGerman() ? "Exchange-Anbindung" : "Exchange Integration";
    return entry;
  }

  async function place(neighbour) {
    const list = itemOf(neighbour).parentElement;
    if (!list || list.querySelector(`[${MARK}]`)) return;
    if (!answers.has(list)) answers.set(list, mayEnter());
    if (!(await answers.get(list))) return;
    if (list.contains(neighbour) && !list.querySelector(`[${MARK}]`)) list.append(make(list, neighbour));
  }

  const look = () => document.querySelectorAll(NEIGHBOUR).forEach(place);

  function start() {
    // The desk draws its navigation late, and anew when somebody goes from page to page.
    new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
    look();
  }

  if (document.readyState === "complete") start();
  else addEventListener("load", start);
})();
