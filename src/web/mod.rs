//! The status page: what is so, for eyes, for programs, for Prometheus. It looks, and changes nothing.
//!
//! - [`door`]: who is let in, where it may listen, what every answer carries
//! - `route`: what is asked for, by its path
//! - `books`: what the books say of it, as a `sheet` of sections, each the answer to one of `questions`
//! - `vitals`: whether all is well, at a glance
//! - `page`: a sheet as HTML; as JSON it is written as it is
//! - `ready`: whether the loops go on; `metrics`: the same in numbers
//! - `kept`: what was answered a moment ago is answered again
//!
//! What is always true here: only GET and HEAD are answered; the connections are its own, few,
//! and cannot write; no question to the books takes longer than [`LONGEST`]. Whatever happens
//! to a page happens to nothing else.

mod books;
pub mod door;
mod kept;
mod metrics;
mod page;
mod questions;
mod ready;
mod route;
mod sheet;
mod vitals;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use sqlx::PgPool;
use tokio::net::TcpListener;

pub use door::Settings;
use door::{Door, Refusal};
use kept::Kept;
pub use metrics::METRICS;
use route::{Asked, Form, Subject};

use crate::{
    engine::{Stop, pulse::Pulse, stopped},
    store::{Db, StoreError},
    time::Clock,
};

/// No question to the books takes longer.
pub const LONGEST: Duration = Duration::from_secs(5);
/// So old may what is answered be: however many look, the books are asked once.
pub const FRESH: Duration = Duration::from_secs(1);
/// What is counted over much of the books, or took long to answer, is asked for so many times less often.
const SELDOM: u32 = 10;
/// A loop that has not ended a step for so long stands still.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What a page is made of.
#[derive(Clone, Debug)]
pub struct Site {
    /// The books, to look at: one connection, so that however many look, they take one core of the database.
    pub books: PgPool,
    /// The same for who watches the process: no slow page keeps it from saying that it is well.
    pub watched: PgPool,
    /// What time it is.
    pub clock: Clock,
    /// Whether the loops of this process go on; none: it has none.
    pub pulse: Option<Pulse>,
    /// From when on a loop stands still.
    pub patience: Duration,
    /// How old an answer may be.
    pub fresh: Duration,
}

impl Site {
    /// Over these books, as it is outside a test.
    ///
    /// # Errors
    /// The address of the database is none.
    pub fn of(db: &Db, clock: Clock, pulse: Option<Pulse>) -> Result<Self, StoreError> {
        let (books, watched) = (db.lookers(1, LONGEST)?, db.lookers(1, LONGEST)?);
        Ok(Self { books, watched, clock, pulse, patience: PATIENCE, fresh: FRESH })
    }
}

/// What every request shares.
struct Desk {
    site: Site,
    door: Door,
    kept: Kept,
}

/// What goes out.
#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    kind: &'static str,
    body: Bytes,
}

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Answer {
    fn new(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, kind, body: body.into() }
    }
}

/// Listens where it may.
///
/// # Errors
/// It may not there, or cannot.
pub async fn bind(settings: &Settings, at: SocketAddr) -> io::Result<TcpListener> {
    door::may_listen(at, settings.token.as_ref())
        .map_err(|refused| io::Error::new(io::ErrorKind::PermissionDenied, refused))?;
    TcpListener::bind(at).await
}

/// Answers until told to end.
///
/// # Errors
/// The listener is broken.
pub async fn serve(listener: TcpListener, settings: &Settings, site: Site, mut stop: Stop) -> io::Result<()> {
    let desk = Desk { door: Door::of(settings), kept: Kept::for_at_most(site.fresh), site };
    let router = Router::new().fallback(answer).with_state(Arc::new(desk));
    let (mut told, ended) = (stop.clone(), async move { stopped(&mut stop).await });
    tokio::select! {
        served = axum::serve(listener, router).with_graceful_shutdown(ended).into_future() => served?,
        // A browser that keeps its connection open is not waited for.
        () = async { stopped(&mut told).await; Clock::Wall.sleep(Duration::from_secs(1)).await } => {}
    }
    Ok(())
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let asked = route::asked(parts.uri.path());
    let answer = match desk.door.admits(&parts.method, &parts.headers, &asked) {
        Ok(()) => desk.answer(&asked).await,
        Err(refusal) => refused(refusal),
    };
    dressed(answer, &asked, &parts.method)
}

impl Desk {
    async fn answer(&self, asked: &Asked) -> Answer {
        match asked {
            Asked::Health => Answer::new(StatusCode::OK, TEXT, "ok\n"),
            Asked::Style => Answer::new(StatusCode::OK, "text/css; charset=utf-8", page::STYLE),
            Asked::Script => Answer::new(StatusCode::OK, "text/javascript; charset=utf-8", page::SCRIPT),
            Asked::Icon => Answer::new(StatusCode::OK, "image/svg+xml", page::ICON),
            Asked::Ready => self.kept.or_made(asked, 1..=1, || ready::answer(&self.site)).await,
            Asked::Metrics => self.kept.or_made(asked, SELDOM..=SELDOM, || metrics::answer(&self.site)).await,
            Asked::Sheet(subject, form) => {
                self.kept.or_made(asked, 1..=SELDOM, || self.sheet(subject, *form)).await
            }
            Asked::Nothing => page::trouble(
                StatusCode::NOT_FOUND,
                Form::Html,
                "There is no such page.",
                "Begin at the overview.",
            ),
        }
    }

    async fn sheet(&self, subject: &Subject, form: Form) -> Answer {
        match books::read(&self.site, subject).await {
            Ok(Some(sheet)) => match form {
                Form::Html => Answer::new(StatusCode::OK, HTML, page::html(&sheet).into_string()),
                Form::Json => match serde_json::to_vec(&sheet) {
                    Ok(body) => Answer::new(StatusCode::OK, JSON, body),
                    Err(error) => page::trouble(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        form,
                        &error.to_string(),
                        "Report it.",
                    ),
                },
            },
            Ok(None) => {
                page::trouble(StatusCode::NOT_FOUND, form, &subject.missing(), "Begin at the overview.")
            }
            Err(error) => {
                tracing::warn!(%error, "a page could not be read");
                page::trouble(
                    StatusCode::SERVICE_UNAVAILABLE,
                    form,
                    &format!("{error}."),
                    &format!("What to do: {}.", error.next()),
                )
            }
        }
    }
}

fn refused(refusal: Refusal) -> Answer {
    let status = match refusal {
        Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::Host => StatusCode::MISDIRECTED_REQUEST,
        Refusal::Token => StatusCode::UNAUTHORIZED,
    };
    Answer::new(status, TEXT, format!("{refusal}\n"))
}

/// Puts on an answer what every answer carries.
fn dressed(Answer { status, kind, body }: Answer, asked: &Asked, method: &Method) -> Response {
    let length = body.len();
    let mut response = Response::new(if method == Method::HEAD { Body::empty() } else { Body::from(body) });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    for (name, value) in door::HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let kept = if asked.never_changes() { "public, max-age=31536000, immutable" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        StatusCode::UNAUTHORIZED => {
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hedge\""));
            let basic = HeaderValue::from_static("Basic realm=\"hedge\", charset=\"UTF-8\"");
            headers.append(header::WWW_AUTHENTICATE, basic);
        }
        _ => {}
    }
    response
}
