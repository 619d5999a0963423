//! Live updates of a page.

use crate::flows::service::Service;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Changes that come together are sent together.
const SETTLE: Duration = Duration::from_millis(50);
/// How often to look for changes by other processes.
const POLL: Duration = Duration::from_millis(500);

/// A stream of what `read` returns, each time that differs. It is called whenever something
/// changes, and twice a second for changes by other processes. The stream ends with the program.
pub fn live<F: Future<Output = String> + Send>(
    svc: Arc<Service>,
    stop: CancellationToken,
    read: impl FnMut() -> F + Send + 'static,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stream = futures::stream::unfold((String::new(), read), move |(mut last, mut read)| {
        let (svc, stop) = (svc.clone(), stop.clone());
        async move {
            loop {
                let changed = svc.changed.notified();
                let now = read().await;
                if now != last {
                    last.clone_from(&now);
                    return Some((Ok(Event::default().data(now)), (last, read)));
                }
                tokio::select! {
                    () = stop.cancelled() => return None,
                    () = async { changed.await; tokio::time::sleep(SETTLE).await } => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
