//! The one integration-test binary: each module is one way through the front door.

#[cfg(test)]
mod leaks;
#[cfg(test)]
mod template;
