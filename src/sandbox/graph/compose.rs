//! Mails that a client hands over, as JSON or as base64 MIME, made into raw mails.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::raw::Raw;
use serde_json::{Map, Value};

use crate::base::clock::Timestamp;
use crate::base::id::short_id;

use super::facts::Facts;
use super::refusal::Refusal;
use super::shape::PROPERTIES;
use super::world::Mailbox;
use crate::sandbox::mime::RawMail;

/// What a client's MIME keeps besides `X-…` and `Content-…`; everything else Exchange drops.
const KEPT: [&str; 13] = [
    "to",
    "cc",
    "bcc",
    "from",
    "sender",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "importance",
    "mime-version",
];

/// A raw mail from base64 MIME. `From` becomes the mailbox's own address, whatever it said.
pub(super) fn from_mime(mailbox: &Mailbox, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let refused =
        || Refusal::bad("ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.");
    let raw = STANDARD.decode(text).ok().filter(|raw| !raw.is_empty()).ok_or_else(refused)?;
    let mut mail = RawMail::parse(&raw);
    mail.keep(|name| KEPT.contains(&name) || name.starts_with("x-") || name.starts_with("content-"));
    let from = Facts::of(&raw).from;
    if from.is_none_or(|from| !from.address.eq_ignore_ascii_case(&mailbox.address)) {
        mail.set("From", &format!("{} <{}>", mailbox.name, mailbox.address));
    }
    if !mail.has("message-id") {
        mail.set("Message-ID", &new_message_id());
    }
    Ok(mail.bytes())
}

/// A Message-ID as Exchange makes them.
pub(super) fn new_message_id() -> String {
    format!("<AS0{}@AS0PR.eurprd.prod.outlook.invalid>", short_id().to_uppercase())
}

/// A raw mail from a `message` object.
pub(super) fn from_json(mailbox: &Mailbox, message: &Value, now: Timestamp) -> Result<Vec<u8>, Refusal> {
    let members = message
        .as_object()
        .ok_or_else(|| Refusal::bad("BadRequest", "Empty Payload. JSON content expected."))?;
    only(members, "message", &PROPERTIES)?;
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let message_id = message["internetMessageId"].as_str().map_or_else(new_message_id, str::to_owned);
    let mut builder = MessageBuilder::new()
        .from((mailbox.name.clone(), mailbox.address.clone()))
        .subject(text("subject"))
        .header("Message-ID", Raw::new(message_id))
        .header("Date", Raw::new(now.rfc2822()));
    for (property, name) in
        [("toRecipients", "To"), ("ccRecipients", "Cc"), ("bccRecipients", "Bcc"), ("replyTo", "Reply-To")]
    {
        let list = recipients(&message[property])?;
        if !list.is_empty() {
            builder = builder.header(name, Address::new_list(list));
        }
    }
    for (name, value) in x_headers(&message["internetMessageHeaders"])? {
        builder = builder.header(name, Raw::new(value));
    }
    builder = body(builder, &message["body"])?;
    for file in message["attachments"].as_array().into_iter().flatten() {
        let (name, kind, bytes) = file_attachment(file)?;
        builder = builder.attachment(kind, name, bytes);
    }
    builder.write_to_vec().map_err(|_| Refusal::bad("ErrorInvalidRequest", "The message cannot be written."))
}

/// Refuses members that the type does not have; annotations (`@odata.type`) are let pass.
pub(super) fn only(members: &Map<String, Value>, kind: &str, known: &[&str]) -> Result<(), Refusal> {
    let strange = members.keys().find(|name| !name.starts_with('@') && !known.contains(&name.as_str()));
    strange.map_or(Ok(()), |name| Err(Refusal::wrong_body(name, kind)))
}

