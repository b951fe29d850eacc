//! Who is a helpdesk admin: the desk's own word, asked now or at most 5 s ago.

/// Asks the desk and remembers its answers for a short time.
pub struct Admins {}
