//! Connections of the call service, as queues.

use model::identity::Node;
use tokio::sync::mpsc;

use super::Input;

/// Carries one device's messages.
pub(super) fn device(number: u64, socket: net::WebSocket, inputs: mpsc::UnboundedSender<Input>) {
    let (outbox, queue) = mpsc::unbounded_channel();
    let _ = inputs.send(Input::Opened(number, outbox));
    let last = inputs.clone();
    carry(
        socket,
        queue,
        move |text| inputs.send(Input::Text(number, text)).is_ok(),
        move || {
            let _ = last.send(Input::Closed(number));
        },
    );
}

/// Carries one media node's messages; what is no message of ours is ignored.
pub(super) fn node(
    node: Node,
    socket: net::WebSocket,
    inputs: mpsc::UnboundedSender<Input>,
) -> mpsc::UnboundedSender<String> {
    let (outbox, queue) = mpsc::unbounded_channel();
    let deliver = move |text: String| {
        serde_json::from_str(&text).map_or(true, |message| inputs.send(Input::Node(node, message)).is_ok())
    };
    carry(socket, queue, deliver, || {});
    outbox
}

/// Carries texts both ways until either end is gone.
pub(crate) fn carry(
    socket: net::WebSocket,
    mut queue: mpsc::UnboundedReceiver<String>,
    mut deliver: impl FnMut(String) -> bool + Send + 'static,
    closed: impl FnOnce() + Send + 'static,
) {
    let (mut sender, mut receiver) = socket.split();
    tokio::spawn(async move {
        while let Some(text) = queue.recv().await {
            if sender.send(&text).await.is_err() {
                break;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok(Some(text)) = receiver.recv().await {
            if !deliver(text) {
                return;
            }
        }
        closed();
    });
}
