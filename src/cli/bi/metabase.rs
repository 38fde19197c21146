//! Metabase's REST API, as far as it is needed: <https://www.metabase.com/docs/latest/api>, read 2026-11-20.
//!
//! Only what every edition has: `/api/database`, `/api/collection`, `/api/card`, `/api/dashboard`.
//! Its serialization, which takes the files as they are, is for sale.

use std::time::Duration;

use reqwest::{
    Client, Method, StatusCode,
    header::{HeaderMap, HeaderValue},
};
use serde_json::{Value, json};

use crate::secret::Secret;

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetabaseError {
    /// Try again.
    #[error("no answer to {request}")]
    Unanswered {
        request: String,
        #[source]
        source: Option<reqwest::Error>,
    },
    /// It was understood and refused.
    #[error("{request} was answered with {status}: {said}")]
    Refused { request: String, status: u16, said: String },
    /// It is not as the documentation has it.
    #[error("{request} was answered strangely: {what}")]
    Strange { request: String, what: String },
    /// It does not know the database.
    #[error("no database there is called `{name}`; it knows {known}")]
    NoDatabase { name: String, known: String },
}

/// A Metabase, and a key to it.
pub(super) struct Metabase {
    http: Client,
    url: String,
}

impl Metabase {
    pub(super) fn at(url: &str, key: &Secret) -> Result<Self, MetabaseError> {
        let strange = |what: String| MetabaseError::Strange { request: "the key".to_owned(), what };
        let mut value = HeaderValue::from_str(key.expose())
            .map_err(|_| strange("it holds what no header may".to_owned()))?;
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(reqwest::header::HeaderName::from_static("x-api-key"), value)]);
        let http = Client::builder().default_headers(headers).timeout(PATIENCE).build();
        let http = http.map_err(|error| strange(error.to_string()))?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned() })
    }

    /// The number of the database that is called so.
    pub(super) async fn database(&self, name: &str) -> Result<i64, MetabaseError> {
        let list = self.ask(Method::GET, "/api/database", None).await?;
        // A list since ever, in an object since 0.41.
        let rows = list.get("data").unwrap_or(&list).as_array().cloned().unwrap_or_default();
        let found = rows.iter().find(|row| text(row, "name") == name).and_then(number);
        found.ok_or_else(|| MetabaseError::NoDatabase {
            name: name.to_owned(),
            known: rows.iter().map(|row| text(row, "name")).collect::<Vec<_>>().join(", "),
        })
    }

    /// All collections that are not in the trash.
    pub(super) async fn collections(&self) -> Result<Vec<Value>, MetabaseError> {
        let list = self.ask(Method::GET, "/api/collection", None).await?;
        Ok(list.as_array().cloned().unwrap_or_default())
    }

    /// What lies in a collection: its cards and dashboards, page by page.
    pub(super) async fn items(&self, collection: i64) -> Result<Vec<Value>, MetabaseError> {
        let mut items = Vec::new();
        loop {
            let path = format!(
                "/api/collection/{collection}/items?models=card&models=dashboard&limit=200&offset={}",
                items.len()
            );
            let page = self.ask(Method::GET, &path, None).await?;
            let rows = page.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
            let total = page.get("total").and_then(Value::as_u64).unwrap_or_default();
            if rows.is_empty() {
                return Ok(items);
            }
            items.extend(rows);
            if u64::try_from(items.len()).is_ok_and(|count| count >= total) {
                return Ok(items);
            }
        }
    }

    /// One thing as it is: `what` is `card`, `dashboard` or `collection`.
    pub(super) async fn read(&self, what: &str, id: i64) -> Result<Value, MetabaseError> {
        self.ask(Method::GET, &format!("/api/{what}/{id}"), None).await
    }

    /// Makes one; its number.
    pub(super) async fn create(&self, what: &str, body: &Value) -> Result<i64, MetabaseError> {
        let path = format!("/api/{what}");
        let made = self.ask(Method::POST, &path, Some(body)).await?;
        number(&made).ok_or_else(|| MetabaseError::Strange {
            request: format!("POST {path}"),
            what: "there is no id in it".to_owned(),
        })
    }

    /// Changes one: what `body` does not name stays.
    pub(super) async fn change(&self, what: &str, id: i64, body: &Value) -> Result<(), MetabaseError> {
        self.ask(Method::PUT, &format!("/api/{what}/{id}"), Some(body)).await.map(drop)
    }

    /// Has it look at the database's views again; a key that may not, need not.
    pub(super) async fn look_again(&self, database: i64) -> Result<(), MetabaseError> {
        match self.ask(Method::POST, &format!("/api/database/{database}/sync_schema"), Some(&json!({}))).await
        {
            Ok(_) | Err(MetabaseError::Refused { status: 401 | 403 | 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, MetabaseError> {
        let request = format!("{method} {}", path.split('?').next().unwrap_or(path));
        let unanswered = |error: reqwest::Error| MetabaseError::Unanswered {
            request: request.clone(),
            source: Some(error.without_url()),
        };
        let mut asked = self.http.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            asked = asked.header("content-type", "application/json").body(body.to_string());
        }
        let answer = asked.send().await.map_err(unanswered)?;
        let status = answer.status();
        let said = answer.text().await.map_err(unanswered)?;
        if status.is_server_error() && status != StatusCode::INTERNAL_SERVER_ERROR {
            return Err(MetabaseError::Unanswered { request, source: None });
        }
        if !status.is_success() {
            let said = said.chars().take(300).collect();
            return Err(MetabaseError::Refused { request, status: status.as_u16(), said });
        }
        if said.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&said)
            .map_err(|error| MetabaseError::Strange { request, what: error.to_string() })
    }
}

/// A text of an answer; empty where there is none.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The number of what an answer is about. The root collection has a word for one.
pub(super) fn number(value: &Value) -> Option<i64> {
    value.get("id").and_then(Value::as_i64)
}