fn body<'m>(builder: MessageBuilder<'m>, body: &Value) -> Result<MessageBuilder<'m>, Refusal> {
    let Some(members) = body.as_object() else {
        return Ok(builder.text_body(""));
    };
    only(members, "itemBody", &["contentType", "content"])?;
    let content = body["content"].as_str().unwrap_or_default().to_owned();
    match body["contentType"].as_str().unwrap_or("text").to_ascii_lowercase().as_str() {
        "text" => Ok(builder.text_body(content)),
        "html" => Ok(builder.html_body(content)),
        other => Err(Refusal::bad("RequestBodyRead", format!("Invalid bodyType '{other}'."))),
    }
}

fn recipients(list: &Value) -> Result<Vec<Address<'static>>, Refusal> {
    let listed = list.as_array().into_iter().flatten();
    listed
        .map(|recipient| {
            let members = recipient.as_object().ok_or_else(|| Refusal::wrong_body("", "recipient"))?;
            only(members, "recipient", &["emailAddress"])?;
            let person = &recipient["emailAddress"];
            let address =
                person["address"].as_str().filter(|address| address.contains('@')).ok_or_else(|| {
                    Refusal::bad("ErrorInvalidRecipients", "At least one recipient isn't valid.")
                })?;
            let name = person["name"].as_str().map(str::to_owned);
            Ok(Address::new_address(name, address.to_owned()))
        })
        .collect()
}

/// Only names of one's own, and few of them.
fn x_headers(list: &Value) -> Result<Vec<(String, String)>, Refusal> {
    let list: Vec<&Value> = list.as_array().into_iter().flatten().collect();
    let refused = |message: String| Refusal::bad("InvalidInternetMessageHeader", message);
    if list.len() > 5 {
        return Err(refused("The number of Internet Message Headers exceeds the maximum of 5.".to_owned()));
    }
    list.into_iter()
        .map(|header| {
            let (name, value) = (header["name"].as_str().unwrap_or_default(), header["value"].as_str());
            if !name.to_ascii_lowercase().starts_with("x-") {
                let message =
                    format!("The internet message header name '{name}' should start with 'x-' or 'X-'.");
                return Err(refused(message));
            }
            let value = value.filter(|value| !value.contains(['\r', '\n']));
            let value = value.ok_or_else(|| refused(format!("The value of '{name}' is not valid.")))?;
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Name, media type and bytes of a `fileAttachment`.
pub(super) fn file_attachment(file: &Value) -> Result<(String, String, Vec<u8>), Refusal> {
    const KNOWN: [&str; 7] =
        ["name", "contentType", "contentBytes", "isInline", "contentId", "contentLocation", "size"];
    let members = file.as_object().ok_or_else(|| Refusal::wrong_body("", "fileAttachment"))?;
    only(members, "fileAttachment", &KNOWN)?;
    if file["@odata.type"] != "#microsoft.graph.fileAttachment" {
        return Err(Refusal::bad(
            "RequestBodyRead",
            "A type named in '@odata.type' is missing or not supported.",
        ));
    }
    let bytes = file["contentBytes"].as_str().and_then(|text| STANDARD.decode(text).ok());
    let bytes = bytes.ok_or_else(|| Refusal::bad("RequestBodyRead", "contentBytes is not valid base64."))?;
    let kind = file["contentType"].as_str().unwrap_or("application/octet-stream").to_owned();
    Ok((file["name"].as_str().unwrap_or("attachment").to_owned(), kind, bytes))
}

/// The mail with one more file; its text and threading stay, its head is written anew.
pub(super) fn with_attachment(raw: &[u8], name: String, kind: String, bytes: Vec<u8>) -> Vec<u8> {
    let facts = Facts::of(raw);
    let mut body = MessageBuilder::new();
    body = match facts.html {
        Some(html) => body.html_body(html),
        None => body.text_body(facts.text),
    };
    for file in facts.attachments {
        body = body.attachment(file.media_type, file.name, file.bytes);
    }
    let body = body.attachment(kind, name, bytes);
    let mut mail = RawMail::parse(raw);
    mail.keep(|name| !name.starts_with("content-"));
    let mut written = Vec::new();
    body.serialize_body(&mut written);
    mail.with_body(written).bytes()
}
