//! Connections that can be cut.
//!
//! A connection that is cut writes what its allowance permits and then is
//! reset, before or within an answer, below HTTP: what a client sees is what a
//! dying load balancer shows it.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Lets a request cut the connection that it came by.
#[derive(Debug, Clone)]
pub(super) struct Shears {
    /// Bytes that may yet be written.
    allowance: Arc<AtomicUsize>,
}

impl Shears {
    /// The connection is reset once so many more bytes are written.
    pub(super) fn cut_after(&self, bytes: usize) {
        self.allowance.store(bytes, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, Wires>> for Shears {
    fn connect_info(stream: IncomingStream<'_, Wires>) -> Self {
        stream.io().shears.clone()
    }
}

/// Accepts connections that can be cut.
#[derive(Debug)]
pub(super) struct Wires(pub(super) TcpListener);

impl Listener for Wires {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, peer)) => {
                    // Without it each answer waits for the client's acknowledgement;
                    // a socket that refuses the option is only slower.
                    let _ = stream.set_nodelay(true);
                    return (Wire::new(stream), peer);
                }
                // Out of descriptors, or the peer was gone again: the next may do.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that can be cut.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    shears: Shears,
}

impl Wire {
    fn new(stream: TcpStream) -> Self {
        let allowance = Arc::new(AtomicUsize::new(usize::MAX));
        Self { stream, shears: Shears { allowance } }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let allowance = Arc::clone(&self.shears.allowance);
        let left = allowance.load(Ordering::Acquire);
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let allowed = buf.get(..left).unwrap_or(buf);
        let written = Pin::new(&mut self.stream).poll_write(cx, allowed);
        if let Poll::Ready(Ok(written)) = &written
            && left != usize::MAX
        {
            allowance.store(left.saturating_sub(*written), Ordering::Release);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
