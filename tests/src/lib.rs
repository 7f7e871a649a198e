//! Everything tried through the front door.
