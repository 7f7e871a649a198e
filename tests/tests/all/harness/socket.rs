//! A socket that takes down everything it hears.

use futures_util::StreamExt;
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::within;

/// What a socket has heard so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    pub(crate) frames: Vec<Value>,
    /// The code it was closed with, or 1006 if it just ended.
    pub(crate) closed: Option<u16>,
}

/// An open socket. Dropped, it hangs up without a word.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) user: String,
    heard: watch::Receiver<Heard>,
    told: usize,
    reading: JoinHandle<()>,
    close: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Socket {
    /// Opens a socket of the user's.
    pub(crate) async fn open(user: &str, request: impl IntoClientRequest + Unpin) -> Result<Self, Error> {
        let (socket, _) = within("a handshake", connect_async(request)).await?;
        let (telling, heard) = watch::channel(Heard::default());
        let (close, mut closing) = tokio::sync::oneshot::channel::<()>();
        let reading = tokio::spawn(async move {
            let (mut sink, mut stream) = socket.split();
            let mut asked = false;
            loop {
                let received = tokio::select! {
                    received = stream.next() => received,
                    Ok(()) = &mut closing, if !asked => {
                        asked = true;
                        let _ = futures_util::SinkExt::send(&mut sink, Message::Close(None)).await;
                        continue;
                    }
                };
                let code = match received {
                    Some(Ok(Message::Text(text))) => {
                        let frame = serde_json::from_str(&text).unwrap_or_else(|_| text.as_str().into());
                        telling.send_modify(|heard| heard.frames.push(frame));
                        continue;
                    }
                    Some(Ok(Message::Close(Some(frame)))) => frame.code.into(),
                    Some(Ok(Message::Close(None))) => 1005,
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => 1006,
                };
                telling.send_modify(|heard| heard.closed = heard.closed.or(Some(code)));
                if code == 1006 || asked {
                    return;
                }
            }
        });
        Ok(Self { user: user.to_owned(), heard, told: 0, reading, close: Some(close) })
    }

    /// Waits until what was heard is so, and says all that was heard until then.
    pub(crate) async fn wait_until(&self, what: &str, so: impl FnMut(&Heard) -> bool) -> Heard {
        let mut heard = self.heard.clone();
        let waiting = heard.wait_for(so);
        within(what, waiting).await.unwrap().clone()
    }

    /// Waits for a mark, and says what was heard before it and after what was told before.
    pub(crate) async fn up_to(&mut self, mark: &Value) -> Vec<Value> {
        let all = self.wait_until("a mark", |heard| heard.frames.contains(mark)).await.frames;
        let end = all.iter().position(|frame| frame == mark).unwrap();
        let since = all[self.told..end].iter().filter(|frame| frame.get("mark").is_none());
        let since = since.cloned().collect();
        self.told = end + 1;
        since
    }

    /// Says goodbye, and waits for the answer.
    pub(crate) async fn close(mut self) {
        self.close.take().unwrap().send(()).unwrap();
        self.wait_until("the answer to a goodbye", |heard| heard.closed.is_some()).await;
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reading.abort();
    }
}
