//! The helpdesk's API as a type. Facts: Peppermint main of September 2025, as observed.
