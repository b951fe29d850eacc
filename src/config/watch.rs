//! Tells when files change: by the system's notices on their folders, and by looking now and then.
//!
//! Folders are watched, because editors and Kubernetes replace a file or a link instead of writing into
//! it; and files, because a file mounted alone is not its folder's. What counts is the content, so that a
//! touched file is no change. Knows nothing of YAML.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use notify::event::AccessKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::base::secret::sha256;
use crate::base::wake::Wake;

/// How deep folders are looked at.
const MAX_DEPTH: usize = 16;

/// Changes cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("changes of files cannot be watched")]
    Notices { source: notify::Error },
    #[error("the watching thread cannot be started")]
    Thread { source: io::Error },
}

/// How patient the watch is.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// After a notice, how long it has to be quiet before the content is looked at.
    pub quiet: Duration,
    /// How often the content is looked at without a notice: some mounts send none.
    pub look: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { quiet: Duration::from_millis(200), look: Duration::from_secs(10) }
    }
}

/// Watches until it is dropped.
pub struct Watch {
    followed: Arc<Mutex<Followed>>,
    orders: Sender<Order>,
}

/// What is followed, and a number for the content each had when it was last looked at.
type Followed = BTreeMap<PathBuf, [u8; 32]>;

enum Order {
    /// Something may have changed.
    Look,
    End,
}

impl Watch {
    /// Rings `changed` whenever the content below `paths` (files or folders, now or later there) is not
    /// what it was.
    ///
    /// # Errors
    /// The system gives no notices, or no thread.
    pub fn start(paths: Vec<PathBuf>, pace: Pace, changed: Wake) -> Result<Self, WatchError> {
        let (orders, inbox) = mpsc::channel();
        let notices = orders.clone();
        let notify = notify::recommended_watcher(move |notice: notify::Result<Event>| {
            // Our own looks open files. A notice that is an error (an overflow, for one) is a reason to
            // look as well.
            if !notice.is_ok_and(|event| matches!(event.kind, EventKind::Access(AccessKind::Open(_)))) {
                // When the inbox is gone the watch has ended.
                drop(notices.send(Order::Look));
            }
        })
        .map_err(|source| WatchError::Notices { source })?;
        let followed = Arc::new(Mutex::new(look_at(paths)));
        let mut watching = Watching { notify, places: BTreeSet::new(), followed: followed.clone() };
        watching.watch_places();
        thread::Builder::new()
            .name("config-watch".to_owned())
            .spawn(move || watching.run(&inbox, pace, &changed))
            .map_err(|source| WatchError::Thread { source })?;
        Ok(Self { followed, orders })
    }

    /// Watches `paths` from now on instead. Content of a path that is new counts as it is now; that of a
    /// path followed already, as it was when last looked at, so that no change in between is lost.
    pub fn follow(&self, paths: Vec<PathBuf>) {
        let mut followed = locked(&self.followed);
        followed.retain(|path, _| paths.contains(path));
        let new = paths.into_iter().filter(|path| !followed.contains_key(path)).collect();
        followed.extend(look_at(new));
        drop(followed);
        // Fails only when the thread is gone, and with it everything to watch for.
        drop(self.orders.send(Order::Look));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.orders.send(Order::End));
    }
}

fn locked(followed: &Mutex<Followed>) -> MutexGuard<'_, Followed> {
    followed.lock().unwrap_or_else(PoisonError::into_inner)
}

fn look_at(paths: Vec<PathBuf>) -> Followed {
    paths.into_iter().map(|path| (path.clone(), fingerprint(&path))).collect()
}

struct Watching {
    notify: RecommendedWatcher,
    places: BTreeSet<PathBuf>,
    followed: Arc<Mutex<Followed>>,
}

