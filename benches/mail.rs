//! What the mail worker takes: CPU time and memory of a first look into a full mailbox, every mail of which
//! becomes a ticket. Mail server and desk are processes of their own, so that only the worker is counted.
//!
//! - `sync graph|imap MAILS [BYTES]`: mails of at least BYTES each (1,000 where it is left out); the worker
//!   runs on one thread, beside the store's own and those on which mails are read,
//! - `desk`, `graph MAILS BYTES`, `imap MAILS BYTES`: the peers; they end with their standard input.

#[path = "../tests/it/support/many_mails.rs"]
mod many_mails;
#[path = "mail/peers.rs"]
mod peers;
#[path = "mail/work.rs"]
mod work;

use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u32>().expect("a number");
    mintgate::app::serve::install_cryptography();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match words[..] {
            ["sync", kind, mails] => work::sync(kind, number(mails), 1_000).await,
            ["sync", kind, mails, bytes] => work::sync(kind, number(mails), number(bytes) as usize).await,
            ["desk"] => peers::desk().await,
            ["graph", mails, bytes] => peers::graph(number(mails), number(bytes) as usize).await,
            ["imap", mails, bytes] => peers::imap(number(mails), number(bytes) as usize).await,
            _ => println!("usage: sync graph|imap MAILS [BYTES]"),
        }
    });
}
