//! The one integration-test binary: each module is one way through the front door.
//!
//! With `SWITCHBOARD_TEST_DYNAMODB=http://127.0.0.1:8000` every test runs against that DynamoDB Local, each with a
//! table of its own; without it, in memory.

#[cfg(test)]
mod across;
#[cfg(test)]
mod channelize;
#[cfg(test)]
mod channels;
#[cfg(test)]
mod channelstream;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod costs;
#[cfg(test)]
mod events;
#[cfg(test)]
mod guarantees;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod issuer;
#[cfg(test)]
mod journeys;
#[cfg(test)]
mod lambda;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod least_privilege;
#[cfg(test)]
mod nkchat;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod road;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod template;
