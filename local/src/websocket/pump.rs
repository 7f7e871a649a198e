//! What comes and goes on an open socket, its limits, and its end.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{io::AsyncReadExt, sync::mpsc, time::Instant};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use super::{
    MAX_FRAME, SocketTimes,
    route::{self, Inbound},
};
use crate::{
    connections::{Close, Connection, Connections, Waiting},
    http::Server,
    management::MAX_MESSAGE,
    template::SocketApi,
};

type Socket = WebSocketStream<TokioIo<Upgraded>>;
type Sink = futures_util::stream::SplitSink<Socket, Message>;
type Stream = futures_util::stream::SplitStream<Socket>;

/// Messages of one client that may wait for its functions; then its socket is not read.
const INBOX: usize = 16;
/// How long a closing handshake may take.
const CLOSING: Duration = Duration::from_secs(1);
/// Frames that are written between two flushes.
const WRITE_BATCH: usize = 64;

/// Runs a connection from the upgrade to the end of its `$disconnect`.
pub(crate) async fn run(
    server: &Server,
    api: &SocketApi,
    connection: &Arc<Connection>,
    waiting: Waiting,
    upgrade: OnUpgrade,
) {
    let (inbox, messages) = mpsc::channel(INBOX);
    let open = Open { server, connection, gone: Gone(&server.connections, &connection.id) };
    let pumping = async move {
        let (code, reason) = match upgrade.await {
            Ok(upgraded) => open.pump(upgraded, waiting, &inbox).await,
            Err(_) => (LOST, String::new()),
        };
        // No post is taken any more by the time that `$disconnect` is told.
        drop(open);
        let _ = inbox.send(Inbound::Closed(code, reason)).await;
    };
    tokio::join!(pumping, route::handle(server, api, connection, messages));
}

/// The code of a socket that died without a word (RFC 6455, 7.1.5).
const LOST: u16 = 1006;
/// The code of a close frame without a code.
const NO_CODE: u16 = 1005;

/// Takes the connection off the list, however its task ends.
struct Gone<'a>(&'a Connections, &'a str);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

struct Open<'a> {
    server: &'a Server,
    connection: &'a Arc<Connection>,
    #[expect(dead_code, reason = "held for its drop")]
    gone: Gone<'a>,
}

/// How a socket came to its end.
enum End {
    /// The client said so, with this code.
    ByPeer(u16, String),
    /// It died.
    Lost,
    /// This side closes it, in good order.
    ByServer(Close),
    /// The client broke a rule: what else it sends is not understood.
    Refused(Close),
}

