//! As much of a browser as the story needs: cookies with SameSite, redirects, refreshes, forms.
//!
//! It runs no scripts and draws nothing; what Chromium does with the same pages is tested elsewhere.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use cookie::{Cookie, SameSite};
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, REFERER, SET_COOKIE, USER_AGENT};
use http::{Method, Request, StatusCode};
use url::Url;

use crate::web::call::HttpCall;

const PAGE_LIMIT: usize = 1 << 20;
const REDIRECTS: usize = 10;

/// A page that was loaded.
pub(super) struct Page {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) body: String,
}

struct Stored {
    host: String,
    name: String,
    value: String,
    strict: bool,
}

pub(super) struct Browser {
    http: Arc<dyn HttpCall>,
    cookies: Vec<Stored>,
}

impl Browser {
    pub(super) fn new(http: Arc<dyn HttpCall>) -> Self {
        Self { http, cookies: Vec::new() }
    }

    /// What a page's own script does with `document.cookie`.
    pub(super) fn set_script_cookie(&mut self, url: &Url, name: &str, value: &str) {
        self.store(host(url), name, value, false);
    }

    /// Opens an address as if it were typed in.
    pub(super) async fn open(&mut self, url: &Url) -> anyhow::Result<Page> {
        self.navigate(Method::GET, url.clone(), String::new(), None).await
    }

    /// Follows a page's `<meta http-equiv=refresh>`.
    pub(super) async fn follow_refresh(&mut self, page: &Page) -> anyhow::Result<Page> {
        let target = page.refresh().with_context(|| page.describe("has no refresh"))?;
        self.navigate(Method::GET, target, String::new(), Some(&page.url)).await
    }

    /// Submits the form of `page` whose action ends in `action`: its hidden fields and `fields`.
    pub(super) async fn submit(
        &mut self,
        page: &Page,
        action: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let form = page.form(action).with_context(|| page.describe(&format!("has no form `{action}`")))?;
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form.hidden.iter().filter(|(name, _)| !fields.iter().any(|(own, _)| own == name)));
        body.extend_pairs(fields);
        self.navigate(Method::POST, form.action, body.finish(), Some(&page.url)).await
    }

    async fn navigate(
        &mut self,
        mut method: Method,
        mut url: Url,
        mut body: String,
        from: Option<&Url>,
    ) -> anyhow::Result<Page> {
        // A Strict cookie stays away once the initiator or any hop of the redirect chain is another site.
        let mut same_site = from.is_none_or(|from| site(from) == site(&url));
        for _ in 0..REDIRECTS {
            let response = self.request(&method, &url, &body, from, same_site).await?;
            let status = response.status();
            let target = response.headers().get(LOCATION).filter(|_| status.is_redirection());
            let Some(target) = target else {
                let text = String::from_utf8_lossy(response.body()).into_owned();
                return Ok(Page { url, status, body: text });
            };
            let next = url.join(target.to_str()?)?;
            same_site = same_site && site(&next) == site(&url);
            if !matches!(status.as_u16(), 307 | 308) {
                (method, body) = (Method::GET, String::new());
            }
            url = next;
        }
        bail!("{url} redirects without end")
    }

    async fn request(
        &mut self,
        method: &Method,
        url: &Url,
        body: &str,
        from: Option<&Url>,
        same_site: bool,
    ) -> anyhow::Result<http::Response<Bytes>> {
        let mut request = Request::builder().method(method).uri(url.as_str()).header(USER_AGENT, "Story/1");
        request = request.header("accept", "text/html");
        let cookies = self.cookies_for(url, same_site);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies);
        }
        if let Some(from) = from.filter(|_| method == Method::POST) {
            request = request.header(ORIGIN, from.origin().ascii_serialization());
            request = request.header(REFERER, from.origin().ascii_serialization());
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let response = self.http.call(request.body(Bytes::from(body.to_owned()))?, PAGE_LIMIT).await?;
        self.keep_cookies(url, &response)?;
        Ok(response)
    }

    /// Takes over what an answer sets.
    pub(super) fn keep_cookies(&mut self, url: &Url, response: &http::Response<Bytes>) -> anyhow::Result<()> {
        for line in response.headers().get_all(SET_COOKIE) {
            let cookie = Cookie::parse(line.to_str()?.to_owned())?;
            let strict = cookie.same_site() == Some(SameSite::Strict);
            self.store(host(url), cookie.name(), cookie.value(), strict);
        }
        Ok(())
    }

    fn store(&mut self, host: &str, name: &str, value: &str, strict: bool) {
        self.cookies.retain(|kept| !(kept.host == host && kept.name == name));
        if !value.is_empty() {
            let (host, name, value) = (host.to_owned(), name.to_owned(), value.to_owned());
            self.cookies.push(Stored { host, name, value, strict });
        }
    }

    /// The `Cookie` line for a request from the same site or from another one.
    pub(super) fn cookies_for(&self, url: &Url, same_site: bool) -> String {
        let sent =
            self.cookies.iter().filter(|cookie| cookie.host == host(url) && (same_site || !cookie.strict));
        sent.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ")
    }
}

