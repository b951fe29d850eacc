//! Which key in YAML makes which middleware.
