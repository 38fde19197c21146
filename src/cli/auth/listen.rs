//! Meeting the browser where it is sent back to: on this machine, for one request.
//!
//! Schwab sends it to `https://127.0.0.1`, so the certificate is made here and now, and
//! nobody vouches for it. Nothing is answered but that the window may be closed.

use std::{net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use reqwest::Url;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer},
};

use crate::{secret::Secret, venue::schwab::OAuth};

/// The longest request that a browser makes of us.
const LONGEST: usize = 16 * 1024;
/// A connection that says nothing for so long is given up: browsers open some for later.
const PATIENCE: Duration = Duration::from_secs(10);

const THANKS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n\
                      hedge has what it needs. This window may be closed.\n";
const NOT_HERE: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Waits where the browser is sent to.
pub(super) struct Listener {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// At `redirect_uri`.
    pub(super) async fn bind(redirect_uri: &str) -> anyhow::Result<Self> {
        let url = Url::parse(redirect_uri).context("the redirect_uri is no url")?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !here {
            bail!(
                "the redirect_uri {redirect_uri} is not on this machine: leave --listen out and paste the address"
            );
        }
        let port = url.port_or_known_default().context("the redirect_uri has no port")?;
        let tcp = TcpListener::bind((host, port))
            .await
            .with_context(|| format!("cannot listen at {redirect_uri}"))?;
        let tls = if url.scheme() == "https" { Some(acceptor(host)?) } else { None };
        Ok(Self { tcp, tls })
    }

    /// The code that the browser brings; `None` where the broker sent it back without one.
    pub(super) async fn code(self) -> anyhow::Result<Option<Secret>> {
        loop {
            let (stream, _) = self.tcp.accept().await?;
            let met = async {
                match &self.tls {
                    None => meet(stream).await,
                    // Refused certificates and knocks in clear are no visit.
                    Some(tls) => meet(tls.accept(stream).await.ok()?).await,
                }
            };
            if let Ok(Some(found)) = tokio::time::timeout(PATIENCE, met).await {
                return Ok(found.0);
            }
        }
    }
}

/// What a visit brought: a code, or the broker's word that there is none.
struct Visit(Option<Secret>);

async fn meet(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<Visit> {
    let mut heard = Vec::new();
    while !heard.windows(4).any(|end| end == b"\r\n\r\n") && heard.len() < LONGEST {
        if stream.read_buf(&mut heard).await.ok()? == 0 {
            return None;
        }
    }
    let heard = String::from_utf8_lossy(&heard);
    let target = heard.lines().next()?.strip_prefix("GET ")?.split(' ').next()?;
    let visit = match OAuth::code_in(target) {
        Some(code) => Some(Visit(Some(code))),
        None if target.contains("error=") => Some(Visit(None)),
        None => None,
    };
    let answer = if visit.is_some() { THANKS } else { NOT_HERE };
    stream.write_all(answer.as_bytes()).await.ok();
    stream.shutdown().await.ok();
    visit
}

/// A certificate for here and now.
fn acceptor(host: &str) -> anyhow::Result<TlsAcceptor> {
    let made = rcgen::generate_simple_self_signed([host.to_owned()])?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn visited(redirect_uri: &str, paths: &[&str]) -> Option<Secret> {
        let listener = Listener::bind(redirect_uri).await.unwrap();
        let port = listener.tcp.local_addr().unwrap().port();
        let scheme = redirect_uri.split(':').next().unwrap();
        let code = tokio::spawn(listener.code());
        let browser = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        for path in paths {
            browser.get(format!("{scheme}://127.0.0.1:{port}{path}")).send().await.unwrap();
        }
        code.await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn the_browser_is_met_with_and_without_tls_whatever_else_it_asks_for() {
        let _ = ring::default_provider().install_default();
        for at in ["http://127.0.0.1:0", "https://127.0.0.1:0"] {
            let code = visited(at, &["/favicon.ico", "/?code=C0.x%40&session=s"]).await;
            assert_eq!(code.unwrap().expose(), "C0.x@", "{at}");
        }
        assert_eq!(visited("http://127.0.0.1:0", &["/?error=access_denied"]).await, None);
    }

    #[tokio::test]
    async fn nobody_waits_on_another_machine() {
        assert!(Listener::bind("https://desk.example:8182").await.is_err());
    }
}
