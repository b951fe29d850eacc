//! The shield's means where no session is ever begun.

use std::sync::Arc;

use mintgate::base::audit::Audit;
use mintgate::base::clock::SystemClock;
use mintgate::middleware::session_shield::{DeskSide, Means, Sessions};
use mintgate::store::seal::{Sealer, SealingKey};
use mintgate::web::call::HttpCall;
use url::Url;

/// Without a store, in front of the desk at `url`.
pub fn no_shield(http: Arc<dyn HttpCall>, url: &Url) -> Arc<Means> {
    let sealer = Arc::new(Sealer::new(SealingKey::random()));
    let sessions = Arc::new(Sessions::new(sealer, Arc::new(SystemClock)));
    let audit = Audit::new(Arc::new(SystemClock));
    Arc::new(Means { sessions, desk: Arc::new(DeskSide::new(http, url, url)), audit })
}
