//! Mail becomes tickets, answers become mail.
