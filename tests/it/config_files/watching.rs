//! Every way in which files come to change on real systems is seen.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mintgate::base::wake::Wake;
use mintgate::config::watch::{Pace, Watch};

use super::Folder;

/// Notices only: the next look without one is an hour away.
const NOTICES: Pace = Pace { quiet: Duration::from_millis(20), look: Duration::from_secs(3600) };

/// The longest a change may stay unseen; far more than it takes.
const BOUND: Duration = Duration::from_secs(20);

struct Watched {
    _watch: Watch,
    wake: Wake,
}

fn watch(paths: &[&Path], pace: Pace) -> Watched {
    let wake = Wake::new();
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    let watch = Watch::start(paths, pace, wake.clone()).expect("a watch");
    Watched { _watch: watch, wake }
}

impl Watched {
    async fn sees(&self, what: &str) {
        let seen = tokio::time::timeout(BOUND, self.wake.rung()).await;
        assert!(seen.is_ok(), "{what} was not seen");
    }
}

#[tokio::test]
async fn writing_into_a_file_is_seen() {
    let folder = Folder::new();
    let file = folder.write("rules.yml", "a: 1\n");
    let watched = watch(&[&file], NOTICES);
    fs::write(&file, "a: 2\n").expect("written");
    watched.sees("a write").await;
}

#[tokio::test]
async fn a_file_renamed_over_another_is_seen_each_time() {
    let folder = Folder::new();
    let file = folder.write("rules.yml", "a: 1\n");
    let watched = watch(&[&file], NOTICES);
    for round in 2..5 {
        let new = folder.write("rules.yml.new", &format!("a: {round}\n"));
        fs::rename(new, &file).expect("renamed");
        watched.sees("a rename").await;
    }
}

#[tokio::test]
async fn a_file_that_was_away_and_comes_back_is_seen() {
    let folder = Folder::new();
    let file = folder.write("rules.yml", "a: 1\n");
    let watched = watch(&[&file], NOTICES);
    fs::remove_file(&file).expect("removed");
    watched.sees("a removal").await;
    folder.write("rules.yml", "a: 1\n");
    watched.sees("a return").await;
}

#[tokio::test]
async fn new_files_in_new_folders_are_seen() {
    let folder = Folder::new();
    folder.write("rules/a.yml", "a: 1\n");
    let watched = watch(&[&folder.path("rules")], NOTICES);
    fs::create_dir(folder.path("rules/new")).expect("a folder");
    watched.sees("a new folder").await;
    folder.write("rules/new/b.yml", "b: 1\n");
    watched.sees("a file in a new folder").await;
    fs::write(folder.path("rules/new/b.yml"), "b: 2\n").expect("written");
    watched.sees("a write in a new folder").await;
}

#[tokio::test]
async fn a_config_map_that_swaps_its_link_is_seen() {
    let folder = Folder::new();
    folder.write("rules/..1/a.yml", "a: 1\n");
    folder.write("rules/..2/a.yml", "a: 2\n");
    folder.write("rules/..3/a.yml", "a: 3\n");
    symlink("..1", folder.path("rules/..data")).expect("a link");
    symlink("..data/a.yml", folder.path("rules/a.yml")).expect("a link");
    let watched = watch(&[&folder.path("rules/a.yml")], NOTICES);
    for generation in ["..2", "..3"] {
        symlink(generation, folder.path("rules/..new")).expect("a link");
        fs::rename(folder.path("rules/..new"), folder.path("rules/..data")).expect("swapped");
        watched.sees(generation).await;
    }
}

#[tokio::test]
async fn a_write_to_what_a_link_elsewhere_points_to_is_seen() {
    let folder = Folder::new();
    let target = folder.write("elsewhere/a.yml", "a: 1\n");
    fs::create_dir(folder.path("rules")).expect("a folder");
    symlink(&target, folder.path("rules/a.yml")).expect("a link");
    let watched = watch(&[&folder.path("rules")], NOTICES);
    fs::write(&target, "a: 2\n").expect("written");
    watched.sees("a write behind a link").await;
}

#[tokio::test]
async fn a_folder_replaced_under_its_name_is_seen_and_still_watched() {
    let folder = Folder::new();
    folder.write("rules/a.yml", "a: 1\n");
    folder.write("next/a.yml", "a: 2\n");
    let watched = watch(&[&folder.path("rules")], NOTICES);
    fs::rename(folder.path("rules"), folder.path("old")).expect("renamed");
    fs::rename(folder.path("next"), folder.path("rules")).expect("renamed");
    watched.sees("a replaced folder").await;
    folder.write("rules/a.yml", "a: 3\n");
    watched.sees("a write in the new folder").await;
}

#[tokio::test]
async fn without_notices_a_change_is_seen_at_the_next_look() {
    let folder = Folder::new();
    let file = folder.write("rules.yml", "a: 1\n");
    let pace = Pace { quiet: Duration::ZERO, look: Duration::from_millis(50) };
    let watched = watch(&[&folder.path("missing/rules.yml"), &file], pace);
    folder.write("missing/rules.yml", "b: 1\n");
    watched.sees("a file in a folder that could not be watched").await;
}

#[tokio::test]
async fn what_is_followed_may_change() {
    let folder = Folder::new();
    let (first, second) = (folder.write("a/a.yml", "a: 1\n"), folder.write("b/b.yml", "b: 1\n"));
    let watched = watch(&[&first], NOTICES);
    watched._watch.follow(vec![first, second.clone()]);
    fs::write(&second, "b: 2\n").expect("written");
    watched.sees("a write to a file followed later").await;
}
