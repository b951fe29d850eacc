//! Messages and folders as Graph's JSON (microsoft.graph.message and .mailFolder, v1.0).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Map, Value, json};

use crate::base::secret::sha256;

use super::facts::{Facts, Person};
use super::query::Query;
use super::world::{Folder, Mailbox, Stored};
use crate::sandbox::call::escape;

/// Everything `$select` may name.
pub(super) const PROPERTIES: [&str; 34] = [
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "internetMessageHeaders",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "uniqueBody",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
    "attachments",
    "extensions",
    "singleValueExtendedProperties",
];

/// Shown only when `$select` names them, or never.
const UNUSUAL: [&str; 5] =
    ["internetMessageHeaders", "uniqueBody", "attachments", "extensions", "singleValueExtendedProperties"];

/// How one request wants to see messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// `Prefer: IdType="ImmutableId"`.
    pub immutable_ids: bool,
    /// `Prefer: outlook.body-content-type="text"`.
    pub plain_bodies: bool,
}

impl View {
    pub fn id(self, message: &Stored) -> &str {
        if self.immutable_ids { &message.immutable_id } else { &message.id }
    }

    /// A message with the properties that `query` selects.
    pub fn message(self, mailbox: &Mailbox, message: &Stored, query: &Query) -> Value {
        let mut whole = self.everything(mailbox, message);
        let wanted = |name: &str| match &query.select {
            Some(select) => name == "id" || select.iter().any(|selected| selected == name),
            None => !UNUSUAL.contains(&name),
        };
        whole.retain(|name, _| name.starts_with('@') || wanted(name));
        if query.with_size {
            let size = json!([{"id": "Long 0xe08", "value": message.raw.len().to_string()}]);
            whole.insert("singleValueExtendedProperties".to_owned(), size);
        }
        Value::Object(whole)
    }

    /// What delta shows of a message that was only changed.
    pub fn partial(self, mailbox: &Mailbox, message: &Stored) -> Value {
        json!({
            "@odata.type": "#microsoft.graph.message",
            "@odata.etag": etag(message),
            "id": self.id(message),
            "isRead": message.is_read,
            "parentFolderId": mailbox.folder_id(message.folder),
        })
    }

    fn everything(self, mailbox: &Mailbox, message: &Stored) -> Map<String, Value> {
        let facts = Facts::of(&message.raw);
        let change_key = change_key(message);
        let preview: String = facts.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let Value::Object(mut shown) = json!({
            "@odata.etag": etag(message),
            "id": self.id(message),
            "createdDateTime": message.received_at.rfc3339(),
            "lastModifiedDateTime": message.modified_at.rfc3339(),
            "changeKey": change_key,
            "categories": [],
            "receivedDateTime": message.received_at.rfc3339(),
            "sentDateTime": facts.sent_at.unwrap_or(message.received_at).rfc3339(),
            "hasAttachments": facts.attachments.iter().any(|file| !file.inline),
            "internetMessageId": facts.message_id,
            "subject": facts.subject,
            "bodyPreview": preview.chars().take(255).collect::<String>(),
            "importance": "normal",
            "parentFolderId": mailbox.folder_id(message.folder),
            "conversationId": conversation_id(&facts),
            "conversationIndex": STANDARD.encode(&sha256(facts.root().as_bytes())[..22]),
            "isDeliveryReceiptRequested": null,
            "isReadReceiptRequested": false,
            "isRead": message.is_read,
            "isDraft": message.is_draft,
            "webLink": format!("https://outlook.invalid/owa/?ItemID={}", self.id(message)),
            "inferenceClassification": "focused",
            "flag": {"flagStatus": "notFlagged"},
        }) else {
            unreachable!("the literal is an object")
        };
        self.add_content(&mut shown, &facts);
        shown
    }

    fn add_content(self, shown: &mut Map<String, Value>, facts: &Facts) {
        let body = self.body(facts);
        let headers = facts.headers.iter().map(|(name, value)| json!({"name": name, "value": value}));
        let from = facts.from.as_ref().map(recipient);
        let sender = facts.sender.as_ref().map(recipient).or_else(|| from.clone());
        let people = |list: &[Person]| Value::Array(list.iter().map(recipient).collect());
        let properties = [
            ("internetMessageHeaders", Value::Array(headers.collect())),
            ("body", body.clone()),
            ("uniqueBody", body),
            ("from", json!(from)),
            ("sender", json!(sender)),
            ("toRecipients", people(&facts.to)),
            ("ccRecipients", people(&facts.cc)),
            ("bccRecipients", people(&facts.bcc)),
            ("replyTo", people(&facts.reply_to)),
        ];
        shown.extend(properties.map(|(name, value)| (name.to_owned(), value)));
    }

    fn body(self, facts: &Facts) -> Value {
        if self.plain_bodies {
            return json!({"contentType": "text", "content": facts.text});
        }
        let made = || format!("<html><body><pre>{}</pre></body></html>", escape(&facts.text));
        json!({"contentType": "html", "content": facts.html.clone().unwrap_or_else(made)})
    }
}

/// `{"emailAddress":{"name","address"}}`.
fn recipient(person: &Person) -> Value {
    let name = if person.name.is_empty() { &person.address } else { &person.name };
    json!({"emailAddress": {"name": name, "address": person.address}})
}

pub(super) fn conversation_id(facts: &Facts) -> String {
    format!("AAQkADAw{}=", URL_SAFE.encode(&sha256(facts.root().as_bytes())[..27]))
}

fn change_key(message: &Stored) -> String {
    let state = format!("{}{}{}", message.id, message.modified_at.0, message.is_read);
    STANDARD.encode(&sha256(state.as_bytes())[..15])
}

fn etag(message: &Stored) -> String {
    format!("W/\"{}\"", change_key(message))
}

pub(super) fn folder(mailbox: &Mailbox, folder: Folder) -> Value {
    let within: Vec<&Stored> = mailbox.messages.iter().filter(|message| message.folder == folder).collect();
    json!({
        "id": mailbox.folder_id(folder),
        "displayName": folder.display_name(),
        "parentFolderId": format!("{}root", mailbox.folder_id(folder)),
        "childFolderCount": 0,
        "unreadItemCount": within.iter().filter(|message| !message.is_read).count(),
        "totalItemCount": within.len(),
        "isHidden": false,
    })
}

/// A file of a message; `contentBytes` is standard base64.
pub(super) fn attachments(facts: &Facts) -> Vec<Value> {
    let numbered = facts.attachments.iter().enumerate();
    numbered
        .map(|(number, file)| {
            json!({
                "@odata.type": "#microsoft.graph.fileAttachment",
                "id": format!("AAMkADAwAttachment{number}="),
                "name": file.name,
                "contentType": file.media_type,
                "size": file.bytes.len(),
                "isInline": file.inline,
                "contentId": null,
                "contentLocation": null,
                "contentBytes": STANDARD.encode(&file.bytes),
            })
        })
        .collect()
}
