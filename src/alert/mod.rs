//! The door to people: mail and webhooks.
