//! A broker that only repeats what it was told to say.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

/// A broker that answers what it is told to, and remembers what it was asked.
#[derive(Clone, Default)]
pub struct Parrot {
    answers: Arc<Mutex<VecDeque<Says>>>,
    pub heard: Arc<Mutex<Vec<Heard>>>,
}

struct Says {
    status: u16,
    header: Option<(&'static str, String)>,
    body: String,
}

#[derive(Clone)]
pub struct Heard {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Parrot {
    pub async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let parrot = self.clone();
        let answer = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| -> Response {
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            parrot.heard.lock().unwrap().push(Heard { method, uri, headers, body });
            let Says { status, header: given, body } =
                parrot.answers.lock().unwrap().pop_front().expect("nobody asks so often");
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            // A time of no world that a test is in, unless it is told one.
            let nowhen = HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT");
            response.headers_mut().insert(header::DATE, nowhen);
            if let Some((name, value)) = given {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        };
        tokio::spawn(
            async move { axum::serve(listener, axum::Router::new().fallback(answer)).await.unwrap() },
        );
        url
    }

    #[expect(clippy::needless_pass_by_value, reason = "a literal or a value: what the test has at hand")]
    pub fn says(&self, status: u16, body: impl ToString) -> &Self {
        self.answers.lock().unwrap().push_back(Says { status, header: None, body: body.to_string() });
        self
    }

    /// Says it at a time of its own.
    #[expect(clippy::needless_pass_by_value, reason = "a literal or a value: what the test has at hand")]
    pub fn says_dated(&self, status: u16, date: &str, body: impl ToString) -> &Self {
        let header = Some(("date", date.to_owned()));
        self.answers.lock().unwrap().push_back(Says { status, header, body: body.to_string() });
        self
    }

    pub fn says_with(&self, status: u16, header: (&'static str, &str)) -> &Self {
        let header = Some((header.0, header.1.to_owned()));
        self.answers.lock().unwrap().push_back(Says { status, header, body: "{}".to_owned() });
        self
    }

    /// `METHOD /path?query`, in the order of their coming.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().iter().map(|it| format!("{} {}", it.method, it.uri)).collect()
    }
}
