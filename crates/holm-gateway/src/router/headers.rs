//! What of a message is for the next hop only, and whose host name a request bears.

use hyper::{
    HeaderMap, Request,
    header::{self, HeaderName, HeaderValue},
};

/// Never passed on (RFC 9110 section 7.6.1), with what `Connection` names.
const HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
];

/// Host name in lower case, without port and last dot; `None` unless there is exactly one and it is a name.
pub(super) fn host<B>(request: &Request<B>) -> Option<String> {
    let mut given = request.headers().get_all(header::HOST).iter();
    let text = match (request.uri().authority(), given.next(), given.next()) {
        // An absolute request line overrides the header (RFC 9112 section 3.2.2).
        (Some(authority), _, None) => authority.as_str(),
        (None, Some(one), None) => one.to_str().ok()?,
        _ => return None,
    };
    let name = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && port.len() <= 5 => name,
        Some(_) => return None,
        None => text,
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    ((1..=253).contains(&name.len()) && name.bytes().all(allowed)).then_some(name)
}

/// What the message wants to become, e.g. `websocket`.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let named = tokens(headers).any(|token| token.eq_ignore_ascii_case("upgrade"));
    headers.get(header::UPGRADE).filter(|_| named).cloned()
}

/// Removes what is for this hop only. `Transfer-Encoding` is: hyper frames each side anew.
pub(super) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = tokens(headers).filter_map(|token| token.parse().ok()).collect();
    for name in named.iter().chain(&HOP) {
        headers.remove(name);
    }
    if headers.remove(header::TRANSFER_ENCODING).is_some() {
        // Both at once is how requests are smuggled; the encoding counts.
        headers.remove(header::CONTENT_LENGTH);
    }
}

/// Marks the message as one that upgrades to `kind`.
pub(super) fn set_upgrade(headers: &mut HeaderMap, kind: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, kind);
}

fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::CONNECTION).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str, hosts: &[&[u8]]) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(header::HOST, HeaderValue::from_bytes(host).unwrap());
        }
        host(&request.body(()).unwrap())
    }

    #[test]
    fn one_clean_host() {
        for text in [
            "home.alice.test",
            "Home.Alice.TEST",
            "home.alice.test.",
            "home.alice.test:443",
            "home.alice.test.:",
        ] {
            assert_eq!(
                of("/", &[text.as_bytes()]).as_deref(),
                Some("home.alice.test"),
                "{text}"
            );
        }
        assert_eq!(of("http://a.test/", &[b"b.test"]).as_deref(), Some("a.test"));
    }

    #[test]
    fn garbage_is_no_host() {
        for text in [
            &b""[..],
            b":443",
            b".",
            b"a b",
            b"a/b",
            b"u@a.test",
            b"a.test:x",
            b"a.test:123456",
            b"[::1]:80",
            b"[::1]",
            b"\xffa",
            b"a,b",
            b"a.test\t.x",
        ] {
            assert_eq!(of("/", &[text]), None, "{}", text.escape_ascii());
        }
        assert_eq!(of("/", &[]), None);
        assert_eq!(of("/", &[b"a.test", b"a.test"]), None);
        assert_eq!(of("/", &["a".repeat(254).as_bytes()]), None);
    }

    #[test]
    fn hop_headers_go() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Secret"),
            ("connection", "upgrade"),
            ("x-secret", "1"),
            ("upgrade", "websocket"),
            ("te", "trailers"),
            ("keep-alive", "5"),
            ("proxy-authorization", "x"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("x-forwarded-for", "10.0.0.1"),
            ("cookie", "a=b"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        assert_eq!(upgrade(&headers).unwrap(), "websocket");
        strip(&mut headers);
        let left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["x-forwarded-for", "cookie"]);
        assert_eq!(upgrade(&headers), None);
    }
}