struct Form {
    action: Url,
    hidden: Vec<(String, String)>,
}

impl Page {
    /// Fails unless the page is a success and says `text`.
    pub(super) fn expect(&self, text: &str) -> anyhow::Result<()> {
        ensure!(self.status.is_success(), "{}", self.describe("is not a success"));
        ensure!(self.body.contains(text), "{}", self.describe(&format!("does not say `{text}`")));
        Ok(())
    }

    /// The address without its query, which may hold a code.
    pub(super) fn describe(&self, what: &str) -> String {
        let address = self.url.as_str().split('?').next().unwrap_or_default();
        format!("{address} ({}) {what}", self.status.as_u16())
    }

    fn refresh(&self) -> Option<Url> {
        let (_, rest) = self.body.split_once("http-equiv=\"refresh\"")?;
        let content = attribute(rest.split('>').next()?, "content")?;
        let (_, target) = content.split_once("url=")?;
        self.url.join(target).ok()
    }

    fn form(&self, action: &str) -> Option<Form> {
        self.body.split("<form").skip(1).find_map(|piece| {
            let (tag, rest) = piece.split_once('>')?;
            let address = attribute(tag, "action").unwrap_or_default();
            let inner = rest.split("</form>").next()?;
            let inputs = inner.split("<input").skip(1).filter_map(|input| input.split('>').next());
            let hidden = inputs.filter(|input| input.contains("hidden"));
            let pairs =
                hidden.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)));
            let path = address.split('?').next().unwrap_or_default();
            path.ends_with(action).then(|| Form {
                action: self.url.join(&address).unwrap_or_else(|_| self.url.clone()),
                hidden: pairs.collect(),
            })
        })
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let value = rest.split('"').next()?;
    let unescaped =
        value.replace("&#38;", "&").replace("&amp;", "&").replace("&quot;", "\"").replace("&#34;", "\"");
    Some(unescaped.replace("&#x3d;", "=").replace("&#61;", "=").replace("&#x27;", "'").replace("&#39;", "'"))
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// Scheme and registrable domain; `localhost` counts as a public suffix, as browsers treat it.
fn site(url: &Url) -> String {
    let labels: Vec<&str> = host(url).rsplit('.').take(2).collect();
    format!("{}://{}", url.scheme(), labels.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Page {
        let url = Url::parse("https://desk.localhost:8443/a/b").expect("a URL");
        Page { url, status: StatusCode::OK, body: body.to_owned() }
    }

    #[test]
    fn desk_and_provider_are_two_sites() {
        let url = |text| Url::parse(text).expect("a URL");
        assert_ne!(site(&url("https://desk.localhost:8443/")), site(&url("https://idp.localhost:1/")));
        assert_eq!(site(&url("https://a.desk.localhost/")), site(&url("https://desk.localhost:8443/")));
    }

    #[test]
    fn a_form_is_found_by_its_action_with_its_hidden_fields() {
        let form = page(r#"<form method="post" action="/x/connect"><input type="hidden" name="t" value="1&amp;2"></form>"#)
            .form("/connect")
            .expect("the form");
        assert_eq!(form.action.path(), "/x/connect");
        assert_eq!(form.hidden, [("t".to_owned(), "1&2".to_owned())]);
    }

    #[test]
    fn a_refresh_is_resolved_against_the_page() {
        let target = page(r#"<meta http-equiv="refresh" content="0;url=/next?a=1&amp;b=2">"#).refresh();
        assert_eq!(target.expect("a target").as_str(), "https://desk.localhost:8443/next?a=1&b=2");
    }
}
