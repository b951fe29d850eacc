//! Names of mail exchangers as the table writes them, and how well a name fits. Looks nothing up.

/// `.suffix`, or a whole name whose labels may hold `#` (digits), `*` (anything) or be `{region}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pattern(pub(super) &'static str);

/// How well a name fits: whole names before suffixes, long ones before short ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    whole: bool,
    length: usize,
    /// What stood for `{region}`.
    pub(super) region: Option<String>,
}

impl Pattern {
    /// How well `name` (lower case, no final dot) fits, if it does.
    pub(super) fn fit(self, name: &str) -> Option<Fit> {
        if self.0.starts_with('.') {
            // `.example.com` also stands for `example.com` itself, which a domain may name as its exchanger.
            let fits = name.ends_with(self.0) || *name == self.0[1..];
            return fits.then_some(Fit { whole: false, length: self.0.len(), region: None });
        }
        let (wanted, given) = (self.0.split('.'), name.split('.'));
        if wanted.clone().count() != given.clone().count() {
            return None;
        }
        let mut region = None;
        for (wanted, given) in wanted.zip(given) {
            match wanted {
                "{region}" => region = Some(given.to_owned()),
                _ if fits_label(wanted, given) => {}
                _ => return None,
            }
        }
        Some(Fit { whole: true, length: self.0.len(), region })
    }
}

fn fits_label(wanted: &str, given: &str) -> bool {
    if let Some(beginning) = wanted.strip_suffix('#') {
        let rest = given.strip_prefix(beginning);
        return rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    }
    match wanted.strip_suffix('*') {
        Some(beginning) => given.starts_with(beginning),
        None => wanted == given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_what_it_names_and_nothing_else() {
        for (pattern, name, fits) in [
            (".l.google.com", "aspmx.l.google.com", true),
            (".l.google.com", "aspmx.l.google.com.evil.example", false),
            (".google.com", "notgoogle.com", false),
            ("mx#.zoho.com", "mx.zoho.com", true),
            ("mx#.zoho.com", "mx20.zoho.com", true),
            ("mx#.zoho.com", "mxa.zoho.com", false),
            ("mx*.naver.com", "mx-a.naver.com", true),
            ("mx*.naver.com", "mx.a.naver.com", false),
            ("inbound-smtp.{region}.amazonaws.com", "inbound-smtp.eu-west-1.amazonaws.com", true),
        ] {
            assert_eq!(Pattern(pattern).fit(name).is_some(), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn the_closer_pattern_wins() {
        let name = "mx-aol.mail.gm0.yahoodns.net";
        assert!(Pattern(".mail.gm0.yahoodns.net").fit(name) > Pattern(".yahoodns.net").fit(name));
        assert!(
            Pattern("mx#.zoho.com").fit("mx.zoho.com")
                > Pattern(".verylongnames.zoho.com").fit("mx.zoho.com")
        );
    }
}
