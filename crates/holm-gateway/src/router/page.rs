//! The gateway's own pages: short, without scripts, and as problem+json for programs.

use http_body_util::{Either, Full};
use hyper::{
    HeaderMap, Response, StatusCode,
    body::Bytes,
    header::{
        ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
        RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
    },
};

use super::{Answer, choose::Choice};

/// In which form an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    Html,
    Json,
}

impl Wants {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accept = headers
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let accept = accept.to_ascii_lowercase();
        if accept.contains("json") && !accept.contains("text/html") {
            Self::Json
        } else {
            Self::Html
        }
    }
}

/// A page of the gateway.
#[derive(Debug, Clone, Copy)]
pub(super) enum Page<'a> {
    /// The service is not up yet, or just now not.
    Waiting { name: &'a str },
    /// Stopped on purpose.
    Stopped { name: &'a str },
    /// It took the request and broke off.
    Broken { name: &'a str },
    /// No document yet.
    Starting,
    /// Nobody's name.
    Unknown,
    /// The cell's own name.
    Apex { domain: &'a str },
    /// No usable host name.
    BadHost,
    /// A request line that cannot be passed on.
    BadRequest,
}

pub(super) fn of_choice(choice: Choice, wants: Wants) -> Answer {
    match &choice {
        Choice::Redirect(location) => redirect(location),
        Choice::Stopped { name } => response(Page::Stopped { name }, wants),
        Choice::Forward { route, .. } => response(Page::Waiting { name: &route.name }, wants),
        Choice::Apex { domain } => response(Page::Apex { domain }, wants),
        Choice::Unknown => response(Page::Unknown, wants),
        Choice::Starting => response(Page::Starting, wants),
    }
}

pub(super) fn response(page: Page<'_>, wants: Wants) -> Answer {
    let (status, title, text) = words(page);
    let again = matches!(page, Page::Waiting { .. } | Page::Starting);
    let (kind, body) = match wants {
        Wants::Json => {
            let problem = serde_json::json!({ "title": title, "status": status.as_u16(), "detail": text });
            ("application/problem+json", problem.to_string())
        }
        Wants::Html => ("text/html; charset=utf-8", html(&title, &text, again)),
    };
    let mut response = Response::new(Either::Right(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    let mut set = |name: HeaderName, value| {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value))
    };
    set(CONTENT_TYPE, kind);
    set(CACHE_CONTROL, "no-store");
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'",
    );
    if again {
        set(RETRY_AFTER, "2");
    }
    response
}

fn words(page: Page<'_>) -> (StatusCode, String, String) {
    use StatusCode as S;
    let (status, title, text) = match page {
        Page::Waiting { name } => (
            S::SERVICE_UNAVAILABLE,
            format!("{name} is starting"),
            "It does not answer yet. This page asks again by itself.".to_owned(),
        ),
        Page::Stopped { name } => (
            S::SERVICE_UNAVAILABLE,
            format!("{name} is stopped"),
            "An admin of this cell has stopped it. It comes back when it is started again.".to_owned(),
        ),
        Page::Broken { name } => (
            S::BAD_GATEWAY,
            format!("{name} broke off"),
            "It took the request and gave no answer. Try again; if it stays so, its log says more."
                .to_owned(),
        ),
        Page::Starting => (
            S::SERVICE_UNAVAILABLE,
            "This cell is starting".to_owned(),
            "This page asks again by itself.".to_owned(),
        ),
        Page::Unknown => (
            S::NOT_FOUND,
            "Nothing here".to_owned(),
            "This cell has no service of that name.".to_owned(),
        ),
        Page::Apex { domain } => (
            S::NOT_FOUND,
            format!("This is the cell {domain}"),
            "It has no pages of its own yet. Each service has its own name.".to_owned(),
        ),
        Page::BadHost => (
            S::BAD_REQUEST,
            "No host name".to_owned(),
            "The request must name exactly one host.".to_owned(),
        ),
        Page::BadRequest => (
            S::BAD_REQUEST,
            "Not understood".to_owned(),
            "The request line cannot be passed on.".to_owned(),
        ),
    };
    (status, title, text)
}

fn html(title: &str, text: &str, again: bool) -> String {
    let refresh = if again {
        "<meta http-equiv=\"refresh\" content=\"2\">\n"
    } else {
        ""
    };
    let (title, text) = (escape(title), escape(text));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n{refresh}<title>{title}</title>\n\
         <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem;\
         color-scheme:light dark}}</style>\n<h1>{title}</h1>\n<p>{text}</p>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn redirect(location: &str) -> Answer {
    // A path may hold bytes that no header may.
    let Ok(location) = HeaderValue::from_str(location) else {
        return response(Page::BadRequest, Wants::Html);
    };
    let mut response = super::status_only(StatusCode::PERMANENT_REDIRECT);
    response.headers_mut().insert(LOCATION, location);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped() {
        let page = html("<script>alert('\"&", "x", false);
        assert!(
            page.contains("<title>&lt;script&gt;alert(&#39;&quot;&amp;</title>"),
            "{page}"
        );
    }

    #[test]
    fn json_for_programs() {
        let wants = |accept: &'static str| {
            Wants::of(&HeaderMap::from_iter([(
                ACCEPT,
                HeaderValue::from_static(accept),
            )]))
        };
        assert_eq!(wants("application/json"), Wants::Json);
        assert_eq!(wants("application/problem+json, */*"), Wants::Json);
        assert_eq!(wants("text/html, application/json;q=0.5"), Wants::Html);
        assert_eq!(wants("*/*"), Wants::Html);
    }
}
