//! A call to Graph once its token is known: whose mailbox, which resource, how it wants to see things.

use http::StatusCode;
use serde_json::Value;

use crate::base::clock::Timestamp;

use super::query::Query;
use super::refusal::Refusal;
use super::shape::View;
use super::world::{Folder, Mailbox, World};
use crate::sandbox::call::{Call, percent_decoded};
use crate::sandbox::grants::{Grant, Grants};

/// What a path begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// `/v1.0/me`, or the same user by address.
    Mailbox,
    /// `/v1.0/subscriptions`
    Subscriptions,
}

pub(super) struct Request<'c> {
    pub call: &'c Call,
    pub root: Root,
    /// Below the root, decoded.
    pub segments: Vec<String>,
    pub grant: Grant,
    pub now: Timestamp,
}

impl<'c> Request<'c> {
    /// Asks for the token first, then for the resource, as Graph does.
    pub fn read(call: &'c Call, grants: &Grants, now: Timestamp) -> Result<Self, Refusal> {
        let token = call.header("authorization").and_then(|line| line.strip_prefix("Bearer "));
        let token = token.ok_or_else(|| Refusal::token("Access token is empty."))?;
        let grant = grants.check(token, now);
        let expired = "Lifetime validation failed, the token is expired.";
        let grant = grant.ok_or_else(|| Refusal::token(expired))?;
        let segments = segments(&call.path);
        let mut rest = segments.into_iter();
        match rest.next().as_deref() {
            Some("v1.0" | "beta") => {}
            other => return Err(Refusal::no_segment(other.unwrap_or_default())),
        }
        let root = match rest.next() {
            Some(me) if me.eq_ignore_ascii_case("me") => Root::Mailbox,
            Some(name) if name.eq_ignore_ascii_case("subscriptions") => Root::Subscriptions,
            Some(users) if users.eq_ignore_ascii_case("users") => {
                let user = rest.next().unwrap_or_default();
                if !user.eq_ignore_ascii_case(&grant.address) {
                    return Err(Refusal::denied());
                }
                Root::Mailbox
            }
            other => return Err(Refusal::no_segment(&other.unwrap_or_default())),
        };
        Ok(Self { call, root, segments: rest.collect(), grant, now })
    }

    /// The resource's keywords, lower case: Graph takes them in any.
    pub fn keywords(&self) -> Vec<String> {
        self.segments.iter().map(|segment| segment.to_ascii_lowercase()).collect()
    }

    pub fn demand(&self, scopes: &[&str]) -> Result<(), Refusal> {
        if scopes.iter().any(|scope| self.grant.allows(scope)) { Ok(()) } else { Err(Refusal::denied()) }
    }

    /// The caller's own mailbox.
    pub fn mailbox<'w>(&self, world: &'w World) -> Result<&'w Mailbox, Refusal> {
        world.mailbox(&self.grant.address).ok_or_else(no_mailbox)
    }

    pub fn mailbox_mut<'w>(&self, world: &'w mut World) -> Result<&'w mut Mailbox, Refusal> {
        world.mailbox_mut(&self.grant.address).ok_or_else(no_mailbox)
    }

    pub fn folder(&self, world: &World, name: &str) -> Result<Folder, Refusal> {
        self.mailbox(world)?.folder(name).ok_or_else(Refusal::not_found)
    }

    /// What `Prefer` asks for; it holds for this request only.
    pub fn view(&self) -> View {
        View {
            immutable_ids: self.prefers(r#"IdType="ImmutableId""#),
            plain_bodies: self.prefers(r#"outlook.body-content-type="text""#),
        }
    }

    /// `Prefer: odata.maxpagesize=N`.
    pub fn page_size(&self) -> Option<usize> {
        self.preferences().find_map(|wish| wish.strip_prefix("odata.maxpagesize=")?.parse().ok())
    }

    fn prefers(&self, wish: &str) -> bool {
        self.preferences().any(|given| given.eq_ignore_ascii_case(wish))
    }

    fn preferences(&self) -> impl Iterator<Item = &str> {
        let lines = self.call.headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim)
    }

    pub fn query(&self, allowed: &[&str]) -> Result<Query, Refusal> {
        Query::parse(&self.call.pairs(), allowed)
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Refusal> {
        if !self.is_of("application/json") {
            return Err(self.wrong_media_type());
        }
        let message = "Unable to read JSON request payload. Please ensure Content-Type header is set and \
                       payload is of valid JSON format.";
        serde_json::from_slice(&self.call.body).map_err(|_| Refusal::bad("BadRequest", message))
    }

    pub fn is_of(&self, media_type: &str) -> bool {
        self.call.header("content-type").is_some_and(|kind| kind.starts_with(media_type))
    }

    pub fn wrong_media_type(&self) -> Refusal {
        let message = "A media type of the request is not supported.";
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "RequestBodyRead", message)
    }
}

fn no_mailbox() -> Refusal {
    let message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
    Refusal::new(StatusCode::NOT_FOUND, "MailboxNotEnabledForRESTAPI", message)
}

/// The path's segments, each decoded on its own: an id may hold an encoded slash.
fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(percent_decoded).collect()
}
