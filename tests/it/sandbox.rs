//! The stand-ins over real HTTP: do they answer as the servers they stand for?

mod client;
mod desk;
mod graph;
mod identity;
mod recordings;