impl Watching {
    fn run(mut self, inbox: &Receiver<Order>, pace: Pace, changed: &Wake) {
        loop {
            match inbox.recv_timeout(pace.look) {
                Ok(Order::Look) if !until_quiet(inbox, pace.quiet) => return,
                Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Order::Look) | Err(RecvTimeoutError::Timeout) => {}
            }
            // First, so that what changes after the look is noticed.
            self.watch_places();
            if self.look() {
                changed.ring();
            }
        }
    }

    /// Whether any content is not what it was.
    fn look(&self) -> bool {
        let mut any = false;
        for (path, known) in locked(&self.followed).iter_mut() {
            let now = fingerprint(path);
            any |= now != *known;
            *known = now;
        }
        any
    }

    /// Watches exactly the places that tell about what is followed now. One that cannot be watched is
    /// looked at on schedule.
    fn watch_places(&mut self) {
        let mut wanted = BTreeSet::new();
        for path in locked(&self.followed).keys() {
            places_of(path, &mut wanted);
        }
        for place in self.places.difference(&wanted) {
            // It may be gone already, and its watch with it.
            drop(self.notify.unwatch(place));
        }
        // What was replaced under the same name needs a new watch: the old one follows what was there.
        wanted.retain(|place| self.notify.watch(place, RecursiveMode::NonRecursive).is_ok());
        self.places = wanted;
    }
}

/// Waits until nothing came for `quiet`; false when the watch has to end.
fn until_quiet(inbox: &Receiver<Order>, quiet: Duration) -> bool {
    loop {
        match inbox.recv_timeout(quiet) {
            Ok(Order::Look) => {}
            Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => return true,
        }
    }
}

/// What gives notice about `path`: itself and all below it, its folder, and the folders of every link on
/// its way.
fn places_of(path: &Path, places: &mut BTreeSet<PathBuf>) {
    for ancestor in path.ancestors() {
        let is_link = ancestor.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        if is_link || ancestor == path {
            places.extend(ancestor.parent().map(non_empty));
        }
    }
    walk(path, 0, &mut |path, is_folder| {
        places.insert(path.to_owned());
        if let Ok(real) = path.canonicalize()
            && (!is_folder || path.is_symlink())
            && real != path
        {
            places.extend(real.parent().map(Path::to_owned));
        }
    });
}

fn non_empty(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}

/// One number for everything below `path`: names and contents, and what cannot be read.
fn fingerprint(path: &Path) -> [u8; 32] {
    let mut seen = Vec::new();
    walk(path, 0, &mut |path, is_folder| {
        seen.extend_from_slice(&sha256(path.as_os_str().as_encoded_bytes()));
        if !is_folder {
            match std::fs::read(path) {
                Ok(bytes) => seen.extend_from_slice(&sha256(&bytes)),
                Err(error) => seen.extend_from_slice(error.kind().to_string().as_bytes()),
            }
        }
    });
    sha256(&seen)
}

/// Visits `path` and everything below it in the order of names.
fn walk(path: &Path, depth: usize, visit: &mut dyn FnMut(&Path, bool)) {
    let is_folder = path.is_dir();
    visit(path, is_folder);
    if !is_folder || depth >= MAX_DEPTH {
        return;
    }
    let Ok(entries) = std::fs::read_dir(path) else { return };
    let mut children: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    children.sort();
    for child in children {
        walk(&child, depth + 1, visit);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_touched_file_is_no_change_and_a_renamed_one_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.yml");
        fs::write(&file, "a: 1").expect("written");
        let before = fingerprint(folder.path());

        let touched = fs::File::options().append(true).open(&file).expect("opened");
        touched.set_modified(SystemTime::UNIX_EPOCH).expect("touched");
        assert_eq!(fingerprint(folder.path()), before);

        fs::rename(&file, folder.path().join("b.yml")).expect("renamed");
        assert_ne!(fingerprint(folder.path()), before);
    }

    #[test]
    fn places_of_every_link_on_the_way_are_watched() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a real path");
        fs::create_dir_all(root.join("real/rules")).expect("folders");
        fs::create_dir(root.join("links")).expect("a folder");
        std::os::unix::fs::symlink("../real", root.join("links/current")).expect("a link");
        let mut places = BTreeSet::new();

        places_of(&root.join("links/current/rules"), &mut places);

        for expected in ["links", "links/current", "links/current/rules"] {
            assert!(places.contains(&root.join(expected)), "{expected} is not in {places:?}");
        }
    }
}
