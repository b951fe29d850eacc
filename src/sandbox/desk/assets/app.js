// The desk's client. As Peppermint's: the token from the sign-in reply becomes a cookie that this script
// reads back for every Authorization line.
"use strict";

const element = (id) => document.getElementById(id);

function getCookie(name) {
  const pair = document.cookie.split("; ").find((line) => line.startsWith(name + "="));
  return pair === undefined ? undefined : pair.slice(name.length + 1);
}

async function api(method, path, body) {
  const headers = { Authorization: "Bearer " + getCookie("session") };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const reply = await fetch("/api/v1" + path, { method, headers, body: body && JSON.stringify(body) });
  if (reply.status === 401) location.href = "/auth/login";
  return reply;
}

function line(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function signIn(event) {
  event.preventDefault();
  const credentials = { email: element("email").value, password: element("password").value };
  const reply = await fetch("/api/v1/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(credentials),
  });
  const answer = await reply.json();
  if (!reply.ok) {
    element("problem").textContent = answer.message;
    return;
  }
  document.cookie = "session=" + answer.token + "; path=/";
  location.href = "/";
}

async function signOut() {
  const profile = await api("GET", "/auth/profile");
  if (profile.ok) {
    const { user } = await profile.json();
    await api("GET", "/auth/user/" + user.id + "/logout");
  }
  document.cookie = "session=; path=/; max-age=0";
  location.href = "/auth/login";
}

async function showList() {
  const reply = await api("GET", "/tickets/open");
  if (!reply.ok) return;
  const { tickets } = await reply.json();
  const rows = tickets.map((ticket) => {
    const link = line("a", "#" + ticket.Number + " " + ticket.title);
    link.href = "/issue/" + ticket.id;
    const row = document.createElement("li");
    row.append(link, line("span", " " + (ticket.name || ticket.email || "")));
    return row;
  });
  element("tickets").replaceChildren(...(rows.length ? rows : [line("li", "No open ticket.")]));
}

function paragraphs(detail) {
  try {
    const blocks = JSON.parse(detail);
    if (Array.isArray(blocks)) {
      return blocks.map((block) => (block.content || []).map((run) => run.text || "").join(""));
    }
    return [String(blocks)];
  } catch {
    return [detail || ""];
  }
}

// The mistake that the page may ask for: a ticket's text becomes part of the page.
const careless = document.querySelector("[data-careless]") !== null;
const shown = (text) => (careless ? document.createRange().createContextualFragment(text) : line("p", text));

function showComment(comment) {
  const kind = comment.public ? "public" : "internal";
  const row = document.createElement("li");
  row.className = kind;
  const who = comment.user ? comment.user.name : comment.replyEmail || "customer";
  row.append(line("strong", who + " (" + kind + ")"), line("p", comment.text));
  return row;
}

const ticketId = () => location.pathname.split("/").pop();

async function showTicket() {
  const reply = await api("GET", "/ticket/" + ticketId());
  if (!reply.ok) {
    element("title").textContent = "This ticket cannot be shown.";
    return;
  }
  const { ticket } = await reply.json();
  element("title").textContent = "#" + ticket.Number + " " + ticket.title;
  const state = ticket.isComplete ? "closed" : "open";
  element("facts").textContent = [ticket.name, ticket.email, ticket.priority, state].filter(Boolean).join(" · ");
  element("detail").replaceChildren(...paragraphs(ticket.detail).map(shown));
  element("comments").replaceChildren(...ticket.comments.map(showComment));
  element("complete").textContent = ticket.isComplete ? "Reopen" : "Close";
  element("complete").onclick = async () => {
    await api("PUT", "/ticket/status/update", { id: ticket.id, status: !ticket.isComplete });
    showTicket();
  };
}

async function addComment(event) {
  event.preventDefault();
  const comment = { id: ticketId(), text: element("text").value, public: element("public").checked };
  const reply = await api("POST", "/ticket/comment", comment);
  if (!reply.ok) return;
  element("text").value = "";
  showTicket();
}

async function guardAdmin() {
  const reply = await api("GET", "/auth/profile");
  if (!reply.ok || !(await reply.json()).user.isAdmin) location.href = "/";
}

const page = document.querySelector("[data-page]");
element("logout").addEventListener("click", signOut);
if (element("login")) element("login").addEventListener("submit", signIn);
if (page && page.dataset.page === "list") {
  element("refresh").addEventListener("click", showList);
  showList();
}
if (page && page.dataset.page === "ticket") {
  element("comment").addEventListener("submit", addComment);
  showTicket();
}
if (page && page.dataset.page === "admin") guardAdmin();
