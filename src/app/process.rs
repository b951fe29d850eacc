//! What the whole process is set to before anything else runs.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// No core dumps, no reading of our memory by other processes of the same user, as many open files as are
/// allowed: a connection takes two.
///
/// Failures are not fatal: a container may forbid these calls, and the gateway is no less correct then.
pub(super) fn harden() {
    let no_core = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, no_core) {
        eprintln!("mintgate: core dumps stay possible: {error}");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        eprintln!("mintgate: memory stays readable by its user: {error}");
    }
    let files = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }) {
        eprintln!("mintgate: the number of open files stays limited: {error}");
    }
}
