//! Our own identity provider, Graph, mailbox and desk, for the demo and the tests.
