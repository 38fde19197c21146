//! What one written word means: an address, a url, a ticker, a duration.
//!
//! The same words are read in the file and in the environment. What is wrong
//! with one never repeats a url's path, where keys live.

use std::{net::SocketAddr, path::PathBuf};

use alloy::primitives::{Address, B256, U256};
use jiff::SignedDuration;
use reqwest::Url;
use rust_decimal::Decimal;
use serde::{Deserialize, de::IntoDeserializer};

use super::problem::{Wrong, wrong};
use crate::{
    assets::{book_symbol, tokenized},
    chain::{
        rpc::host_of,
        source::{HedgeAt, Kind},
    },
    secret::Secret,
    units::Amount,
};

pub(super) fn http_url(text: &str) -> Result<Url, Wrong> {
    let next =
        "give the http(s) url of the same node: blocks are polled, a websocket would only ring the bell";
    let url = Url::parse(text)
        .map_err(|error| wrong(format!("is not a url: {error}"), "write http://host:port"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(wrong(format!("{scheme}://{} is not an http(s) url", host_of(text)), next)),
    }
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        wrong(format!("`{text}` is not an address and a port"), "write it like \"127.0.0.1:8080\"")
    })
}

pub(super) fn rpc_urls(text: &str) -> Result<Vec<String>, Wrong> {
    text.split(',').map(str::trim).map(|url| http_url(url).map(|_| url.to_owned())).collect()
}

pub(super) fn address(text: &str) -> Result<Address, Wrong> {
    let digits = text.strip_prefix("0x").unwrap_or_default();
    let plain = digits.len() == 40 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let Some(read) = text.parse::<Address>().ok().filter(|_| plain) else {
        // What is longer may be a key that slipped into the wrong place: it is not repeated.
        let given = if text.len() > 42 { "what is given" } else { &format!("`{text}`") };
        return Err(wrong(format!("{given} is not an address"), "write 0x and 40 hex digits"));
    };
    let spelt_right =
        digits.bytes().all(|digit| !digit.is_ascii_uppercase()) || read.to_checksum(None) == text;
    if !spelt_right {
        let next = "copy it again from where it came; if you are sure, write it in lower case";
        return Err(wrong(format!("`{text}` has a wrong checksum: a digit or a letter's case is off"), next));
    }
    if read.is_zero() {
        return Err(wrong("is the zero address", "give the real one"));
    }
    Ok(read)
}

pub(super) fn addresses(text: &str) -> Result<Vec<Address>, Wrong> {
    text.split(',').map(str::trim).map(address).collect()
}

pub(super) fn whole(text: &str) -> Result<u64, Wrong> {
    let read = text.parse::<i64>().ok().and_then(|read| u64::try_from(read).ok());
    read.ok_or_else(|| wrong(format!("`{text}` is not a whole number"), "write digits only"))
}

pub(super) fn kind(text: &str) -> Result<Kind, Wrong> {
    one_of(text, &Kind::ALL.map(|kind| (kind.word(), kind)))
}

pub(super) fn hedge_at(text: &str) -> Result<HedgeAt, Wrong> {
    let read: Result<_, serde::de::value::Error> = HedgeAt::deserialize(text.into_deserializer());
    read.map_err(|_| {
        wrong(format!("`{text}` is unknown"), "give latest, safe, finalized or a number of blocks")
    })
}

pub(super) fn one_of<T: Copy>(text: &str, all: &[(&str, T)]) -> Result<T, Wrong> {
    if let Some((_, found)) = all.iter().find(|(word, _)| *word == text) {
        return Ok(*found);
    }
    let words: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
    Err(wrong(format!("`{text}` is unknown"), format!("give one of {}", words.join(", "))))
}

pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if text.is_empty() || !text.chars().all(plain) {
        return Err(wrong(format!("`{text}` is not a name"), "use letters, digits, `-`, `_` and `.`"));
    }
    Ok(text.to_owned())
}

