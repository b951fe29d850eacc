//! The look of our pages that load nothing: on the way to a provider and back, and where somebody is kept
//! out. One style inside the page, named by its hash; everything else is forbidden.

/// Colours are the system's, so that light, dark and forced ones all hold.
pub const STYLE: &str = ":root{color-scheme:light dark}body{margin:0;background:Canvas;color:CanvasText;\
                         font:1rem/1.5 system-ui,sans-serif}main{max-width:40rem;margin:3rem auto;padding:0 1rem;\
                         overflow-wrap:anywhere}a{color:LinkText;display:inline-block;min-height:1.5rem}\
                         pre{white-space:pre-wrap}";

/// The Content-Security-Policy of a page with [`STYLE`] and no form.
pub const POLICY: &str = "default-src 'none'; style-src 'sha256-GH0ticE0S8hESh4Nyva+aufMzIq/5vI3UJOzgQttmrg='; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::base::secret::sha256;

    #[test]
    fn the_policy_names_the_style() {
        let source = format!("style-src 'sha256-{}';", STANDARD.encode(sha256(STYLE.as_bytes())));
        assert!(POLICY.contains(&source), "{source}");
    }
}
