//! How long a connection may take to stand: all requests share the connections, and each has a
//! limit of its own for one that it has to open.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::task_local;
use tokio::time::timeout;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

task_local! {
    /// That of the request that this task sends.
    static LIMIT: Duration;
}

/// Sends a request: a connection that is opened for it may take so long.
pub(super) async fn within<T>(limit: Duration, request: impl Future<Output = T>) -> T {
    LIMIT.scope(limit, request).await
}

/// Every connection is opened through this, by the task of the request that wants it.
pub(super) fn open<T>(
    opening: impl Future<Output = Result<T, BoxError>>,
) -> impl Future<Output = Result<T, BoxError>> {
    let limit = LIMIT.try_with(|limit| *limit).unwrap_or(Duration::MAX);
    async move {
        let opened = timeout(limit, opening).await;
        opened.unwrap_or_else(|_| Err(io::Error::from(ErrorKind::TimedOut).into()))
    }
}
