//! The pages people see while they sign in: the account picker with its consent list, and errors that
//! do not go back to the app.

use http::StatusCode;

use crate::base::clock::Timestamp;
use crate::web::answer::Answer;

use super::problem::{Problem, Trace};
use super::scope::Scopes;
use super::world::Account;
use crate::sandbox::call::{escape, html, typed};

const STYLE: &str = ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{margin:3rem auto;\
    max-width:28rem;padding:1rem}button{font:inherit;padding:.4rem 1rem}label{display:block;padding:.3rem 0}";

/// Which account, and whether the app gets what it asks for. `query` is the request that comes along.
pub(super) fn picker(
    accounts: &[Account],
    path: &str,
    query: &str,
    scopes: &Scopes,
    login_hint: &str,
) -> Answer {
    let hinted = accounts.iter().position(|account| account.address.eq_ignore_ascii_case(login_hint));
    let chosen = hinted.unwrap_or(0);
    let choices: String =
        accounts.iter().enumerate().map(|(at, account)| choice(account, at == chosen)).collect();
    let wanted: String =
        scopes.all().iter().map(|scope| format!("<li><code>{}</code></li>", escape(scope))).collect();
    html(document(
        "Pick an account",
        &format!(
            "<p>Demo stand-in for Microsoft's sign-in. No data leaves this machine.</p>\
             <form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"request\" value=\"{}\">\
             <fieldset><legend>Account</legend>{choices}</fieldset>\
             <p>The app asks for these permissions:</p><ul>{wanted}</ul>\
             <button name=\"decision\" value=\"accept\">Accept</button> \
             <button name=\"decision\" value=\"cancel\">Cancel</button></form>",
            escape(path),
            escape(query),
        ),
    ))
}

fn choice(account: &Account, chosen: bool) -> String {
    let address = escape(&account.address);
    format!(
        "<label><input type=\"radio\" name=\"account\" value=\"{address}\"{}> {} ({address})</label>",
        if chosen { " checked" } else { "" },
        escape(&account.name),
    )
}

/// An error that the app never hears of.
pub(super) fn problem(problem: &Problem, now: Timestamp) -> Answer {
    let text = escape(&problem.description(&Trace::new(), now));
    let page = document("Sorry, but we’re having trouble signing you in.", &format!("<p>{text}</p>"));
    typed(StatusCode::BAD_REQUEST, "text/html; charset=utf-8", page)
}

fn document(title: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1>{content}</body></html>\n"
    )
}
