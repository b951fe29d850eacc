//! The places between two lasting effects, where a crash is most telling. In production nothing
//! happens there; a test stops the work at one of them and looks what a restart makes of it.

/// A moment just after one lasting effect and before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// The raw mail is stored, the cursor not moved.
    RawStored,
    /// The cursor is moved.
    CursorWritten,
    /// What is to become of the mail is written, the desk not asked.
    IntentWritten,
    /// The desk has done it, the ledger does not know.
    DeskAnswered,
    /// The ledger knows, the server's flags are not set.
    MailEnded,
    /// The draft is at the provider, its id not stored.
    DraftCreated,
    /// The dispatch is written, the send command not given.
    DispatchWritten,
    /// The mail is sent, the outbox does not know.
    MailSent,
}

impl Point {
    /// Every point, in the order a mail and its answer pass them.
    pub const ALL: [Point; 8] = [
        Point::RawStored,
        Point::CursorWritten,
        Point::IntentWritten,
        Point::DeskAnswered,
        Point::MailEnded,
        Point::DraftCreated,
        Point::DispatchWritten,
        Point::MailSent,
    ];
}
