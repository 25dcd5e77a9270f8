//! What is refused, and as which problem.

use super::*;

#[tokio::test]
async fn what_is_refused_is_a_problem_with_findings() {
    let (served, _) = Served::notes().await;
    served.world.pack("mail", &manifest("mail", "api", "1.0.0"));
    let response = served.send("POST", &path("mail/install"), Value::Null).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let (status, problem) = answer(response).await;
    assert_eq!((status, &problem["status"]), (422, &json!(422)));
    assert_eq!(problem["findings"][0]["rule"], "subdomain-reserved");
    let (status, problem) = served
        .call(
            "POST",
            &path("notes/reconfigure"),
            json!({"config": {"limit": 99}}),
        )
        .await;
    assert_eq!((status, &problem["findings"][0]["field"]), (422, &json!("limit")));
    let template = json!({"config": {}, "compose_template": "services: {}"});
    let (status, problem) = served.call("POST", &path("notes/reconfigure"), template).await;
    assert_eq!(
        (status, &problem["findings"][0]["rule"]),
        (422, &json!("reconfigure-template"))
    );
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let (served, _) = Served::notes().await;
    let big = json!({"config": {"limit": "x".repeat(MOST_BYTES)}});
    for (method, path, body, expected, code) in [
        ("GET", "/api/nothing".to_owned(), Value::Null, 404, "no-route"),
        ("PUT", "/api/cell".to_owned(), Value::Null, 405, "no-method"),
        ("POST", path("Notes/start"), Value::Null, 404, "name"),
        ("POST", path("notes%0a/start"), Value::Null, 404, "name"),
        ("POST", path("..%2fnotes/start"), Value::Null, 404, "name"),
        ("POST", path("files/start"), Value::Null, 404, "not-installed"),
        ("POST", path("mail/install"), Value::Null, 404, "not-in-store"),
        ("POST", path("notes/install"), json!({"force": true}), 400, "body"),
        (
            "POST",
            path("notes/install"),
            json!({"config": {"limit": 1.5}}),
            400,
            "body",
        ),
        (
            "POST",
            path("notes/install"),
            json!({"config": {"LIMIT": 1}}),
            400,
            "body",
        ),
        ("POST", path("notes/install"), json!([]), 400, "body"),
        ("POST", path("notes/reconfigure"), big, 413, "body"),
        ("POST", "/api/cell".to_owned(), Value::Null, 400, "body"),
        (
            "POST",
            "/api/cell".to_owned(),
            json!({"domain": "bob.test"}),
            409,
            "cell-exists",
        ),
        ("GET", path("notes/logs?tail=-1"), Value::Null, 400, "query"),
        (
            "GET",
            path("notes/logs?container=sh"),
            Value::Null,
            404,
            "no-container",
        ),
        (
            "GET",
            path("notes/secrets/PASSWORD"),
            Value::Null,
            404,
            "no-secret",
        ),
    ] {
        let sent: String = body.to_string().chars().take(60).collect();
        let (status, problem) = served.call(method, &path, body).await;
        let code = json!(format!("about:blank#{code}"));
        let told = (status, &problem["type"]);
        assert_eq!(told, (expected, &code), "{method} {path} {sent}: {problem}");
        assert_ne!(problem["detail"], "", "{problem}");
    }
}

#[tokio::test]
async fn without_a_certificate_there_is_none() {
    let served = Served::with(false, Admins::of_this_process()).await;
    let (status, problem) = served.get("/api/ca").await;
    assert_eq!((status, &problem["type"]), (404, &json!("about:blank#no-ca")));
}
