//! One Lambda binary per endpoint.
