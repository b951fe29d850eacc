//! The vault of tokens and the keeper that keeps them alive.
