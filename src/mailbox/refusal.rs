//! Why a mail server does not let somebody in, by the words that it says. The words themselves are not
//! kept: they may hold addresses.

/// A refused sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInRefusal {
    /// Nothing more is said: name or password is wrong.
    Credentials,
    /// A password made for this program is wanted.
    AppPassword,
    /// The account's owner has to confirm something in a browser.
    Browser,
    /// Passwords are not taken at all.
    PasswordGone,
    /// Submission is switched off for the mailbox.
    SmtpOff,
    /// IMAP is switched off for the mailbox.
    ImapOff,
}

/// What servers say, in upper case, the first that fits. Google, "Gmail SMTP errors and codes"; Microsoft,
/// "Fix issues with printers, scanners, and LOB applications that send email using Microsoft 365".
const WORDS: [(&str, SignInRefusal); 15] = [
    ("APPLICATION-SPECIFIC PASSWORD", SignInRefusal::AppPassword),
    ("APP-SPECIFIC PASSWORD", SignInRefusal::AppPassword),
    ("APP PASSWORD", SignInRefusal::AppPassword),
    ("WEBALERT", SignInRefusal::Browser),
    ("WEB LOGIN REQUIRED", SignInRefusal::Browser),
    ("VIA YOUR WEB BROWSER", SignInRefusal::Browser),
    ("5.7.14", SignInRefusal::Browser),
    ("SMTPCLIENTAUTH", SignInRefusal::SmtpOff),
    ("NOT ENABLED FOR IMAP", SignInRefusal::ImapOff),
    ("IMAP ACCESS IS DISABLED", SignInRefusal::ImapOff),
    ("IMAP IS DISABLED", SignInRefusal::ImapOff),
    ("BASIC AUTHENTICATION IS", SignInRefusal::PasswordGone),
    ("BASICAUTHBLOCKED", SignInRefusal::PasswordGone),
    ("5.7.30 ", SignInRefusal::PasswordGone),
    // After SmtpClientAuthentication, which has the same code.
    ("5.7.139", SignInRefusal::PasswordGone),
];

impl SignInRefusal {
    /// Of a reply's text.
    pub fn of_reply(text: &str) -> Self {
        let text = text.to_ascii_uppercase();
        WORDS.iter().find(|(word, _)| text.contains(word)).map_or(Self::Credentials, |(_, refusal)| *refusal)
    }

    /// Key of the advice on it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Credentials => "mail-password",
            Self::AppPassword => "mail-app-password",
            Self::Browser => "mail-browser",
            Self::PasswordGone => "mail-password-gone",
            Self::SmtpOff => "mail-smtp-off",
            Self::ImapOff => "mail-imap-off",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_is_told_apart() {
        for (said, refusal) in [
            ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", SignInRefusal::Credentials),
            ("535 5.7.8 Error: authentication failed:", SignInRefusal::Credentials),
            (
                "535 5.7.3 Authentication unsuccessful [X.EURPRD01.PROD.OUTLOOK.COM]",
                SignInRefusal::Credentials,
            ),
            (
                "[ALERT] Application-specific password required: https://x (Failure)",
                SignInRefusal::AppPassword,
            ),
            (
                "5.7.9 Application-specific password required. For more information",
                SignInRefusal::AppPassword,
            ),
            ("[WEBALERT https://accounts.google.com/x] Web login required.", SignInRefusal::Browser),
            ("5.7.14 <https://x> Please log in via your web browser and then", SignInRefusal::Browser),
            (
                "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
                SignInRefusal::SmtpOff,
            ),
            (
                "5.7.139 Authentication unsuccessful, basic authentication is disabled.",
                SignInRefusal::PasswordGone,
            ),
            (
                "5.7.30 Basic authentication is not supported for Client Submission.",
                SignInRefusal::PasswordGone,
            ),
            ("[ALERT] Your account is not enabled for IMAP use.", SignInRefusal::ImapOff),
            ("", SignInRefusal::Credentials),
        ] {
            assert_eq!(SignInRefusal::of_reply(said), refusal, "{said}");
        }
    }
}