pub(super) fn ticker(text: &str) -> Result<String, Wrong> {
    if let Ok(token) = tokenized(text) {
        let next = format!("write the share's own: `{}`", book_symbol(token.ticker));
        return Err(wrong(format!("`{text}` is a token's symbol"), next));
    }
    let plain =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || ".-".contains(letter);
    if text.is_empty() || text == "USDC" || !text.chars().all(plain) {
        return Err(wrong(
            format!("`{text}` is not a ticker"),
            "write it as the market does, such as \"AAPL\"",
        ));
    }
    let newest = book_symbol(text);
    if newest != text {
        return Err(wrong(format!("`{text}` has been renamed"), format!("write `{newest}`")));
    }
    Ok(text.to_owned())
}

pub(super) fn feed(text: &str) -> Result<B256, Wrong> {
    text.parse().map_err(|_| wrong(format!("`{text}` is not a Pyth feed id"), "write 0x and 64 hex digits"))
}

/// A vault's id: 32 bytes, or as a number, whose leading zeros may be left out.
pub(super) fn vault_id(text: &str) -> Result<B256, Wrong> {
    let digits = text.strip_prefix("0x").filter(|digits| (1..=64).contains(&digits.len()));
    let number = match digits {
        Some(digits) => U256::from_str_radix(digits, 16).ok(),
        None => U256::from_str_radix(text, 10).ok(),
    };
    number
        .map(B256::from)
        .ok_or_else(|| wrong(format!("`{text}` is not a vault id"), "write 0x and hex digits, or a number"))
}

pub(super) fn directory(text: &str) -> Result<PathBuf, Wrong> {
    if !text.starts_with('/') {
        return Err(wrong(format!("`{text}` is not an absolute path"), "begin it with /"));
    }
    Ok(PathBuf::from(text))
}

/// A decimal as it is written.
pub(super) fn decimal(text: &str) -> Result<Decimal, Wrong> {
    Decimal::from_str_exact(text)
        .map_err(|_| wrong(format!("`{text}` is not a plain decimal number"), "write it like 0.5"))
}

/// A number above zero that the books can hold.
pub(super) fn above_zero(number: Decimal) -> Result<Amount, Wrong> {
    if number <= Decimal::ZERO {
        return Err(wrong(format!("{number} is not above zero"), "give a number above zero"));
    }
    number.to_string().parse().map_err(|_| {
        wrong(format!("{number} is not of the books"), "give at most 18 decimals and less than 1e20")
    })
}

/// Where a broker is reached, without a slash at the end.
pub(super) fn url(text: &str) -> Result<String, Wrong> {
    let next = "write it like https://host, without user, query or fragment";
    let url = Url::parse(text).map_err(|error| wrong(format!("is not a url: {error}"), next))?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !["http", "https"].contains(&url.scheme()) || !plain || url.fragment().is_some() {
        return Err(wrong("is not the plain http(s) url of a host", next));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// What stands between a url and a resource, without a slash at the end.
pub(super) fn prefix(text: &str) -> Result<String, Wrong> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
    if !text.starts_with('/') || !text.chars().all(plain) {
        return Err(wrong(format!("`{text}` is not a path"), "write it like /v2"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A key of 32 bytes; what is none is never repeated.
pub(super) fn hex_key(text: &str) -> Result<Secret, Wrong> {
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong("is not 64 hex digits", "make one with `openssl rand -hex 32`"));
    }
    Ok(Secret::new(text))
}

pub(super) fn duration(text: &str) -> Result<SignedDuration, Wrong> {
    text.parse::<SignedDuration>().ok().filter(SignedDuration::is_positive).ok_or_else(|| {
        wrong(format!("`{text}` is not a duration"), "write it like \"2s\", \"500ms\" or \"72h\"")
    })
}

pub(super) fn duration_ms(text: &str) -> Result<u64, Wrong> {
    let length = duration(text)?;
    u64::try_from(length.as_millis())
        .ok()
        .filter(|milliseconds| *milliseconds > 0)
        .ok_or_else(|| wrong(format!("`{text}` is too short"), "give at least \"1ms\""))
}
