//! Keeps what a mail brings before its ticket tells of it, and writes the lines that tell where it is. Knows
//! neither who may see it nor how it is shown.

use std::time::Duration;

use tracing::warn;

use super::desk_action::Job;
use super::inbound::CUT_LINE;
use super::{Worker, WorkerError};
use crate::base::report::Report;
use crate::mail::read::{Limits, contents};
use crate::store::{FileRow, InboundRow, NewFile, Quota, StoreError};
use crate::web::own::{mail_file_path, mail_path};

/// Far less than a mail may take from its intent to the desk.
const LONGEST: Duration = Duration::from_secs(8);
/// Lines in a ticket; the mail's own page lists all.
const MOST_LINES: usize = 50;

impl Worker {
    /// Keeps the files of the mail, and says where they and the mail are.
    pub(super) async fn keep_files(&self, job: &Job<'_>) -> Result<String, WorkerError> {
        let files = if job.read.message.attachments.is_empty() {
            Vec::new()
        } else {
            let choice = &self.parts.settings.policy.files;
            let quota = Quota { per_mail: choice.per_mail, total: choice.total };
            let files = self.files_in(job).await?;
            self.parts.store.keep_files(job.mail.id, &files, quota, self.parts.clock.now()).await?
        };
        Ok(lines(&self.parts.settings.policy.files.origin, job.mail, &files))
    }

    async fn files_in(&self, job: &Job<'_>) -> Result<Vec<NewFile>, WorkerError> {
        let Some(raw) = self.parts.store.inbound_raw(job.mail.id).await? else {
            return Err(StoreError::Corrupt { what: "mail without its bytes" }.into());
        };
        let limits = Limits { bytes: self.parts.settings.max_size + CUT_LINE.len(), ..Limits::default() };
        let reading = tokio::task::spawn_blocking(move || contents::files(&raw, &limits));
        let bytes = match tokio::time::timeout(LONGEST, reading).await {
            Ok(Ok(Ok(bytes))) => bytes,
            Ok(Ok(Err(error))) => {
                warn!(mail = job.mail.id, error = %Report(&error), "the files of a mail cannot be read");
                Vec::new()
            }
            Ok(Err(_)) | Err(_) => {
                warn!(mail = job.mail.id, "the files of a mail cannot be read");
                Vec::new()
            }
        };
        let mut bytes = bytes.into_iter();
        let named = job.read.message.attachments.iter().map(|file| {
            let bytes = bytes.next();
            NewFile {
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                size: bytes.as_ref().map_or(file.size, Vec::len) as u64,
                bytes,
            }
        });
        Ok(named.collect())
    }
}

/// `origin` is empty where it is not known.
fn lines(origin: &str, mail: &InboundRow, files: &[FileRow]) -> String {
    let mut text = format!("[mintgate] The mail as it came: {origin}{}", mail_path(mail.id));
    if files.is_empty() {
        return text;
    }
    text.push_str("\n[mintgate] Files in this mail:");
    for file in files.iter().take(MOST_LINES) {
        let size = size(file.size);
        text.push_str(&match file.digest {
            Some(_) => {
                let path = mail_file_path(mail.id, file.position, &file.name);
                format!("\n- {} ({size}): {origin}{path}", file.name)
            }
            None => format!("\n- {} ({}, {size}): not kept, it is too large", file.name, file.media_type),
        });
    }
    if files.len() > MOST_LINES {
        text.push_str(&format!("\n- and {} more", files.len() - MOST_LINES));
    }
    text
}

/// In the units people know: 999 bytes, 12 kB, 3.4 MB.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_down() {
        for (bytes, text) in [(0, "0 bytes"), (999, "999 bytes"), (12_999, "12 kB"), (3_499_999, "3.4 MB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
