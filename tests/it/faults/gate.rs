//! A gate on the road to the broker: it can be shut, and tear a request in its middle.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::pit::{Pit, Setup};

/// Lets bytes through to a broker, or not.
pub struct Gate {
    here: SocketAddr,
    there: SocketAddr,
    tears: Arc<AtomicBool>,
    keeper: Option<JoinHandle<()>>,
}

impl Gate {
    async fn before(there: SocketAddr) -> Self {
        let here = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut gate = Self { here, there, tears: Arc::default(), keeper: None };
        gate.open().await;
        gate
    }

    /// Whoever comes is let through.
    pub async fn open(&mut self) {
        let listener = TcpListener::bind(self.here).await.unwrap();
        let (there, tears) = (self.there, Arc::clone(&self.tears));
        self.keeper = Some(tokio::spawn(async move {
            // Shut, and every road is cut.
            let mut roads = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                roads.spawn(road(client, there, Arc::clone(&tears)));
            }
        }));
    }

    /// Nobody is: connections are refused, those that were there are cut.
    pub async fn shut(&mut self) {
        let keeper = self.keeper.take().unwrap();
        keeper.abort();
        assert!(keeper.await.unwrap_err().is_cancelled());
    }

    /// The next order is torn in the middle of its body.
    pub fn tear(&self) {
        self.tears.store(true, Ordering::SeqCst);
    }
}

async fn road(mut client: TcpStream, there: SocketAddr, tears: Arc<AtomicBool>) {
    let Ok(mut broker) = TcpStream::connect(there).await else { return };
    let (mut from, mut to) = client.split();
    let (mut back, mut forth) = broker.split();
    let asked = async {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            let torn = bytes.starts_with(b"POST ") && tears.swap(false, Ordering::SeqCst);
            let through = if torn { count - 20 } else { count };
            if forth.write_all(&bytes[..through]).await.is_err() || torn {
                return;
            }
        }
    };
    tokio::select! {
        () = asked => {}
        _ = copy(&mut back, &mut to) => {}
    }
    // A reset, not a farewell.
    client.set_zero_linger().ok();
}

impl Pit {
    /// A pit whose desk reaches the broker through a gate.
    pub async fn gated() -> (Self, Gate) {
        let mut pit = Self::with(Setup::default()).await;
        let gate = Gate::before(pit.broker.addr()).await;
        pit.url = format!("http://{}", gate.here);
        pit.restart().await;
        (pit, gate)
    }
}
