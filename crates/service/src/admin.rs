//! The admin port: metrics and probes, over plain HTTP, for operators and their platforms only.
//!
//! - `/metrics`: every metric in the OpenMetrics text format.
//! - `/healthz`: 200 while the process is alive. A restart does not fix what `/readyz` reports.
//! - `/readyz`: 200 if the server may be sent traffic, else 503; either way each check with its state
//!   and reason as JSON. A degraded check does not make a server unready.

use crate::readiness::Readiness;
use crate::telemetry::Metrics;
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::get;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Answer = (StatusCode, [(HeaderName, &'static str); 1], String);

/// The routes of the admin port.
pub fn routes(readiness: Readiness, metrics: Metrics) -> Router {
    Router::new()
        .route(
            "/metrics",
            get(|State(metrics): State<Metrics>| async move {
                answer(StatusCode::OK, OPEN_METRICS, metrics.encode())
            }),
        )
        .with_state(metrics)
        .route(
            "/healthz",
            get(|| async { answer(StatusCode::OK, "text/plain; charset=utf-8", "alive\n".to_owned()) }),
        )
        .route("/readyz", get(|State(readiness): State<Readiness>| async move { ready(&readiness) }))
        .with_state(readiness)
}

fn ready(readiness: &Readiness) -> Answer {
    let report = readiness.report();
    let checks: Vec<_> = report
        .checks
        .iter()
        .map(|(name, state)| serde_json::json!({"name": name, "state": state.as_str(), "reason": state.reason()}))
        .collect();
    let ready = report.ready();
    let body = serde_json::json!({"ready": ready, "draining": report.draining, "checks": checks});
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, "application/json", format!("{body:#}\n"))
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Answer {
    (status, [(CONTENT_TYPE, kind)], body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use http::Request;
    use tower::ServiceExt;

    async fn get(routes: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_is_told_check_by_check() {
        let readiness = Readiness::new();
        let routes = routes(readiness.clone(), Metrics::new());
        let ledger = readiness.check("registry.ledger");
        let follow = readiness.check("tracker.follow(registry)");
        follow.degraded("registry unreachable for 3s");
        let (status, body) = get(&routes, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["ready"], false);
        assert_eq!(
            body["checks"][0],
            serde_json::json!({"name": "registry.ledger", "state": "not_ready", "reason": "starting"})
        );
        assert_eq!(body["checks"][1]["state"], "degraded");
        assert_eq!(body["checks"][1]["reason"], "registry unreachable for 3s");

        ledger.ready();
        assert_eq!(get(&routes, "/readyz").await.0, StatusCode::OK);
        readiness.drain();
        let (status, body) = get(&routes, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("\"draining\": true"), "{body}");
        assert_eq!(get(&routes, "/healthz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_open_metrics_text() {
        let routes = routes(Readiness::new(), Metrics::new());
        assert_eq!(get(&routes, "/metrics").await, (StatusCode::OK, "# EOF\n".to_owned()));
        assert_eq!(get(&routes, "/").await.0, StatusCode::NOT_FOUND);
    }
}
