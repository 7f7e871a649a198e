//! Lambda's events: what a trigger hands to a function.

use functions::event::invocation;
use handlers::{
    delivery::chunk::Chunk,
    endpoint::{Reads, Trigger},
    invocation::{Invocation, SocketEvent},
};
use store::change::{self, Change};

/// An event; its first byte says of which trigger.
pub fn lambda_event(data: &[u8]) {
    let Some((kind, event)) = data.split_first() else { return };
    let trigger = match kind % 4 {
        0 => Trigger::Http { method: http::Method::POST, path: "/" },
        1 => Trigger::Socket { route_key: "$default" },
        2 => Trigger::Stream(Reads::All),
        _ => Trigger::Queue,
    };
    match invocation(&trigger, &String::from_utf8_lossy(event)) {
        Ok(Invocation::Http(call)) => {
            // What was read makes a request.
            http::Uri::try_from(if call.path.is_empty() { "/" } else { &call.path }).ok();
            assert!(call.query.iter().all(|(name, value)| name.len() + value.len() <= 3 * event.len()));
        }
        Ok(Invocation::Socket(call)) => {
            assert!(!call.connection_id.is_empty() && !call.route_key.is_empty());
            assert!(call.event == SocketEvent::Connect || call.headers.is_empty());
        }
        Ok(Invocation::Queue(messages)) => {
            for chunk in messages.iter().filter_map(|message| Chunk::parse(&message.body).ok()) {
                // What was read can be sent again, and is the same.
                let parcel = chunk.parcel().expect("it is JSON");
                assert_eq!(Chunk::parse(&parcel.body).ok(), Some(chunk));
            }
        }
        Ok(Invocation::Stream(_)) | Err(_) => {}
    }
}

/// A stream's batch, and what its images mean.
pub fn stream_record(data: &[u8]) {
    let Ok(Invocation::Stream(records)) =
        invocation(&Trigger::Stream(Reads::All), &String::from_utf8_lossy(data))
    else {
        return;
    };
    for record in records {
        let Some(image) = &record.new_image else { continue };
        if let Ok(Some(Change::Entry(entry))) = change::of(image, record.old_image.as_ref()) {
            // Everything that the fan-out asks first.
            let _ = (entry.subject(), entry.id(), entry.place.packed());
        }
    }
}