impl Open<'_> {
    /// Pumps until the end; says the code and the reason for `$disconnect`.
    async fn pump(
        &self,
        upgraded: Upgraded,
        mut waiting: Waiting,
        inbox: &mpsc::Sender<Inbound>,
    ) -> (u16, String) {
        let config = WebSocketConfig::default()
            .read_buffer_size(4 * 1024)
            .write_buffer_size(16 * 1024)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_FRAME));
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        let (mut sink, mut stream) = socket.split();
        let mut batch = Vec::with_capacity(1);
        let mut closing = self.server.closing.clone();
        let end = tokio::select! {
            biased;
            close = waiting.close.wait_for(Option::is_some) => {
                End::ByServer(close.ok().and_then(|close| close.clone()).unwrap_or_else(|| away("")))
            }
            _ = closing.wait_for(|closing| *closing) => End::ByServer(away("Server is going away")),
            reason = self.outlive(self.server.socket_times) => End::ByServer(away(reason)),
            end = self.write(&mut sink, &mut waiting.frames, &mut batch) => end,
            end = self.read(&mut stream, inbox) => end,
        };
        // Nothing is taken any more; what was taken before is still sent.
        self.connection.close(0, "");
        match end {
            End::ByPeer(code, reason) => {
                let _ = tokio::time::timeout(CLOSING, async { while stream.next().await.is_some() {} }).await;
                (code, reason)
            }
            End::Lost => (LOST, String::new()),
            End::ByServer(close) => {
                let farewell = async {
                    while let Ok(frame) = waiting.frames.try_recv() {
                        sink.feed(Message::Text(frame)).await?;
                    }
                    sink.send(close_message(&close)).await?;
                    while stream.next().await.is_some() {}
                    Ok::<(), Error>(())
                };
                let _ = tokio::time::timeout(CLOSING, farewell).await;
                (close.code, close.reason)
            }
            End::Refused(close) => {
                let _ = tokio::time::timeout(CLOSING, refuse(sink, stream, &close)).await;
                (close.code, close.reason)
            }
        }
    }

    /// Writes what waits, until the socket is dead.
    async fn write(
        &self,
        sink: &mut Sink,
        frames: &mut mpsc::Receiver<Utf8Bytes>,
        batch: &mut Vec<Utf8Bytes>,
    ) -> End {
        while frames.recv_many(batch, WRITE_BATCH).await > 0 {
            let size = batch.iter().map(|frame| frame.len()).sum();
            for frame in batch.drain(..) {
                if sink.feed(Message::Text(frame)).await.is_err() {
                    return End::Lost;
                }
            }
            if sink.flush().await.is_err() {
                return End::Lost;
            }
            self.connection.sent(size);
            self.connection.touch(&self.server.context.clock);
        }
        End::Lost
    }

    /// Reads what the client sends, until it ends or breaks a rule.
    async fn read(&self, stream: &mut Stream, inbox: &mpsc::Sender<Inbound>) -> End {
        while let Some(received) = stream.next().await {
            self.connection.touch(&self.server.context.clock);
            match received {
                Ok(Message::Text(text)) => {
                    if inbox.send(Inbound::Message(text)).await.is_err() {
                        return End::Lost;
                    }
                }
                Ok(Message::Binary(_)) => return refused(1003, "Binary is not supported"),
                Ok(Message::Close(frame)) => {
                    return frame.map_or_else(
                        || End::ByPeer(NO_CODE, String::new()),
                        |frame| End::ByPeer(frame.code.into(), frame.reason.as_str().to_owned()),
                    );
                }
                // The pong to a ping goes out with the next read.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Err(Error::Capacity(_)) => return refused(1009, "Message too long"),
                Err(Error::Utf8(_)) => return refused(1007, "Text is not UTF-8"),
                Err(Error::Protocol(error)) if !is_loss(&error) => return refused(1002, "Protocol error"),
                Err(_) => return End::Lost,
            }
        }
        End::Lost
    }

    /// Waits until the socket has idled or lived for too long; says which.
    async fn outlive(&self, times: SocketTimes) -> &'static str {
        let end = Instant::now() + times.lifetime;
        let mut last = (self.connection.activity(), Instant::now());
        loop {
            // Looked at now and then instead of set anew with every frame: an idle end may come a little late.
            let idle_at = last.1 + times.idle;
            tokio::time::sleep_until(idle_at.min(end)).await;
            if Instant::now() >= end {
                return "Connection duration limit";
            }
            let seen = self.connection.activity();
            if seen == last.0 {
                return "Idle timeout";
            }
            last = (seen, Instant::now());
        }
    }
}

/// Says goodbye to a client that broke a rule, and lets what it still sends run into the void: a reset would
/// take the close frame with it.
async fn refuse(mut sink: Sink, stream: Stream, close: &Close) {
    if sink.send(close_message(close)).await.is_err() {
        return;
    }
    let Ok(mut socket) = sink.reunite(stream) else { return };
    let mut void = vec![0; 16 * 1024];
    while matches!(socket.get_mut().read(&mut void).await, Ok(read) if read > 0) {}
}

fn away(reason: &str) -> Close {
    Close { code: 1001, reason: reason.to_owned() }
}

fn refused(code: u16, reason: &str) -> End {
    End::Refused(Close { code, reason: reason.to_owned() })
}

fn close_message(close: &Close) -> Message {
    Message::Close(Some(CloseFrame {
        code: CloseCode::from(close.code),
        reason: close.reason.as_str().into(),
    }))
}

fn is_loss(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(error, ProtocolError::ResetWithoutClosingHandshake)
}
