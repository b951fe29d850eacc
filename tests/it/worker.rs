//! The mail worker against the sandbox's desk and Graph over HTTP and a real SQLite store: nothing is
//! lost and nothing is done twice.

mod announced;
mod courtesy;
mod crash;
mod files;
mod gaps;
mod gateways;
mod hiccups;
mod inbound;
mod limits;
mod long_list;
mod mails;
mod orders;
mod outbound;
mod policy;
mod references;
mod running;
mod scene;
mod senders;
mod servers;
mod soak;
mod stranded;
mod strangers;
mod submission;
mod told;
mod waits;
