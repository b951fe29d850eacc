//! What an administrator should know before relying on a detection. Codes are stable; texts are English, pages
//! translate the code.

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// One remark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error("the domain does not exist in the name service that was asked; check the spelling")]
    NoSuchDomain,
    #[error("the domain says that it takes no mail (RFC 7505)")]
    TakesNoMail,
    #[error("the name service did not answer, so that nothing is known of the domain's mail servers")]
    NamesUnanswered,
    #[error(
        "mail for this domain is forwarded or handed to a program; there is no mailbox behind it to read"
    )]
    NoMailbox,
    #[error("a filter stands before the mailbox, so that its provider cannot be told for certain; check it")]
    BehindGateway,
    #[error("this provider offers POP3 only; a mailbox that is read by IMAP is needed")]
    PopOnly,
    #[error("this provider offers IMAP without encryption only, which is not used")]
    Unencrypted,
    #[error(
        "personal Microsoft accounts need an app registration that admits them; one for a single organisation \
         cannot sign them in"
    )]
    PersonalAccount,
    #[error("the servers were found where servers often are; nobody named them. Test before use")]
    Guessed,
    #[error(
        "the file that names the servers came without encryption, so that anybody on the way may have changed it"
    )]
    Unauthenticated,
    #[error("the servers belong to another domain; make sure that this is your provider")]
    OtherDomain,
    #[error("a server's certificate is not valid for its name, so that it is not offered")]
    BadCertificate,
    #[error("no server to send by was found; fill it in by hand")]
    NoOutgoing,
    #[error("the server offers no sign-in with a password")]
    NoPassword,
    #[error("the part before the @ has letters beyond ASCII; the servers must know SMTPUTF8 (RFC 6531)")]
    InternationalName,
    #[error("Proton's mailboxes are read through Proton Mail Bridge, which must run on the same machine")]
    Bridge,
}

impl Warning {
    /// `noSuchDomain`: the same name as the variant's.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoSuchDomain => "noSuchDomain",
            Self::TakesNoMail => "takesNoMail",
            Self::NamesUnanswered => "namesUnanswered",
            Self::NoMailbox => "noMailbox",
            Self::BehindGateway => "behindGateway",
            Self::PopOnly => "popOnly",
            Self::Unencrypted => "unencrypted",
            Self::PersonalAccount => "personalAccount",
            Self::Guessed => "guessed",
            Self::Unauthenticated => "unauthenticated",
            Self::OtherDomain => "otherDomain",
            Self::BadCertificate => "badCertificate",
            Self::NoOutgoing => "noOutgoing",
            Self::NoPassword => "noPassword",
            Self::InternationalName => "internationalName",
            Self::Bridge => "bridge",
        }
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Warning", 2)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("text", &self.to_string())?;
        fields.end()
    }
}
