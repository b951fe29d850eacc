//! The start-up file of the demo: an ordinary one, written to the demo's folder to be looked at.

use std::path::Path;

use crate::base::secret::ExposeSecret;
use crate::sandbox::{MAILBOX, Sandbox};

/// Its name in the demo's folder.
pub(super) const FILE: &str = "mintgate.yml";

/// The address that browsers open.
pub(super) fn public_url(https: u16) -> String {
    format!("https://desk.localhost:{https}")
}

pub(super) fn start_up_file(data: &Path, (http, https): (u16, u16), sandbox: &Sandbox) -> String {
    let app = sandbox.identity.app();
    format!(
        "\
# Written by `mintgate demo` at every start.
entryPoints:
  web:
    address: \"127.0.0.1:{http}\"
    http: {{ redirections: {{ entryPoint: {{ to: websecure }} }} }}
  websecure:
    address: \"127.0.0.1:{https}\"
    http: {{ tls: {{}} }}
ping: {{ entryPoint: web }}
dataDir: \"{data}\"
desk:
  url: \"{desk}\"
  bot: {{ email: mail-worker@desk.localhost, password: mail-worker }}
console: {{ publicUrl: \"{public}\" }}
microsoft:
  clientId: {client_id}
  clientSecret: {client_secret}
  tenantId: {tenant}
  authorityUrl: \"{identity}\"
  graphUrl: \"{graph}\"
mail: {{ from: {MAILBOX}, fromName: Helpdesk, pollInterval: 1s, rateLimit: 600 }}
http:
  routers:
    helpdesk:
      rule: \"Host(`desk.localhost`)\"
      service: desk@internal
      middlewares: [this-machine]
  middlewares:
    this-machine:
      ipAllowList: {{ sourceRange: [\"127.0.0.1\", \"::1\"] }}
",
        data = data.display(),
        desk = sandbox.desk.url(),
        public = public_url(https),
        client_id = app.client_id,
        client_secret = app.client_secret.expose_secret(),
        tenant = app.tenant,
        identity = sandbox.identity.url(),
        graph = sandbox.graph.url(),
    )
}
